"""QVHighlights' own metrics (Lei et al. 2021), as its kit defines them: average precision a query, and HIT@1.

A query has several moments, and each clip of two seconds inside them has a score of 0 to 4 from three annotators.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asst.data.readers.qvhighlights import SALIENCY
from asst.data.record import Record
from asst.evaluation.detection_metrics import VideoCase, average_precisions, class_curve, match_by_detection
from asst.moments import Curve, FloatArray

CLIP_S = 2.0
VERY_GOOD = 4
"""The least score of a highlight."""
_IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
_LENGTHS_S = {"short": (0.0, 10.0), "middle": (10.0, 30.0), "long": (30.0, 150.0)}
_MOST = 10
_ANNOTATORS = 3


def moment_precisions(
    spans_per_query: Sequence[FloatArray], truths_per_query: Sequence[FloatArray]
) -> dict[str, FloatArray]:
    """The average precision of each query's ten best spans: ``map`` over IoU 0.5 to 0.95, at 0.5, and at 0.75.

    Each span in turn, best first, takes the free truth that it overlaps most, if their IoU reaches the threshold; the
    precision is raised to the best at any higher recall. ``map,short``, ``map,middle`` and ``map,long`` count the
    truths of up to 10 s, 30 s and 150 s alone: NaN for a query without one, and left out where no query has one. Spans
    are in seconds, ``(n, 2)`` a query, best first; the values are in [0, 1], ``(queries,)``.

    >>> found = moment_precisions([np.array([[0.0, 9.0], [20.0, 30.0]])], [np.array([[0.0, 10.0], [40.0, 55.0]])])
    >>> {key: own.round(3).tolist() for key, own in found.items()}
    {'map': [0.45], 'map,iou=0.5': [0.5], 'map,iou=0.75': [0.5], 'map,short': [0.9], 'map,middle': [0.0]}
    """
    pairs = [*zip(spans_per_query, truths_per_query, strict=True)]
    found = np.array([_precisions(spans, truths) for spans, truths in pairs])
    values = {"map": found.mean(axis=1), **{f"map,iou={iou}": found[:, _IOUS.index(iou)] for iou in (0.5, 0.75)}}
    for name, (above, most) in _LENGTHS_S.items():
        own = [truths[(above < np.ptp(truths, axis=1)) & (np.ptp(truths, axis=1) <= most)] for _, truths in pairs]
        judged = [
            _precisions(spans, few).mean() if len(few) else np.nan for (spans, _), few in zip(pairs, own, strict=True)
        ]
        if not np.isnan(judged).all():
            values[f"map,{name}"] = np.array(judged)
    return values


def _precisions(spans: FloatArray, truths: FloatArray) -> FloatArray:
    """At each IoU, of one query."""
    best = spans[:_MOST]
    case = VideoCase(truths, best, -np.arange(len(best), dtype=np.float64), np.zeros((0, 2)))
    found: FloatArray = average_precisions(class_curve([case], _IOUS, match_by_detection), envelope=True)[0]
    return found


def highlight_values(records: Sequence[Record], saliency: Sequence[Curve]) -> dict[str, FloatArray]:
    """Of the predicted score of each clip: ``hl-map``, the mean over annotators, and ``hit@1``, for any of them.

    A highlight is a clip that an annotator gave the highest score, as `SALIENCY` in ``extra`` says; the predicted
    scores are of clips from the video's start on. In [0, 1], ``(queries,)``. Raises a ValueError for a record without
    scores, or with scores of clips that its video has not.
    """
    precision, hit = np.zeros(len(records)), np.zeros(len(records))
    for query, (record, curve) in enumerate(zip(records, saliency, strict=True)):
        truth = _highlights(record)
        best = int(curve.scores.argmax())
        hit[query] = best < len(truth) and truth[best].any()
        scores = np.zeros(len(truth))
        scores[: curve.scores.size] = curve.scores[: len(truth)]
        precision[query] = np.mean([_clip_precision(own, scores) for own in truth.T])
    return {"hl-map": precision, "hit@1": hit}


def _highlights(record: Record) -> FloatArray:
    """Which clips are highlights by each annotator, shape ``(clips, annotators)``."""
    if not all(key in record.extra for key in SALIENCY):
        raise ValueError(f"record {record.id} has no scores of clips; saliency cannot be judged")
    clips, scores = (np.array(record.extra[key]) for key in SALIENCY)
    truth = np.zeros((int(record.duration_s / CLIP_S), _ANNOTATORS))
    if scores.shape != (len(clips), _ANNOTATORS) or clips.max() >= len(truth):
        raise ValueError(f"record {record.id}: {scores.shape} scores of {len(clips)} clips in {len(truth)}")
    truth[clips] = scores >= VERY_GOOD
    return truth


def _clip_precision(truth: FloatArray, scores: FloatArray) -> float:
    """The mean, over the recalls reached, of the best precision at that or a higher one; equals go together."""
    if truth.all() or not truth.any():
        return float(truth.any())
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=np.nan))
    right = truth[order].cumsum()[last]
    raised = np.maximum.accumulate((right / (last + 1))[::-1])[::-1]
    return float(raised[np.diff(right, prepend=0) > 0].mean())
