"""Progress on standard error: how much of a video is read and how fast, how many queries are answered."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from asst.features.extract import Job


class _Speed(ProgressColumn):
    """Seconds of video read in a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}x real time" if speed else "", style="cyan")


@contextmanager
def reading_progress() -> Iterator[Callable[[float, float], None] | None]:
    """Show a bar for the length of the block, and lend what moves it: a function of seconds done and seconds in all.

    Lends None, and shows nothing, when standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        _Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading the model", total=None)

        def move(done_s: float, total_s: float) -> None:
            if bar.tasks[0].total is None:
                # The clock of the speed starts with the video, not with the loading.
                bar.reset(task, total=total_s, description="reading the video")
            bar.update(task, completed=done_s, total=total_s)

        yield move


class FilesBar:
    """What moves a bar of files; nothing where there is none.

    Args:
        bar: of rich, or None.
        files: how many there are.
    """

    def __init__(self, bar: Progress | None, files: int) -> None:
        self._bar = bar
        self._all = None if bar is None else bar.add_task("videos", total=files)
        self._one = None if bar is None else bar.add_task("", total=None, visible=False)
        self._read_s = 0.0
        self._started = time.monotonic()

    def file(self, job: Job) -> Callable[[float, float], None] | None:
        """What is told how far one file is read."""
        if self._bar is None or self._one is None:
            return None
        bar, one = self._bar, self._one
        bar.reset(one, total=None, description=job.path.name, visible=True)
        return lambda done_s, total_s: bar.update(one, completed=done_s, total=total_s)

    def done(self, video: str, video_s: float) -> None:
        """One more file is done; ``video_s`` seconds of it were read."""
        if self._bar is None or self._all is None:
            return
        self._read_s += video_s
        speed = self._read_s / max(1e-6, time.monotonic() - self._started)
        self._bar.update(self._all, advance=1, description=f"videos, {speed:.1f}x real time")


@contextmanager
def files_progress(files: int) -> Iterator[FilesBar]:
    """Show a bar of files for the length of the block where standard error is a terminal, and lend what moves it."""
    if not sys.stderr.isatty():
        yield FilesBar(None, files)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        yield FilesBar(bar, files)


@contextmanager
def counting(what: str = "answering") -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar for the length of the block, and lend what moves it: how many are done, and of how many.

    Lends None, and shows nothing, when standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def fetching(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of bytes for the length of the block where standard error is a terminal, and lend what moves it."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, size: bar.update(task, completed=done, total=size)
