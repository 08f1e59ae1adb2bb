"""``asst detect``: the actions in a video, by a checkpoint that was trained to find them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli.device import DeviceOption
from asst.cli.file_options import ExportOption, FastClipOption, PlotOption, ReportOption
from asst.cli.files import Contents, Files, clip_paths
from asst.errors import InputError
from asst.local import check_ends, local_path

if TYPE_CHECKING:
    from asst.features.values import Features
    from asst.models.trained.detector import TrainedDetector
    from asst.moments import Detections

_Clip = Annotated[Path | None, typer.Option(metavar="OUT.mp4", help="Cut the best action into a file.")]


def detect(
    video: Annotated[
        str, typer.Argument(metavar="VIDEO", help="The video file; with --store a video's name.", show_default=False)
    ],
    checkpoint: Annotated[
        Path, typer.Option(metavar="PATH", help="What 'asst train thumos14/...' wrote.", show_default=False)
    ],
    stores: Annotated[
        list[Path] | None,
        typer.Option(
            "--store",
            metavar="STORE",
            help="Features in place of the video file; once for each stream.",
            show_default=False,
        ),
    ] = None,
    step_s: Annotated[
        float | None,
        typer.Option("--step-s", metavar="SECONDS", help="With a STORE that is not ours: how long a step lasts."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Actions to keep.")] = 20,
    min_score: Annotated[
        float, typer.Option("--min-score", min=0, max=1, metavar="SCORE", help="The least score of an action.")
    ] = 0.1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    clip: _Clip = None,
    fast_clip: FastClipOption = False,
    report: ReportOption = None,
    plot: PlotOption = None,
    export: ExportOption = None,
    device: DeviceOption = None,
) -> None:
    """Find the actions of a VIDEO: labelled spans, best first.

    Exit codes: 0 when an action was found, 1 when none was, 2 for bad input.
    """
    from asst.models.trained.detector import TrainedDetector
    from asst.outputs.detections import write_detections, write_detections_table

    files = Files(clip_paths(clip, 1), fast_clip, report, plot, tuple(export or ()))
    files.check([Path(video)])
    if not stores:
        check_ends(Path(video))
    detector = TrainedDetector.load([checkpoint])
    features, duration_s = _features(detector, video, stores or (), step_s)
    found = detector.detect(features, video, duration_s=duration_s, top=top, least=min_score)
    try:
        if as_json:
            write_detections([found], sys.stdout)
        elif found.moments:
            write_detections_table(found, sys.stdout)
        else:
            typer.echo(f"{video}: no action reaches a score of {min_score:g}")
    finally:
        if files.paths:
            files.write(_contents(found, duration_s))
    if not found.moments:
        raise typer.Exit(1)


def _contents(found: Detections, duration_s: float) -> Contents:
    """The actions as one answer to no sentence."""
    from asst.moments import Answer
    from asst.outputs.detections import detections_record

    best = found.moments[0].score if found.moments else None
    answers = [Answer(found.video, "", duration_s, found.model, found.moments, best_score=best)]
    return Contents(answers, answers, answers, [detections_record(found)])


def _features(
    detector: TrainedDetector, video: str, stores: Sequence[Path], step_s: float | None
) -> tuple[Features, float]:
    """The features of a video, and its length in seconds."""
    from asst.cli.progress import reading_progress
    from asst.cli.stores import checkpoint_store

    if stores:
        kind = detector.description.features
        store = checkpoint_store(detector.name, kind.extractor, stores, step_s, kind.preprocessing)
        features = store.read(video)
        return features, features.end_s
    if not local_path(video, "a video").exists():
        raise InputError(f"{video}: no such file; check the path, or give --store STORE to take features by a name")
    extractor = detector.extractor
    with reading_progress() as move:
        features = extractor.extract(video, progress=move)
    features.require_finite(str(video))
    return features, features.video_end_s
