"""From detections to mean average precision with its interval over videos: the table of detection protocols.

A detection is judged against the spans of the published files (`ActionVideo.annotated`), those past a video's end
included, as the figures of the field are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from asst.data.actions import ActionVideo
from asst.errors import InputError, counted
from asst.evaluation.bootstrap import interval_of
from asst.evaluation.detection_metrics import (
    ClassCurve,
    Matching,
    VideoCase,
    average_precisions,
    class_curve,
    match_by_detection,
    match_by_truth,
)
from asst.evaluation.scoring import Evaluation
from asst.features.stores.native import named
from asst.moments import Answer, FloatArray

DRAWS = 400
_NONE = np.zeros((0, 2))


@dataclass(frozen=True, slots=True)
class DetectionProtocol:
    """How detections are judged, of which ``headline`` chooses checkpoints.

    ``matching`` says which detection finds which truth at each of the ``ious``; ``envelope`` whether precision is
    raised to the best at any higher recall, and ``ambiguous`` whether the stretches that an annotation leaves open
    count neither way.
    """

    headline: str
    ious: tuple[float, ...]
    matching: Matching
    envelope: bool
    ambiguous: bool


DETECTION_PROTOCOLS = {
    "thumos14": DetectionProtocol(
        "map,iou=0.5", (0.3, 0.4, 0.5, 0.6, 0.7), match_by_truth, envelope=False, ambiguous=True
    ),
    "activitynet": DetectionProtocol(
        "map", tuple(round(0.5 + 0.05 * i, 2) for i in range(10)), match_by_detection, envelope=True, ambiguous=False
    ),
}


def detection_protocol(name: str) -> DetectionProtocol:
    """A protocol of `DETECTION_PROTOCOLS`; an `InputError` for a name that is not there."""
    if name not in DETECTION_PROTOCOLS:
        raise InputError(f"no protocol of detection {name!r}; there are {', '.join(DETECTION_PROTOCOLS)}")
    return DETECTION_PROTOCOLS[name]


def evaluate_detections(
    dataset: str,
    videos: Sequence[ActionVideo],
    detections: Iterable[Answer],
    protocol: DetectionProtocol = DETECTION_PROTOCOLS["thumos14"],
) -> Evaluation:
    """Judges detections; a video without any counts as one in which nothing was found.

    The mean is over the classes that have an action in these videos; a detection of another class counts for nothing.
    Intervals resample videos; a draw's mean is over the classes that it has. ``dataset`` is for the result. Raises an
    `InputError` for no video, a video that is not in the split or named twice, or no annotated action.
    """
    curves, own = _precisions(videos, detections, protocol)
    drawn = _drawn(list(curves.values()), len(videos), protocol)
    keys = [f"map,iou={iou:g}" for iou in protocol.ious]
    metrics = {key: interval_of(own[:, place].mean(), drawn[:, place]) for place, key in enumerate(keys)}
    metrics["map"] = interval_of(own.mean(), drawn.mean(axis=1))
    return Evaluation(
        dataset=dataset,
        split="+".join(dict.fromkeys(video.split for video in videos)),
        queries=len(videos),
        videos=len(videos),
        metrics=metrics,
        classes={
            label: dict(zip(keys, values, strict=True)) for label, values in zip(curves, own.tolist(), strict=True)
        },
    )


def mean_average_precisions(
    videos: Sequence[ActionVideo],
    detections: Iterable[Answer],
    protocol: DetectionProtocol = DETECTION_PROTOCOLS["thumos14"],
) -> dict[str, float]:
    """The means of `evaluate_detections` alone, as shares in [0, 1]; arguments and errors are the same."""
    _, own = _precisions(videos, detections, protocol)
    means = {f"map,iou={iou:g}": float(own[:, place].mean()) for place, iou in enumerate(protocol.ious)}
    return {**means, "map": float(own.mean())}


def _precisions(
    videos: Sequence[ActionVideo], detections: Iterable[Answer], protocol: DetectionProtocol
) -> tuple[dict[str, ClassCurve], FloatArray]:
    """The curve of each class, and the average precision of each at each IoU."""
    curves = _curves(videos, _by_video(videos, detections), protocol)
    return curves, np.stack([average_precisions(own, envelope=protocol.envelope)[0] for own in curves.values()])


def _by_video(videos: Sequence[ActionVideo], detections: Iterable[Answer]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for entry in detections:
        if entry.video in found:
            raise InputError(f"{entry.video} has two lines of detections; keep one")
        found[entry.video] = entry
    known = {video.video for video in videos}
    if unknown := [video for video in found if video not in known]:
        raise InputError(
            f"detections but no annotation for {counted(len(unknown), 'video')}: {named(unknown)}; is it the right "
            "data set and split?"
        )
    return found


def _curves(
    videos: Sequence[ActionVideo], found: dict[str, Answer], protocol: DetectionProtocol
) -> dict[str, ClassCurve]:
    labels = sorted({action.label for video in videos for action in video.annotated})
    if not labels:
        raise InputError("no annotated action to evaluate against; is the annotation file the right one?")
    cases: dict[str, list[VideoCase]] = {label: [] for label in labels}
    for video in videos:
        truths: dict[str, list[tuple[float, float]]] = {}
        for action in video.annotated:
            truths.setdefault(action.label, []).append((action.start_s, action.end_s))
        spans: dict[str, list[tuple[float, float, float]]] = {}
        for moment in found[video.video].moments if video.video in found else ():
            spans.setdefault(moment.label or "", []).append((moment.start_s, moment.end_s, moment.score))
        ignored = np.array(video.ignored).reshape(-1, 2) if protocol.ambiguous else _NONE
        for label in labels:
            own = np.array(spans.get(label, ())).reshape(-1, 3)
            case = VideoCase(np.array(truths.get(label, ())).reshape(-1, 2), own[:, :2], own[:, 2], ignored)
            cases[label].append(case)
    return {label: class_curve(own, protocol.ious, protocol.matching) for label, own in cases.items()}


def _drawn(curves: Sequence[ClassCurve], videos: int, protocol: DetectionProtocol) -> FloatArray:
    """The mean average precision at each IoU of bootstrap draws of videos, shape ``(draws, thresholds)``."""
    draw = np.random.default_rng(0)
    weights = draw.multinomial(videos, np.full(videos, 1 / videos), size=DRAWS)
    total: FloatArray = np.zeros((DRAWS, len(protocol.ious)))
    counted = np.zeros((DRAWS, 1))
    for curve in curves:
        values = average_precisions(curve, envelope=protocol.envelope, weights=weights)
        there = ~np.isnan(values[:, :1])
        total += np.where(there, values, 0.0)
        counted += there
    return np.divide(total, counted, out=np.zeros_like(total), where=counted > 0)
