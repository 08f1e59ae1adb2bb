"""Mean average precision of labelled spans: THUMOS14's protocol and ActivityNet's.

Both match detections with truths one to one and rank all detections of a class, over all videos, by score. They differ
in three things:

THUMOS14 (its evaluation kit)
    Each truth in turn takes the free detection of its video that overlaps it most, if their IoU *exceeds* the
    threshold. A detection left over that touches an ambiguous stretch counts neither way. The average precision is the
    mean over truths of the precision at the detection that found each, zero for one that was missed; the kit calls it
    interpolated.
ActivityNet
    Each detection in turn, best first, takes the free truth that it overlaps most, if their IoU *reaches* the
    threshold. Nothing is ignored. The precision is first raised to the best at any higher recall.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.moments import FloatArray, IntArray, iou

BoolArray = npt.NDArray[np.bool_]
Matching = Callable[[FloatArray, FloatArray, Sequence[float]], BoolArray]


@dataclass(frozen=True, slots=True, eq=False)
class VideoCase:
    """What is true and what was found of one class in one video; spans in seconds, ``(n, 2)``.

    ``ignored`` stretches are neither right nor wrong.
    """

    truths: FloatArray
    spans: FloatArray
    scores: FloatArray
    ignored: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ClassCurve:
    """The detections of one class that count, over all videos, best first.

    ``right`` says whether each found a truth, at each IoU, and ``wrong`` whether it counts against the class, both
    ``(thresholds, detections)``; ``video`` is the index of each one's video, ``truths`` counts those of each video.
    """

    right: BoolArray
    wrong: BoolArray
    video: IntArray
    truths: IntArray


def match_by_truth(overlap: FloatArray, scores: FloatArray, ious: Sequence[float]) -> BoolArray:
    """THUMOS14's matching: whether each detection found a truth, shape ``(thresholds, detections)``.

    ``overlap`` is the IoU of each truth with each detection, ``(truths, detections)``; of two that overlap a truth
    alike the one with the better score is taken. The thresholds ``ious`` are to be exceeded.

    >>> match_by_truth(np.array([[0.6, 0.9], [0.6, 0.5]]), np.array([0.9, 0.8]), [0.5]).tolist()
    [[True, True]]
    """
    limits = np.asarray(ious, dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    ranked = overlap[:, order]
    found = np.zeros((len(limits), overlap.shape[1]), dtype=bool)
    rows = np.arange(len(limits))
    for own in ranked if ranked.shape[1] else ():
        free = np.where(found, -1.0, own)
        best = free.argmax(axis=1)
        found[rows, best] |= free[rows, best] > limits
    placed = np.zeros_like(found)
    placed[:, order] = found
    return placed


def match_by_detection(overlap: FloatArray, scores: FloatArray, ious: Sequence[float]) -> BoolArray:
    """ActivityNet's matching; arguments and result are those of `match_by_truth`, thresholds are to be reached.

    >>> match_by_detection(np.array([[0.9, 0.6]]), np.array([0.5, 0.8]), [0.5, 0.7]).tolist()
    [[False, True], [True, False]]
    """
    limits = np.asarray(ious, dtype=np.float64)
    taken = np.zeros((len(limits), overlap.shape[0]), dtype=bool)
    found = np.zeros((len(limits), overlap.shape[1]), dtype=bool)
    rows = np.arange(len(limits))
    reaching = overlap.max(axis=0, initial=0.0) >= limits.min()
    for detection in np.argsort(-scores, kind="stable"):
        if not reaching[detection]:
            continue
        free = np.where(taken, -1.0, overlap[:, detection])
        best = free.argmax(axis=1)
        hit = free[rows, best] >= limits
        taken[rows[hit], best[hit]] = True
        found[hit, detection] = True
    return found


def class_curve(cases: Sequence[VideoCase], ious: Sequence[float], matching: Matching) -> ClassCurve:
    """Matches the detections of one class in every video, a case each, and ranks them; a ValueError without a truth."""
    truths = np.array([len(case.truths) for case in cases], dtype=np.int64)
    if not truths.sum():
        raise ValueError("a class without a truth has no average precision")
    right, wrong, scores = [], [], []
    for case in cases:
        found = matching(iou(case.truths, case.spans), case.scores, ious)
        touched = iou(case.ignored, case.spans).any(axis=0)
        right.append(found)
        wrong.append(~found & ~touched)
        scores.append(case.scores)
    together = np.concatenate(scores)
    order = np.argsort(-together, kind="stable")
    video = np.repeat(np.arange(len(cases)), [len(own) for own in scores])
    return ClassCurve(
        np.concatenate(right, axis=1)[:, order], np.concatenate(wrong, axis=1)[:, order], video[order], truths
    )


def average_precisions(curve: ClassCurve, *, envelope: bool, weights: npt.ArrayLike | None = None) -> FloatArray:
    """The average precision of a class at each IoU; in [0, 1], ``(draws, thresholds)``, NaN for a draw without truth.

    With ``envelope`` each precision is raised to the best at any higher recall (ActivityNet), else it stands as it is
    (THUMOS14). ``weights`` say how often each video counts, ``(draws, videos)`` for a bootstrap, once each if None. One
    that counts several times is as so many videos that are alike.

    >>> case = VideoCase(np.array([[0., 10.], [20., 30.]]), np.array([[0., 9.], [40., 50.], [21., 30.]]),
    ...                  np.array([0.9, 0.8, 0.7]), np.zeros((0, 2)))
    >>> curve = class_curve([case], [0.5], match_by_truth)
    >>> average_precisions(curve, envelope=False).round(4).tolist()  # (1/1 + 2/3) / 2
    [[0.8333]]
    """
    counts = np.ones((1, len(curve.truths)), np.int64) if weights is None else np.asarray(weights, dtype=np.int64)
    own = counts[:, curve.video]
    positives = counts @ curve.truths
    result = np.zeros((len(counts), len(curve.right)))
    for place, (right, wrong) in enumerate(zip(curve.right, curve.wrong, strict=True)):
        counted = np.flatnonzero(right | wrong)
        weight, hit = own[:, counted], np.flatnonzero(right[counted])
        seen = np.cumsum(weight, axis=1)
        missed = np.cumsum(np.where(right[counted], 0, weight), axis=1)
        total = _enveloped if envelope else _as_they_stand
        result[:, place] = total(weight[:, hit], seen[:, hit], missed[:, hit])
    share: FloatArray = np.full_like(result, np.nan)
    np.divide(result, positives[:, None], out=share, where=positives[:, None] > 0)
    return share


def _as_they_stand(weight: IntArray, seen: IntArray, missed: IntArray) -> FloatArray:
    """The sum of the precisions at all hits of each draw, shape ``(draws,)``.

    A video that is drawn several times has each detection as often, one rank after the other: after ``s`` ranks with
    ``m`` misses the precisions at the ``w`` copies of a hit are ``1 - m / (s + 1)`` to ``1 - m / (s + w)``. ``weight``
    is how often each hit is there, best first, ``seen`` ranks up to its last copy, ``missed`` wrong ones among them,
    ``(draws, hits)``.
    """
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, seen.max(initial=0) + 1))])
    total: FloatArray = (weight - missed * (harmonic[seen] - harmonic[seen - weight])).sum(axis=1)
    return total


def _enveloped(weight: IntArray, seen: IntArray, missed: IntArray) -> FloatArray:
    """As `_as_they_stand`, each precision raised to the best at any later rank.

    Among the copies of a hit precision rises, so that they are all as precise as the last.
    """
    precision = np.divide(seen - missed, seen, out=np.zeros(seen.shape), where=seen > 0)
    raised = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    total: FloatArray = (weight * raised).sum(axis=1)
    return total
