"""``asst search``: the moments of all videos of a library that sentences describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli.asking import exit_by, print_answers, uncollected
from asst.cli.device import DeviceOption
from asst.cli.file_options import AllOption, ExportOption, FastClipOption, MinScoreOption, PlotOption, ReportOption
from asst.cli.files import Contents, Files, clip_paths
from asst.cli.index import LIBRARY, LibraryOption, ModelOption, engine_for
from asst.cli.sentences import QueriesOption, SentencesArgument, sentences_of
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.library.search import Found
    from asst.moments import Answer, Curve

_Clip = Annotated[
    Path | None,
    typer.Option(
        metavar="OUT.mp4",
        help="Cut what is found into files: OUT-1.mp4, OUT-2.mp4, in the order printed; one alone into OUT.mp4.",
    ),
]


def search(
    sentences: SentencesArgument = None,
    queries: QueriesOption = None,
    library: LibraryOption = LIBRARY,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Moments of a sentence at most.")] = 10,
    within: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="GLOB",
            help="Only videos whose path matches, as '*/2025/*'; without a slash, whose file name does.",
        ),
    ] = None,
    min_score: MinScoreOption = None,
    every: AllOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a moment.")] = False,
    clip: _Clip = None,
    fast_clip: FastClipOption = False,
    report: ReportOption = None,
    plot: PlotOption = None,
    export: ExportOption = None,
    model: ModelOption = None,
    device: DeviceOption = None,
) -> None:
    """Find the moments of all videos of a library that each SENTENCE describes.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    from asst.cli.progress import counting
    from asst.library.library import Library
    from asst.outputs.moments import moment_records
    from asst.outputs.table import nothing_found

    asked = sentences_of(sentences or [], queries)
    opened = Library(library)
    files = Files(clip_paths(clip, top * len(asked)), fast_clip, report, plot, tuple(export or ()), every)
    videos = opened.tables.videos()
    files.check([Path(video.path) for video in videos] if files.paths else [])
    with uncollected():
        from asst.library.search import search as run

        engine = engine_for(library, model)
    durations_s = {video.path: video.duration_s for video in videos}
    answers, curves = [], {}
    for query in asked:
        with counting("scoring") as progress:
            found = run(opened, engine, query, top=top, within_glob=within, min_score=min_score, progress=progress)
        for fault in found.faults:
            typer.echo(printable(fault), err=True)
        answers.append(_answer(query, found, engine.name, sum(durations_s.values())))
        curves[query] = found.curves
    records = list(moment_records(answers, every=every))
    try:
        print_answers(answers, as_json=as_json, every=every, records=records, durations_s=durations_s)
    finally:
        if files.paths:
            by_video = [own for answer in answers for own in _by_video(answer, durations_s, curves[answer.query])]
            clipped = [replace(own, moments=(moment,)) for own in by_video for moment in own.moments]
            files.write(Contents(by_video, clipped, answers, records))
    for answer in answers if as_json else ():
        if not answer.moments:
            typer.echo(nothing_found(answer), err=True)
    exit_by(answers)


def _answer(query: str, found: Found, model: str, length_s: float) -> Answer:
    """What a search of all videos, so many seconds together, found for a sentence."""
    from asst.moments import Answer
    from asst.text import understood

    return Answer(
        video="",
        query=query,
        duration_s=length_s,
        model=model,
        moments=found.moments,
        weaker=found.weaker,
        threshold=found.threshold,
        best_score=found.best_score,
        understood=understood(query),
    )


def _by_video(answer: Answer, durations_s: Mapping[str, float], curves: Mapping[str, Curve]) -> list[Answer]:
    """What was found for a sentence as an answer a video."""
    return [
        replace(
            answer,
            video=path,
            duration_s=durations_s[path],
            moments=tuple(own),
            weaker=(),
            curve=curves.get(path),
        )
        for path, own in groupby(answer.moments, key=lambda moment: moment.video or "")
    ]
