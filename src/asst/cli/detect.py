"""``asst detect``: the actions in a video, by a checkpoint that was trained to find them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli import options
from asst.cli.asking import exit_by
from asst.cli.files import Files
from asst.cli.options import argument, option, print_json
from asst.errors import InputError
from asst.local import check_ends, local_path

if TYPE_CHECKING:
    from asst.features.values import Features
    from asst.models.trained.detector import TrainedDetector


def detect(
    video: Annotated[str, argument("VIDEO", "The video file; with --store a video's name.")],
    checkpoint: Annotated[Path, option("--checkpoint PATH", "What 'asst train thumos14/...' wrote.")],
    stores: options.Stores = None,
    step_s: options.StepS = None,
    top: Annotated[int, option("--top N", "Actions to keep.", min=1)] = 20,
    min_score: Annotated[float, option("--min-score SCORE", "The least score of an action.", min=0, max=1)] = 0.1,
    as_json: options.Json = False,
    *,
    files: Files,
    device: options.Device = None,
) -> None:
    """Find the actions of a VIDEO: labelled spans, best first.

    Exit codes: 0 when an action was found, 1 when none was, 2 for bad input.
    """
    from asst.models.trained.detector import TrainedDetector
    from asst.outputs.json_lines import detections_record
    from asst.outputs.table import write_detections_table

    files.check([Path(video)])
    if not stores:
        check_ends(Path(video))
    detector = TrainedDetector.load([checkpoint])
    features, duration_s = _features(detector, video, stores or (), step_s)
    found = detector.detect(features, video, duration_s=duration_s, top=top, least=min_score)
    try:
        if as_json:
            print_json([detections_record(found)])
        elif found.moments:
            write_detections_table(found, sys.stdout)
        else:
            typer.echo(f"{video}: no action reaches a score of {min_score:g}")
    finally:
        files.write([found], [detections_record(found)])
    exit_by([found])


def _features(
    detector: TrainedDetector, video: str, stores: Sequence[Path], step_s: float | None
) -> tuple[Features, float]:
    """The features of a video, and its length in seconds."""
    from asst.cli.judging import checkpoint_store
    from asst.cli.progress import reading_progress

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
