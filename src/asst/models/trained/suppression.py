"""Detections of actions: what windows say of a video, suppressed class by class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from asst.models.trained.answering import WindowAnswer
from asst.moments import Answer, FloatArray, Moment, nms

IntArray = npt.NDArray[np.int64]

LEAST_SCORE = 0.001
"""Detections that are weaker are not looked at."""

MOST_A_WINDOW = 1000
"""The best so many detections of a window are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundActions:
    """Detections, of a window or of a video.

    Attributes:
        record: index of the video.
        spans_s: in seconds, shape ``(n, 2)``.
        scores: shape ``(n,)``.
        labels: index of each one's class, shape ``(n,)``.
    """

    record: int
    spans_s: FloatArray
    scores: FloatArray
    labels: IntArray


def window_actions(answer: WindowAnswer, duration_s: float) -> FoundActions:
    """The detections of one window that are worth looking at, cut to the window and the video."""
    assert answer.labels is not None
    scores = answer.scores.mean(axis=0)
    window = answer.window
    spans_s = np.clip(window.to_seconds(answer.spans), max(window.start_s, 0.0), min(window.end_s, duration_s))
    usable = np.flatnonzero(answer.kept & (scores >= LEAST_SCORE) & (spans_s[:, 1] > spans_s[:, 0]))
    best = usable[np.argsort(-scores[usable], kind="stable")[:MOST_A_WINDOW]]
    return FoundActions(answer.record, spans_s[best], scores[best], answer.labels[best])


def video_actions(
    windows: Iterable[FoundActions], classes: int, *, overlap: float, a_class: int, least: float = 0.0
) -> Iterator[FoundActions]:
    """One answer a video, best first, from the windows that observe it.

    Args:
        windows: those of a video one after the other.
        classes: how many there are.
        overlap: IoU above which the weaker of two spans of one class is dropped.
        a_class: detections of each class in a video at most.
        least: score of a detection at least.
    """
    for record, group in groupby(windows, key=lambda window: window.record):
        own = list(group)
        spans_s, scores, labels = (
            np.concatenate([getattr(window, name) for window in own]) for name in ("spans_s", "scores", "labels")
        )
        kept = []
        for label in range(classes):
            at = np.flatnonzero((labels == label) & (scores >= least))
            kept.append(at[nms(spans_s[at], scores[at], overlap, a_class)])
        every = np.concatenate(kept)
        best = every[np.argsort(-scores[every], kind="stable")]
        yield FoundActions(record, spans_s[best], scores[best], labels[best])


def detections_of(
    found: FoundActions, labels: Sequence[str], video: str, duration_s: float = 0.0, model: str = ""
) -> Answer:
    """What was found in a video, with the names of classes."""
    moments = tuple(
        Moment(float(start_s), float(end_s), float(score), video=video or None, label=labels[label])
        for (start_s, end_s), score, label in zip(found.spans_s, found.scores, found.labels, strict=True)
    )
    best = moments[0].score if moments else None
    return Answer(video, "", duration_s, model, moments, best_score=best)
