"""``asst search``: the moments of all videos of a library that a sentence describes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli.device import DeviceOption
from asst.cli.file_options import ExportOption, FastClipOption, MinScoreOption, PlotOption, ReportOption
from asst.cli.files import Contents, Files, clip_paths
from asst.cli.index import LibraryOption, ModelOption, engine_for
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.library.search import Found
    from asst.library.tables import Video

_Clip = Annotated[
    Path | None,
    typer.Option(
        metavar="OUT.mp4",
        help="Cut the moments into files: OUT-1.mp4, OUT-2.mp4, numbered as printed; with --top 1, OUT.mp4.",
    ),
]


def search(
    sentence: Annotated[str, typer.Argument(metavar="SENTENCE", help="What to look for.", show_default=False)],
    library: LibraryOption,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Moments to print at most.")] = 10,
    within: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="GLOB",
            help="Only videos whose path matches, as '*/2025/*'; without a slash, whose file name does.",
        ),
    ] = None,
    min_score: MinScoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a moment.")] = False,
    clip: _Clip = None,
    fast_clip: FastClipOption = False,
    report: ReportOption = None,
    plot: PlotOption = None,
    export: ExportOption = None,
    model: ModelOption = None,
    device: DeviceOption = None,
) -> None:
    """Find the moments of all videos of a library that a SENTENCE describes.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    from asst.cli.asking import uncollected
    from asst.cli.progress import counting
    from asst.library.library import Library
    from asst.outputs.table import not_understood
    from asst.text import understood

    opened = Library(library)
    # Every moment is a find of its own here, none a second guess at another.
    files = Files(clip_paths(clip, top), fast_clip, report, plot, tuple(export or ()), every=bool(export))
    videos = opened.tables.videos() if files.paths else []
    files.check([Path(video.path) for video in videos])
    with uncollected():
        from asst.library.search import search as run

        engine = engine_for(library, model)
    with counting("scoring") as progress:
        found = run(opened, engine, sentence, top=top, within_glob=within, min_score=min_score, progress=progress)
    known = understood(sentence)
    for fault in found.faults:
        typer.echo(printable(fault), err=True)
    try:
        _print(found, as_json=as_json, known=known)
    finally:
        if files.paths:
            files.write(_contents(found, sentence, videos, engine.name, known))
    if not known:
        typer.echo(not_understood(sentence), err=True)
    if not found.moments:
        best = "nothing scored" if found.best_score is None else f"best score {found.best_score:.3f}"
        typer.echo(f"{printable(sentence)}: nothing found ({best})", err=True)
        raise typer.Exit(1)


def _print(found: Found, *, as_json: bool, known: bool) -> None:
    from asst.outputs.moments import write_moments_json, write_moments_table

    convincing = bool(found.moments)
    if as_json:
        write_moments_json(found.moments or found.weaker, sys.stdout, found=convincing, understood=known)
    elif found.ranked:
        write_moments_table(found.moments or found.weaker[:1], sys.stdout, found=convincing)
    sys.stdout.flush()


def _contents(found: Found, sentence: str, videos: Sequence[Video], model: str, known: bool) -> Contents:
    """The moments as an answer a video, those with the best moments first, and as one answer of all videos."""
    from asst.moments import Answer
    from asst.outputs.moments import found_record

    durations_s = {video.path: video.duration_s for video in videos}
    whole = Answer("", sentence, sum(durations_s.values()), model, found.moments, best_score=found.best_score)
    by_video = []
    for path in dict.fromkeys(moment.video or "" for moment in found.moments):
        own = tuple(moment for moment in found.moments if moment.video == path)
        curve, best = found.curves.get(path), own[0].score
        by_video.append(Answer(path, sentence, durations_s[path], model, own, curve, found.threshold, best))
    answers = {answer.video: answer for answer in by_video}
    clipped = [replace(answers[moment.video or ""], moments=(moment,)) for moment in found.moments]
    return Contents(
        by_video, clipped, [whole], [found_record(moment, found=True, understood=known) for moment in found.moments]
    )
