"""Progress on standard error: how much of a video is read and how fast, how many queries are answered."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


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
        TextColumn("{task.description}"),
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


@contextmanager
def counting() -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar of queries answered for the length of the block, and lend what moves it: how many, and of how many.

    Lends None, and shows nothing, when standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("answering", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
