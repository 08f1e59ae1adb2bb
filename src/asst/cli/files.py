"""The files that a verb writes of its answers: which there are, that they can be written, and the writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from asst.atomic import check_destination
from asst.cli import options
from asst.cli.options import option, tell
from asst.errors import InputError

if TYPE_CHECKING:
    from asst.moments import Answer

_NOT_MOVED_S = 5e-3


@dataclass(frozen=True)
class Files:
    """What is asked for, as options."""

    clip: Annotated[
        Path | None,
        option(
            "--clip OUT.mp4",
            "Cut the best moment into a file. Of several sentences the best of each, and of a library all that is "
            "found, into OUT-1.mp4, OUT-2.mp4, in order.",
        ),
    ] = None
    fast_clip: Annotated[
        bool,
        option(
            "--fast-clip",
            "Copy the clip from the key frame before the moment on, which is fast and loses nothing; else encode it.",
        ),
    ] = False
    report: Annotated[Path | None, option("--report OUT.html", "Write a page with frames, curves and moments.")] = None
    plot: Annotated[Path | None, option("--plot OUT.png", "Draw the curves and moments (extra: plot).")] = None
    export: options.Export = None

    @property
    def wanted(self) -> bool:
        """Whether there are any."""
        return any((self.clip, self.report, self.plot, self.export))

    def clips(self, most: int) -> tuple[Path, ...]:
        """The clips: the one given, or of several numbered ones from it; none when no clip is asked for."""
        if self.clip is None or most == 1:
            return (self.clip,) if self.clip else ()
        return tuple(
            self.clip.with_name(f"{self.clip.stem}-{number}{self.clip.suffix}") for number in range(1, most + 1)
        )

    def check(self, sources: Sequence[Path], clips: int = 1, rows: int = 1) -> None:
        """Refuse what could not be written, before the videos are read, which no file may replace.

        There may be so many clips, and as far as they are known so many rows of the plot. Raises an `InputError` for a
        file that could not be written, or a choice without the file that it is about.
        """
        if self.fast_clip and not self.clip:
            raise InputError("--fast-clip is about a clip; add --clip OUT.mp4")
        pages = {".html": self.report, ".png": self.plot}
        named = [*((path, ".mp4") for path in self.clips(clips)), *((path, end) for end, path in pages.items() if path)]
        for path, suffix in named:
            check_destination(path, suffix)
        if self.plot is not None:
            from asst.outputs.plot import check_plot

            check_plot(rows)
        if self.export:
            from asst.outputs.exports import check_exports

            check_exports(self.export)
        # Of a library's many videos, those matter that a file which is there already could be.
        for path in filter(Path.exists, (*(path for path, _ in named), *(self.export or ()))):
            for source in sources:
                check_destination(path, path.suffix.lower(), source=source)

    def write(
        self,
        answers: Sequence[Answer],
        records: Sequence[dict[str, Any]] | None = None,
        *,
        clips: int = 1,
        every: bool = False,
    ) -> None:
        """Write each file and say so on standard error; one that fails does not stop the next.

        JSON exports have the records, where they are not answers; with ``every``, exports have the weaker moments too.
        Raises an `InputError` for those that failed, after the others.
        """
        if not self.wanted:
            return
        from asst.outputs.exports import write_export
        from asst.outputs.plot import write_plot
        from asst.outputs.report.report import write_report

        # Of several videos, an answer about each that something was found in.
        shown = [
            own for one in answers for own in ([one] if one.video else [each for each in one.by_video if each.moments])
        ]
        # The answers whose best moments are cut: of several videos, one for each moment.
        each = [
            answer
            for one in answers
            for own in ([one] if one.video else one.by_video)
            for answer in ([one] if one.video else [replace(own, moments=(moment,)) for moment in own.moments])
        ]
        jobs: list[Callable[[], str]] = [
            partial(_write_clip, answer, path, fast=self.fast_clip)
            for answer, path in zip(each, self.clips(clips), strict=False)
        ]
        for what, path, write in (("page ", self.report, write_report), ("plot ", self.plot, write_plot)):
            if path is not None:
                jobs.append(partial(_written, path, what, partial(write, shown, path) if shown else None))
        export = partial(write_export, answers, every=every, records=records)
        jobs += [partial(_written, path, "", partial(export, path)) for path in self.export or ()]
        failures = []
        for job in jobs:
            try:
                tell(job())
            except InputError as error:
                failures.append(str(error))
        if failures:
            raise InputError("; ".join(dict.fromkeys(failures)))


def _write_clip(answer: Answer, path: Path, *, fast: bool) -> str:
    """Cuts a clip; what to say of it, with how far the ends of a copy lie from those of its moment."""
    from asst.moments import format_time
    from asst.outputs.exports import write_clip

    cut = write_clip(answer, path, exact=not fast)
    if cut is None:
        return _nothing(f"clip {path}", path, f" for {answer.query!r}")
    shifts = {"starts": cut.start_s - answer.moments[0].start_s, "ends": cut.end_s - answer.moments[0].end_s}
    words = [
        f"{end} {abs(shift):.2f} s {'early' if shift < 0 else 'late'}"
        for end, shift in shifts.items()
        if abs(shift) >= _NOT_MOVED_S
    ]
    moved = f"; copied, {' and '.join(words) or 'starts and ends on time'}" if fast else ""
    return f"wrote {path} ({format_time(cut.start_s)} to {format_time(cut.end_s)}{moved})"


def _written(path: Path, what: str, write: Callable[[], bool | None] | None) -> str:
    """Writes a file, which there may be nothing for; what to say of it."""
    written = write is not None and write() is not False
    return f"wrote {path}" if written else _nothing(f"{what}{path}", path)


def _nothing(what: str, path: Path, where: str = "") -> str:
    older = "; the file that is there is an older one" if path.exists() else ""
    return f"no {what}: nothing found{where}{older}"
