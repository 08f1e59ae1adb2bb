"""``asst locate``: the moments of a video that sentences describe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asst.cli.asking import ask, exit_by, print_answers
from asst.cli.device import DeviceOption
from asst.cli.file_options import AllOption, ExportOption, FastClipOption, MinScoreOption, PlotOption, ReportOption
from asst.cli.files import Contents, Files, clip_paths
from asst.cli.sentences import QueriesOption, SentencesArgument, sentences_of
from asst.errors import InputError
from asst.local import local_path

_Clip = Annotated[
    Path | None,
    typer.Option(
        metavar="OUT.mp4",
        help="Cut the best moment into a file. With several sentences: OUT-1.mp4, OUT-2.mp4, numbered as asked.",
    ),
]


def locate(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The video file.", show_default=False)],
    sentences: SentencesArgument = None,
    queries: QueriesOption = None,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Moments to keep for each sentence.")] = 5,
    model: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="A model from 'asst models', or a checkpoint.")
    ] = "default",
    min_score: MinScoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a sentence.")] = False,
    clip: _Clip = None,
    fast_clip: FastClipOption = False,
    report: ReportOption = None,
    plot: PlotOption = None,
    export: ExportOption = None,
    every: AllOption = False,
    device: DeviceOption = None,
) -> None:
    """Find the moments of a VIDEO that each SENTENCE describes.

    The video is read once for all sentences.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    _check_input(video)
    asked = sentences_of(sentences or [], queries)
    files = Files(clip_paths(clip, len(asked)), fast_clip, report, plot, tuple(export or ()), every)
    files.check([video], len(asked))
    answers = ask(video, asked, model=model, top=top, min_score=min_score, attention=report is not None)
    try:
        print_answers(answers, as_json=as_json, every=every)
    finally:
        files.write(Contents(answers, answers, answers))
    exit_by(answers)


def _check_input(video: Path) -> None:
    if video.is_dir():
        raise InputError(f"{video}: is a folder; name a video file")
    if not local_path(video, "a video").exists():
        raise InputError(f"{video}: no such file; check the path")
