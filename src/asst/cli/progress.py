"""Progress on standard error: how much of a video is read and how fast, how many queries are answered; and its sum."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from asst.cli.options import tell
from asst.errors import counted
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.features.extract import Job, Outcome

    Watch = Callable[[Job], Callable[[float, float], None]]


class _Speed(ProgressColumn):
    """Seconds of video read in a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}x real time" if speed else "", style="cyan")


@contextmanager
def _bar(*columns: ProgressColumn) -> Iterator[Progress]:
    """A bar on standard error for the length of the block, which is not shown where that is no terminal."""
    name, share = TextColumn("{task.description}", markup=False), TextColumn("{task.percentage:>3.0f}%")
    shown = (name, BarColumn(), share, *columns, TimeRemainingColumn())
    bar = Progress(*shown, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    # Some releases of rich write an empty line at the end of one that is not shown.
    with nullcontext() if bar.disable else bar:
        yield bar


@contextmanager
def reading_progress() -> Iterator[Callable[[float, float], None]]:
    """Show a bar for the length of the block, and lend what moves it: a function of seconds done and seconds in all."""
    with _bar(_Speed()) as bar:
        task = bar.add_task("loading the model", total=None)

        def move(done_s: float, total_s: float) -> None:
            if bar.tasks[0].total is None:
                # The clock of the speed starts with the video, not with the loading.
                bar.reset(task, total=total_s, description="reading the video")
            bar.update(task, completed=done_s, total=total_s)

        yield move


@contextmanager
def counting(what: str = "answering", *columns: ProgressColumn) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of what is done, and lend what moves it: how many are done, and of how many."""
    with _bar(*columns) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def read_files(outcomes: Callable[[Watch], Iterable[Outcome]], files: int, did: str, where: str) -> bool:
    """Show a bar of so many files, and say what becomes of them; whether none failed.

    What failed is told on standard error as it comes, and how many did what on standard output at the end, however it
    comes; ``did`` is the state of those read, such as ``indexed``. ``outcomes`` gets what is called before a file is
    read, which returns what is told how far it is read.
    """
    done: list[Outcome] = []
    started, video_s = time.monotonic(), 0.0
    try:
        with _bar() as bar:
            every, one = bar.add_task("videos", total=files), bar.add_task("", total=None, visible=False)

            def watch(job: Job) -> Callable[[float, float], None]:
                bar.reset(one, total=None, description=job.path.name, visible=True)
                return lambda done_s, total_s: bar.update(one, completed=done_s, total=total_s)

            for outcome in outcomes(watch):
                done.append(outcome)
                video_s += outcome.video_s
                speed = video_s / max(1e-6, time.monotonic() - started)
                bar.update(every, advance=1, description=f"videos, {speed:.1f}x real time")
                if outcome.state == "failed":
                    tell(printable(f"{outcome.name}: {outcome.reason}"))
    finally:
        counts = Counter(str(outcome.state) for outcome in done)
        worked_s = sum(outcome.seconds for outcome in done if outcome.state == did)
        pace = f" ({video_s:.0f} s of video at {video_s / worked_s:.1f}x real time a process)" if worked_s else ""
        parts = [f"{did} {counts[did]}{pace}", f"{counted(counts['kept'], 'was', 'were')} there already"]
        parts += [f"{counts[state]} {state}" for state in ("moved", "copied") if counts[state]]
        parts.append(f"{counts['failed']} failed")
        if left := files - len(done):
            parts.append(f"{left} not reached")
        if done or not files:
            typer.echo(f"of {counted(files, 'video')} {', '.join(parts)}; {where}")
            sys.stdout.flush()
    return not counts["failed"]
