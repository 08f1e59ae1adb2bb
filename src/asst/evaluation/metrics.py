"""The two protocols of moment retrieval: R@n, IoU = m (Charades-STA) and DiDeMo's three closest annotators.

Every function takes all queries at once and gives one value a query, so that the same array is averaged for the table
and resampled for its interval. Shares are in [0, 1]; a table multiplies by 100.
"""

from __future__ import annotations

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

    The comparison is ``>=`` without a tolerance, as in the protocol of CTRL that the paper follows. A query without
    predictions is a miss. Fewer than ``n`` predictions are judged as they are.

    Args:
        spans_per_query: predictions of each query, best first, each of shape ``(predictions, 2)`` in seconds.
        truths_per_query: true spans of each query, each of shape ``(truths, 2)`` in seconds; at least one.
        n: how many predictions count.
        iou: the least IoU of a hit, in (0, 1].

    Returns:
        1.0 or 0.0 a query, shape ``(queries,)``.

    Raises:
        ValueError: for lists of different lengths, a query without truth, ``n`` below 1 or ``iou`` outside (0, 1].

    >>> hits([[[0, 4], [5, 9]], [[0, 10]]], [[[5, 10]], [[6, 10]]], n=2, iou=0.5).tolist()
    [1.0, 0.0]
    """
    if n < 1 or not 0 < iou <= 1:
        raise ValueError(f"R@n, IoU=m needs n >= 1 and 0 < m <= 1, not n={n} and m={iou}")
    pairs = _pairs(spans_per_query, truths_per_query)
    return np.array([float((agreement(spans[:n], truths) >= iou).any()) for spans, truths in pairs], dtype=np.float64)


def recall_at(
    spans_per_query: Sequence[npt.ArrayLike], truths_per_query: Sequence[npt.ArrayLike], n: int, iou: float
) -> float:
    """R@n, IoU = m of Charades-STA: the mean of `hits`, whose arguments and errors it shares.

    Raises:
        ValueError: also if there is no query at all.

    >>> recall_at([[[0, 4], [5, 9]], [[0, 10]]], [[[5, 10]], [[6, 10]]], n=1, iou=0.4)
    0.5
    """
    return _mean(hits(spans_per_query, truths_per_query, n, iou))


def top_ious(spans_per_query: Sequence[npt.ArrayLike], truths_per_query: Sequence[npt.ArrayLike]) -> FloatArray:
    """The IoU of each query's first span with the truth it fits best; zero where nothing is predicted.

    Arguments and errors are those of `hits`.

    >>> top_ious([[[0, 4]], []], [[[5, 10], [2, 4]], [[0, 1]]]).tolist()
    [0.5, 0.0]
    """
    pairs = _pairs(spans_per_query, truths_per_query)
    return np.array([agreement(spans[:1], truths).max(initial=0.0) for spans, truths in pairs], dtype=np.float64)


def mean_iou(spans_per_query: Sequence[npt.ArrayLike], truths_per_query: Sequence[npt.ArrayLike]) -> float:
    """MIoU of a ranking: the mean of `top_ious`.

    >>> mean_iou([[[0, 4]], []], [[[5, 10], [2, 4]], [[0, 1]]])
    0.25
    """
    return _mean(top_ious(spans_per_query, truths_per_query))


@dataclass(frozen=True, slots=True, eq=False)
class DidemoScores:
    """What DiDeMo's protocol gives each query.

    Attributes:
        ious: mean IoU of the top clip with the three annotations closest to it, shape ``(queries,)``.
        ranks: mean of the three best ranks that annotations have in the ranking, shape ``(queries,)``.
    """

    ious: FloatArray
    ranks: FloatArray

    def within(self, k: int) -> FloatArray:
        """1.0 for a query whose mean rank is at most ``k``, else 0.0; shape ``(queries,)``."""
        return (self.ranks <= k).astype(np.float64)

    def rank_at(self, k: int) -> float:
        """Rank@k: the share of queries whose mean rank is at most ``k``."""
        return _mean(self.within(k))

    @property
    def mean_iou(self) -> float:
        """MIoU: the mean of ``ious``."""
        return _mean(self.ious)


def didemo_scores(rankings: Sequence[npt.ArrayLike], annotations: Sequence[npt.ArrayLike]) -> DidemoScores:
    """DiDeMo's protocol, the one of the data set's evaluation script.

    A clip is a pair ``(i, j)`` of piece indices, both inclusive, so that ``(2, 2)`` is one piece of five seconds. The
    IoU counts pieces. Of a query's four or more annotations the three nearest count: the three largest IoUs with the
    top clip, and, independently of those, the three smallest ranks. Two annotators on one clip both count. Where
    there are fewer than three annotations all of them count.

    Args:
        rankings: every candidate clip of each query, best first, each of shape ``(clips, 2)``. It must hold each
            annotated clip.
        annotations: the annotated clips of each query, each of shape ``(annotators, 2)``.

    Returns:
        One mean IoU and one mean rank a query.

    Raises:
        ValueError: for lists of different lengths, a query without annotation, or an annotated clip not ranked.

    >>> scores = didemo_scores([[[0, 0], [1, 1], [0, 1]]], [[[0, 0], [0, 0], [0, 1], [1, 1]]])
    >>> scores.ious.round(3).tolist(), scores.ranks.round(3).tolist(), scores.rank_at(1), scores.rank_at(5)
    ([0.833], [1.333], 0.0, 1.0)
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


def _mean(values: FloatArray) -> float:
    if not values.size:
        raise ValueError("no query to evaluate")
    return float(values.mean())
