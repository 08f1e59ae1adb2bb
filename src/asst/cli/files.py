"""The files that a verb writes of its answers: which there are, that they can be written, and the writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from asst.errors import InputError
from asst.outputs.destination import check_destination
from asst.outputs.exports import check_exports

if TYPE_CHECKING:
    from asst.moments import Answer, Moment
    from asst.video import CutReport

_NOT_MOVED_S = 5e-3


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into the files.

    Attributes:
        shown: what the page and the plot show, each answer about one video.
        clipped: the answers whose best moments are cut, in the order of the clips' names.
        exported: what exports hold; the moments of one answer may lie in several videos, which they name.
        records: the objects of JSON exports, where they are not answers.
    """

    shown: Sequence[Answer]
    clipped: Sequence[Answer]
    exported: Sequence[Answer]
    records: Sequence[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """What is asked for.

    Attributes:
        clips: one an answer, or none.
        fast_clips: copy the clips, from the key frame before the moment on; else encode them anew.
        report: the page.
        plot: the picture.
        exports: files for other programs.
        every: let exports take the weaker moments too.
    """

    clips: tuple[Path, ...] = ()
    fast_clips: bool = False
    report: Path | None = None
    plot: Path | None = None
    exports: tuple[Path, ...] = ()
    every: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        pages = (path for path in (self.report, self.plot) if path is not None)
        return (*self.clips, *pages, *self.exports)

    def check(self, sources: Sequence[Path], rows: int = 1) -> None:
        """Refuse what could not be written, before the video is read.

        Args:
            sources: the videos that are asked, which no file may replace.
            rows: of the plot, as far as they are known.

        Raises:
            InputError: for a file that could not be, or a choice without the file that it is about.
        """
        if self.fast_clips and not self.clips:
            raise InputError("--fast-clip is about a clip; add --clip OUT.mp4")
        for path in self.clips:
            check_destination(path, ".mp4")
        if self.report is not None:
            check_destination(self.report, ".html")
        if self.plot is not None:
            from asst.outputs.plot import check_plot

            check_destination(self.plot, ".png")
            check_plot(rows)
        check_exports(self.exports)
        # Of a library's many videos, those matter that a file which is there already could be.
        for path in filter(Path.exists, self.paths):
            for source in sources:
                check_destination(path, path.suffix.lower(), source=source)

    def write(self, contents: Contents) -> None:
        """Write each file and say so on standard error; one that fails does not stop the next.

        Raises:
            InputError: for those that failed, after the others.
        """
        jobs: list[Callable[[], None]] = [
            partial(_write_clip, answer, path, fast=self.fast_clips)
            for answer, path in zip(contents.clipped, self.clips, strict=False)
        ]
        if self.report is not None:
            jobs.append(partial(_write_report, contents.shown, self.report))
        if self.plot is not None:
            jobs.append(partial(_write_plot, contents.shown, self.plot))
        jobs += [partial(_write_export, contents, path, every=self.every) for path in self.exports]
        failures = []
        for job in jobs:
            try:
                job()
            except InputError as error:
                failures.append(str(error))
        if failures:
            raise InputError("; ".join(failures))


def clip_paths(clip: Path | None, clips: int) -> tuple[Path, ...]:
    """So many paths: the one given, or numbered ones from it; none when no clip is asked for."""
    if clip is None:
        return ()
    if clips == 1:
        return (clip,)
    return tuple(clip.with_name(f"{clip.stem}-{number}{clip.suffix}") for number in range(1, clips + 1))


def _write_clip(answer: Answer, path: Path, *, fast: bool) -> None:
    from asst.moments import format_time
    from asst.outputs.clip import write_clip

    cut = write_clip(answer, path, exact=not fast)
    if cut is None:
        typer.echo(f"no clip {path}: nothing found for {answer.query!r}", err=True)
        return
    moved = f"; copied, {_moved(cut, answer.moments[0])}" if fast else ""
    typer.echo(f"wrote {path} ({format_time(cut.start_s)} to {format_time(cut.end_s)}{moved})", err=True)


def _moved(cut: CutReport, moment: Moment) -> str:
    """How far the ends of a copy lie from those of its moment."""
    shifts = {"starts": cut.start_s - moment.start_s, "ends": cut.end_s - moment.end_s}
    words = [
        f"{end} {abs(shift):.2f} s {'early' if shift < 0 else 'late'}"
        for end, shift in shifts.items()
        if abs(shift) >= _NOT_MOVED_S
    ]
    return " and ".join(words) or "starts and ends on time"


def _write_report(answers: Sequence[Answer], path: Path) -> None:
    from asst.outputs.report.report import write_report

    if not answers:
        typer.echo(f"no page {path}: nothing found", err=True)
        return
    write_report(answers, path)
    typer.echo(f"wrote {path}", err=True)


def _write_plot(answers: Sequence[Answer], path: Path) -> None:
    from asst.outputs.plot import write_plot

    if not answers:
        typer.echo(f"no plot {path}: nothing found", err=True)
        return
    write_plot(answers, path)
    typer.echo(f"wrote {path}", err=True)


def _write_export(contents: Contents, path: Path, *, every: bool) -> None:
    from asst.outputs.exports import write_export

    written = write_export(contents.exported, path, every=every, records=contents.records)
    typer.echo(f"wrote {path}" if written else f"no {path}: nothing found", err=True)
