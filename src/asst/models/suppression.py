"""Detections of one video that arrive window by window: per-class suppression that forgets what is settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from asst.models.answering import WindowAnswer
from asst.moments import Detections, FloatArray, Moment, iou

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
        start_s: no detection of this or a later window of the video starts before.
        spans_s: in seconds, shape ``(n, 2)``.
        scores: shape ``(n,)``.
        labels: index of each one's class, shape ``(n,)``.
    """

    record: int
    start_s: float
    spans_s: FloatArray
    scores: FloatArray
    labels: IntArray


def window_actions(answer: WindowAnswer, duration_s: float) -> FoundActions:
    """The detections of one window that are worth looking at, cut to the window and the video.

    Args:
        answer: of a method that finds actions.
        duration_s: length of the video in seconds.
    """
    assert answer.labels is not None
    scores = answer.scores.mean(axis=0)
    window = answer.window
    first_s = max(window.start_s, 0.0)
    spans_s = np.clip(window.to_seconds(answer.spans), first_s, min(window.end_s, duration_s))
    usable = np.flatnonzero(answer.kept & (scores >= LEAST_SCORE) & (spans_s[:, 1] > spans_s[:, 0]))
    best = usable[np.argsort(-scores[usable], kind="stable")[:MOST_A_WINDOW]]
    return FoundActions(answer.record, first_s, spans_s[best], scores[best], answer.labels[best])


class Suppression:
    """Greedy suppression of one class whose spans arrive in the order of their windows.

    What has been added and cannot be changed by a later span is given out and forgotten, so that memory does not grow
    with the video. All that is given out together is what `asst.moments.nms` keeps of all spans at once.

    Args:
        threshold: IoU above which the weaker of two spans is dropped.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._spans_s: FloatArray = np.zeros((0, 2))
        self._scores: FloatArray = np.zeros(0)

    def add(self, spans_s: FloatArray, scores: FloatArray) -> None:
        """More spans, shape ``(n, 2)``, and their scores, shape ``(n,)``."""
        self._spans_s = np.concatenate([self._spans_s, spans_s])
        self._scores = np.concatenate([self._scores, scores])

    def settle(self, from_s: float) -> tuple[FloatArray, FloatArray]:
        """The spans that are kept whatever comes, if all that comes starts at ``from_s`` or later."""
        if not len(self._scores):
            return self._spans_s, self._scores
        order = np.argsort(-self._scores, kind="stable")
        spans_s, scores = self._spans_s[order], self._scores[order]
        close = iou(spans_s, spans_s) > self._threshold
        kept = np.zeros(len(order), dtype=bool)
        waiting = np.zeros(len(order), dtype=bool)
        for place in range(len(order)):
            stronger = close[place, :place]
            if (stronger & kept[:place]).any():
                continue
            # A stronger neighbour that may yet be dropped, or a later and stronger span, would decide.
            waits = spans_s[place, 1] > from_s or (stronger & waiting[:place]).any()
            (waiting if waits else kept)[place] = True
        self._spans_s, self._scores = spans_s[waiting], scores[waiting]
        return spans_s[kept], scores[kept]


def video_actions(
    windows: Iterable[FoundActions], classes: int, *, overlap: float, a_class: int, least: float = 0.0
) -> Iterator[FoundActions]:
    """One answer a video, best first, from the windows that observe it.

    Args:
        windows: those of a video one after the other, in the order of time.
        classes: how many there are.
        overlap: IoU above which the weaker of two spans of one class is dropped.
        a_class: detections of each class in a video at most.
        least: score of a detection at least.
    """
    for record, group in groupby(windows, key=lambda window: window.record):
        pools = [Suppression(overlap) for _ in range(classes)]
        found = [_Best(a_class) for _ in range(classes)]
        for window in group:
            strong = window.scores >= least
            for label in range(classes):
                found[label].add(label, *pools[label].settle(window.start_s))
                own = strong & (window.labels == label)
                pools[label].add(window.spans_s[own], window.scores[own])
        for label, pool in enumerate(pools):
            found[label].add(label, *pool.settle(np.inf))
        ranked = _ranked(np.concatenate([own.held for own in found]), classes * a_class)
        yield FoundActions(record, 0.0, ranked[:, :2], ranked[:, 2], ranked[:, 3].astype(np.int64))


def detections_of(
    found: FoundActions, labels: Sequence[str], video: str, duration_s: float | None = None, model: str = ""
) -> Detections:
    """What was found in a video, with the names of classes.

    Args:
        found: of `video_actions`.
        labels: the classes in their order.
        video: its name.
        duration_s: its length in seconds.
        model: what found it.
    """
    moments = tuple(
        Moment(float(start_s), float(end_s), float(score), video=video or None, label=labels[label])
        for (start_s, end_s), score, label in zip(found.spans_s, found.scores, found.labels, strict=True)
    )
    return Detections(video, moments, duration_s, model)


class _Best:
    """The best detections so far; at least ``limit`` of them, where there are so many, and at most twice as many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = np.zeros((0, 4))

    def add(self, label: int, spans_s: FloatArray, scores: FloatArray) -> None:
        if not len(scores):
            return
        new = np.column_stack([spans_s, scores, np.full(len(scores), label)])
        self._held = np.concatenate([self._held, new])
        if len(self._held) > 2 * self._limit:
            self._held = self.held

    @property
    def held(self) -> FloatArray:
        """The best, as rows of start, end, score and label."""
        return _ranked(self._held, self._limit)


def _ranked(rows: FloatArray, limit: int) -> FloatArray:
    ranked: FloatArray = rows[np.argsort(-rows[:, 2], kind="stable")[:limit]]
    return ranked
