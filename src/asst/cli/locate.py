"""``asst locate``: the moments of a video that sentences describe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli.asking import ask, exit_by, print_answers
from asst.errors import InputError
from asst.outputs.destination import check_destination

if TYPE_CHECKING:
    from asst.moments import Answer


def locate(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The video file.", show_default=False)],
    sentences: Annotated[
        list[str] | None,
        typer.Argument(metavar="SENTENCE", help="What to look for, a sentence each, in quotes.", show_default=False),
    ] = None,
    queries: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Read more sentences from a file, one a line; - reads standard input."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Moments to keep for each sentence.")] = 5,
    model: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="A model from 'asst models', or a checkpoint.")
    ] = "concepts",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a sentence.")] = False,
    clip: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.mp4",
            help="Cut the best moment into a file. With several sentences: OUT-1.mp4, OUT-2.mp4, numbered as asked.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Write a page with frames, curves and moments.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw the curves and moments.")] = None,
) -> None:
    """Find the moments of a VIDEO that each SENTENCE describes.

    The video is read once for all sentences.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    asked = _sentences(sentences or [], queries)
    _check_input(video)
    clips = _clip_paths(clip, len(asked))
    _check_outputs(video, clips, report, plot, len(asked))
    answers = ask(video, asked, model=model, top=top)
    try:
        print_answers(answers, as_json=as_json)
    finally:
        _write_files(answers, clips, report, plot)
    exit_by(answers)


def _sentences(given: Sequence[str], queries: str | None) -> list[str]:
    for sentence in given:
        if not sentence.strip():
            raise InputError("a sentence is empty; say what to look for")
    read = [] if queries is None else [line.strip() for line in _read(queries).splitlines() if line.strip()]
    asked = [*given, *read]
    if not asked:
        raise InputError("no sentence to look for; give one after the video, or a file of them with --queries")
    for sentence in asked:
        if not sentence.isascii() and sentence != sentence.encode("utf-8", errors="replace").decode("utf-8"):
            raise InputError(f"not valid text: {sentence!r}; write the sentence in UTF-8")
    return asked


def _read(queries: str) -> str:
    try:
        content = sys.stdin.buffer.read() if queries == "-" else Path(queries).read_bytes()
    except OSError as error:
        raise InputError(f"{queries}: cannot be read ({error.strerror or error})") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{queries}, line {line}: not UTF-8 text; save the file as UTF-8") from error


def _check_input(video: Path) -> None:
    if video.is_dir():
        raise InputError(f"{video}: is a folder; name a video file")
    if not video.exists():
        raise InputError(f"{video}: no such file; check the path")


def _clip_paths(clip: Path | None, sentences: int) -> list[Path]:
    """One path a sentence: the one given, or numbered ones from it; none when no clip is asked for."""
    if clip is None:
        return []
    if sentences == 1:
        return [clip]
    return [clip.with_name(f"{clip.stem}-{number}{clip.suffix}") for number in range(1, sentences + 1)]


def _check_outputs(video: Path, clips: list[Path], report: Path | None, plot: Path | None, sentences: int) -> None:
    for path in clips:
        check_destination(path, ".mp4", source=video)
    if report is not None:
        check_destination(report, ".html", source=video)
    if plot is not None:
        from asst.outputs.plot import check_plot

        check_destination(plot, ".png", source=video)
        check_plot(sentences)


def _write_files(answers: list[Answer], clips: list[Path], report: Path | None, plot: Path | None) -> None:
    """Write each file asked for and say so; one that fails does not stop the next."""
    jobs = [partial(_write_clip, answer, path) for answer, path in zip(answers, clips, strict=False)]
    if report is not None:
        jobs.append(partial(_write_report, answers, report))
    if plot is not None:
        jobs.append(partial(_write_plot, answers, plot))
    failures = []
    for job in jobs:
        try:
            job()
        except InputError as error:
            failures.append(str(error))
    if failures:
        raise InputError("; ".join(failures))


def _write_clip(answer: Answer, path: Path) -> None:
    from asst.moments import format_time
    from asst.outputs.clip import write_clip

    cut = write_clip(answer, path)
    if cut is None:
        typer.echo(f"no clip {path}: nothing found for {answer.query!r}", err=True)
    else:
        typer.echo(f"wrote {path} ({format_time(cut.start_s)} to {format_time(cut.end_s)})", err=True)


def _write_report(answers: list[Answer], path: Path) -> None:
    from asst.outputs.report import write_report

    write_report(answers, path)
    typer.echo(f"wrote {path}", err=True)


def _write_plot(answers: list[Answer], path: Path) -> None:
    from asst.outputs.plot import write_plot

    write_plot(answers, path)
    typer.echo(f"wrote {path}", err=True)
