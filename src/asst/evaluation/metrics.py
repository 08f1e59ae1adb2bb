"""The protocols of moment retrieval: R@n, IoU = m (Charades-STA), plain or discounted, and DiDeMo's three annotators.

Every function takes all queries at once and gives one value a query, so that the same array is averaged for the table
and resampled for its interval. Shares are in [0, 1]; a table multiplies by 100.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.moments import FloatArray
from asst.moments import iou as agreement

CLOSEST_ANNOTATORS = 3


def hits(
    spans_per_query: Sequence[npt.ArrayLike], truths_per_query: Sequence[npt.ArrayLike], n: int, iou: float
) -> FloatArray:
    """Whether one of the first ``n`` spans of each query reaches an IoU of ``iou`` with any truth.

    1.0 or 0.0, ``(queries,)``. The comparison is ``>=`` without a tolerance, as in the protocol of CTRL that the paper
    follows. A query without predictions is a miss. Fewer than ``n`` predictions are judged as they are. Spans are in
    seconds, ``(predictions, 2)`` and ``(truths, 2)`` a query, predictions best first, truths at least one. Raises a
    ValueError for lists of different lengths, a query without truth, ``n`` below 1 or ``iou`` outside (0, 1].

    >>> hits([[[0, 4], [5, 9]], [[0, 10]]], [[[5, 10]], [[6, 10]]], n=2, iou=0.5).tolist()
    [1.0, 0.0]
    """
    return discounted_hits(spans_per_query, truths_per_query, [math.inf] * len(spans_per_query), n, iou)


def discounted_hits(
    spans_per_query: Sequence[npt.ArrayLike],
    truths_per_query: Sequence[npt.ArrayLike],
    durations_s: Sequence[float],
    n: int,
    iou: float,
) -> FloatArray:
    """`hits` discounted by how far both ends are off: the dR@n, IoU = m of Yuan et al. (2021), in [0, 1].

    A hit counts ``(1 - |start - true start|) * (1 - |end - true end|)`` with times as shares of the video, so that a
    long span which barely hits a long moment counts for less. Of several hits among the first ``n`` the best one
    counts, which is our reading where the paper speaks of one. ``durations_s`` are the lengths of the queries' videos.

    >>> discounted_hits([[[0, 8]]], [[[2, 8]]], [10], n=1, iou=0.5).round(3).tolist()
    [0.8]
    """
    if n < 1 or not 0 < iou <= 1:
        raise ValueError(f"R@n, IoU=m needs n >= 1 and 0 < m <= 1, not n={n} and m={iou}")
    values = []
    for (spans, truths), duration_s in zip(_pairs(spans_per_query, truths_per_query), durations_s, strict=True):
        off = np.abs(spans[:n, None] - truths[None]) / duration_s
        kept = (1 - off).clip(min=0).prod(axis=2)
        values.append(np.where(agreement(spans[:n], truths) >= iou, kept, 0.0).max(initial=0.0))
    return np.array(values, dtype=np.float64)


def top_ious(spans_per_query: Sequence[npt.ArrayLike], truths_per_query: Sequence[npt.ArrayLike]) -> FloatArray:
    """The IoU of each query's first span with the truth it fits best; zero where nothing is predicted.

    >>> top_ious([[[0, 4]], []], [[[5, 10], [2, 4]], [[0, 1]]]).tolist()
    [0.5, 0.0]
    """
    pairs = _pairs(spans_per_query, truths_per_query)
    return np.array([agreement(spans[:1], truths).max(initial=0.0) for spans, truths in pairs], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class DidemoScores:
    """What DiDeMo's protocol gives each query."""

    ious: FloatArray
    """Mean IoU of the top clip with the three annotations closest to it, shape ``(queries,)``."""
    ranks: FloatArray
    """Mean of the three best ranks that annotations have in the ranking, shape ``(queries,)``."""

    def within(self, k: int) -> FloatArray:
        """1.0 for a query whose mean rank is at most ``k``, else 0.0; shape ``(queries,)``."""
        return (self.ranks <= k).astype(np.float64)


def didemo_scores(rankings: Sequence[npt.ArrayLike], annotations: Sequence[npt.ArrayLike]) -> DidemoScores:
    """DiDeMo's protocol, the one of the data set's evaluation script: one mean IoU and one mean rank a query.

    A clip is a pair ``(i, j)`` of piece indices, both inclusive, so that ``(2, 2)`` is one piece of five seconds. The
    IoU counts pieces. Of a query's four or more annotations the three nearest count: the three largest IoUs with the
    top clip, and, independently of those, the three smallest ranks. Two annotators on one clip both count. Where there
    are fewer than three annotations all of them count. ``rankings`` hold every candidate clip of each query, best
    first, ``(clips, 2)``, and ``annotations`` are ``(annotators, 2)``. Raises a ValueError for lists of different
    lengths, a query without annotation, or an annotated clip not ranked.

    >>> scores = didemo_scores([[[0, 0], [1, 1], [0, 1]]], [[[0, 0], [0, 0], [0, 1], [1, 1]]])
    >>> scores.ious.round(3).tolist(), scores.ranks.round(3).tolist(), scores.within(1).tolist()
    ([0.833], [1.333], [0.0])
    """
    ious, ranks = [], []
    for query, (ranking, clips) in enumerate(_pairs(rankings, annotations)):
        same = (ranking[None] == clips[:, None]).all(axis=-1)
        if not same.any(axis=1).all():
            raise ValueError(f"query {query}: an annotated clip is missing from its ranking of {len(ranking)} clips")
        overlaps = np.sort(agreement(_in_pieces(ranking[:1]), _in_pieces(clips))[0])
        ious.append(overlaps[-CLOSEST_ANNOTATORS:].mean())
        ranks.append(np.sort(same.argmax(axis=1) + 1)[:CLOSEST_ANNOTATORS].mean())
    return DidemoScores(np.array(ious, dtype=np.float64), np.array(ranks, dtype=np.float64))


def _in_pieces(clips: FloatArray) -> FloatArray:
    """Clips with inclusive ends as spans that end where the next piece starts."""
    return np.stack([clips[:, 0], clips[:, 1] + 1], axis=1)


def _pairs(
    predictions: Sequence[npt.ArrayLike], truths: Sequence[npt.ArrayLike]
) -> list[tuple[FloatArray, FloatArray]]:
    """Each query's predictions and truths as arrays of shape ``(n, 2)``."""
    if len(predictions) != len(truths):
        raise ValueError(f"{len(predictions)} queries are answered and {len(truths)} have a truth; they must agree")
    pairs = []
    for query, (answer, truth) in enumerate(zip(predictions, truths, strict=True)):
        expected = np.asarray(truth, dtype=np.float64).reshape(-1, 2)
        if not len(expected):
            raise ValueError(f"query {query} has no truth; leave it out of the evaluation")
        pairs.append((np.asarray(answer, dtype=np.float64).reshape(-1, 2), expected))
    return pairs
