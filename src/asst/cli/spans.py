"""``asst detect`` and ``asst shots``: spans of a video that no sentence asks for, its actions and its shots."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli import options
from asst.cli.asking import check_video, exit_by
from asst.cli.files import Files
from asst.cli.options import Stores, argument, option, print_json, tell
from asst.errors import InputError
from asst.local import check_ends, local_path
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.features.extractor import Extractor
    from asst.features.values import Features
    from asst.moments import Answer

_PARTLY_FAILED = 1


def detect(
    video: Annotated[str, argument("VIDEO", "The video file; with --store a video's name.")],
    checkpoint: Annotated[Path, option("--checkpoint PATH", "What 'asst train thumos14/...' wrote.")],
    *,
    given: Stores,
    top: Annotated[int, option("--top N", "Actions to keep.", min=1)] = 20,
    min_score: Annotated[float, option("--min-score SCORE", "The least score of an action.", min=0, max=1)] = 0.1,
    as_json: options.Json = False,
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
    if not given.stores:
        check_ends(Path(video))
    detector = TrainedDetector.load([checkpoint])
    if given.stores:
        kind = detector.description.features
        features = given.read_by(detector.name, kind.extractor, kind.preprocessing).read(video)
        duration_s = features.end_s
    elif not local_path(video, "a video").exists():
        raise InputError(f"{video}: no such file; check the path, or give --store STORE to take features by a name")
    else:
        features = _features(detector.extractor, Path(video))
        features.require_finite(video)
        duration_s = features.video_end_s
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


def _features(extractor: Extractor, video: Path) -> Features:
    from asst.cli.progress import reading_progress

    with reading_progress() as move:
        return extractor.extract(video, progress=move)


def shots(
    videos: Annotated[list[Path], argument("VIDEO...", "Video files.")],
    as_json: options.Json = False,
    export: options.Export = None,
) -> None:
    """List the shots of each VIDEO: a shot ends with its last frame, and the next begins with its first.

    Exit codes: 0 when all could be read, 1 when some could not, 2 for bad input.
    """
    from asst.features.zeroshot.captions import captions
    from asst.outputs.json_lines import shots_record
    from asst.outputs.table import write_shots_table

    for video in videos:
        check_video(video)
    files = Files(export=export)
    files.check(videos)
    extractor = captions()
    found: list[Answer] = []
    try:
        for video in videos:
            try:
                answer = _shots(extractor, video)
            except InputError as error:
                if len(videos) == 1:
                    raise
                tell(printable(f"asst: {error}"))
                continue
            if as_json:
                print_json([shots_record(answer)])
            else:
                sys.stdout.write("\n" if found else "")
                write_shots_table(answer, sys.stdout)
            found.append(answer)
    finally:
        files.write(found, [shots_record(answer) for answer in found])
    if len(found) < len(videos):
        raise typer.Exit(_PARTLY_FAILED)


def _shots(extractor: Extractor, video: Path) -> Answer:
    """The shots of a video as the moments of an answer to no sentence."""
    from asst.moments import Answer, Moment

    features = _features(extractor, video)
    end_s = features.video_end_s
    bounds_s = [0.0, *(cut_s for cut_s in features.cuts_s.tolist() if cut_s < end_s), end_s]
    moments = tuple(
        Moment(start_s, until_s, video=str(video), label=f"shot {number}")
        for number, (start_s, until_s) in enumerate(pairwise(bounds_s), start=1)
    )
    return Answer(str(video), "", end_s, extractor.name, moments)
