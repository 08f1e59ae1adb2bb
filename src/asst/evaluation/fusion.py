"""Late fusion (section 4.4.1): the weighted sum of several systems' scores of the same candidates.

The paper fuses RGB : flow : two-stream by 1 : 2 : 2.3, weights that it selected by cross-validation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.bootstrap import Interval, bootstrap_interval
from asst.evaluation.matching import Pair, answers_of, by_pair, named, pair_of, spans_of
from asst.evaluation.protocol import protocol_of
from asst.moments import Answer, FloatArray, IntArray, Moment

_FINEST = 20
_MOST_POINTS = 100
_MICROSECONDS = 6


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """What the search for weights found: one a system, summing to 1, the best on all queries by ``metric``.

    ``cross_validated`` is its mean when each query is judged with weights chosen on the other folds, ``alone`` that of
    each system by itself; shares in [0, 1].
    """

    weights: tuple[float, ...]
    metric: str
    cross_validated: Interval
    alone: tuple[float, ...]
    queries: int


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """One sentence's candidates in the first system's order: spans, ``(n, 2)``, and every system's scores."""

    answer: Answer
    spans: FloatArray
    scores: FloatArray

    def order(self, weights: FloatArray) -> IntArray:
        """Candidates by their fused score, best first; equal ones as the first system has them."""
        return np.argsort(-(weights @ self.scores), kind="stable").astype(np.int64)


def fuse(systems: Sequence[Iterable[Answer]], weights: Sequence[float]) -> list[Answer]:
    """The systems' answers as one: each candidate's score is the weighted sum of the scores that they give it.

    All are about the same sentences, with the same spans for a sentence; there is one weight a system, not negative,
    and their ratio alone decides the order. There is one answer a sentence in the first system's order, its moments
    best first. Raises an `InputError` for sentences or spans that differ, a weight that is no weight, or another number
    of them.
    """
    if len(weights) != len(systems):
        raise InputError(f"{len(systems)} predictions to fuse and {len(weights)} weights; give one each")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
        raise InputError(f"weights are finite, 0 or more and not all 0, not {' '.join(f'{w:g}' for w in weights)}")
    factors = np.array(weights, dtype=np.float64)
    return [_fused(candidates, factors) for candidates in _aligned(systems).values()]


def fit_weights(
    dataset: str, records: Sequence[Record], systems: Sequence[Iterable[Answer]], folds: int = 5, seed: int = 0
) -> FittedWeights:
    """Searches a grid for the weights with the best headline metric, and says by cross-validation what they are worth.

    The grid holds weights that sum to 1, in steps of 0.05 for two systems and coarser ones for more, each system alone
    included. Of equally good weights the most even are taken. A fold is a set of videos; there are no more ``folds``
    than videos. ``records`` are all of a validation split. Raises an `InputError` as `fuse` and `evaluate`, for a
    single system, or a single video.
    """
    if len(systems) < 2:
        raise InputError("weights are fitted for two systems or more; name another file of predictions")
    protocol = protocol_of(dataset)
    aligned = _aligned(systems)
    answers_of(records, [candidates.answer for candidates in aligned.values()])
    asked = [aligned[pair_of(record.video, record.sentence)] for record in records]
    grid = _grid(len(systems))
    ranked = ([own.spans[own.order(weights)] for own in asked] for weights in grid)
    values = np.stack([protocol.values(records, rankings)[protocol.headline] for rankings in ranked])
    videos = [record.video for record in records]
    fold_of = _folds(videos, folds, seed)
    held_out = np.empty(len(records), dtype=np.float64)
    for fold in np.unique(fold_of):
        best = values[:, fold_of != fold].mean(axis=1).argmax()
        held_out[fold_of == fold] = values[best, fold_of == fold]
    means = values.mean(axis=1)
    singles = [int((grid[:, system] == 1).argmax()) for system in range(len(systems))]
    return FittedWeights(
        weights=tuple(grid[means.argmax()].tolist()),
        metric=protocol.headline,
        cross_validated=bootstrap_interval(held_out, videos),
        alone=tuple(means[singles].tolist()),
        queries=len(records),
    )


def _aligned(systems: Sequence[Iterable[Answer]]) -> dict[Pair, _Candidates]:
    """Each sentence's candidates with all systems' scores, in the first system's order."""
    first, *others = (by_pair(answers) for answers in systems)
    for number, other in enumerate(others, start=2):
        if different := [*(first.keys() - other.keys()), *(other.keys() - first.keys())]:
            raise InputError(
                f"predictions 1 and {number} are not about the same sentences: one of them lacks "
                f"{named(sorted(different))}"
            )
    aligned = {}
    for pair, answer in first.items():
        places = _places(answer)
        rows = [[moment.score for moment in answer.ranked]]
        for number, other in enumerate(others, start=2):
            theirs = _places(other[pair])
            if theirs.keys() != places.keys() or len(places) != len(answer.ranked):
                raise InputError(
                    f"{pair[0]} {pair[1]!r}: predictions 1 and {number} have different spans; "
                    "only scores of the same candidates can be fused"
                )
            rows.append([theirs[place].score for place in places])
        aligned[pair] = _Candidates(answer, spans_of(answer), np.array(rows, dtype=np.float64))
    return aligned


def _places(answer: Answer) -> dict[tuple[float, float, str | None], Moment]:
    """An answer's moments by span, to the microsecond, and label."""
    return {
        (round(moment.start_s, _MICROSECONDS), round(moment.end_s, _MICROSECONDS), moment.label): moment
        for moment in answer.ranked
    }


def _fused(candidates: _Candidates, weights: FloatArray) -> Answer:
    scores = weights @ candidates.scores
    moments = candidates.answer.ranked
    ranked = tuple(replace(moments[place], score=float(scores[place])) for place in candidates.order(weights))
    return replace(
        candidates.answer, model="fusion", moments=ranked, weaker=(), curve=None, threshold=None, best_score=None
    )


def _grid(systems: int) -> FloatArray:
    """Weights that sum to 1, the most even first, shape ``(points, systems)``."""
    parts = next(p for p in range(_FINEST, 0, -1) if math.comb(p + systems - 1, systems - 1) <= _MOST_POINTS or p == 1)
    # Bars between stars: every way to deal the parts to the systems.
    bars = combinations(range(parts + systems - 1), systems - 1)
    dealt = np.array([np.diff([-1, *places, parts + systems - 1]) - 1 for places in bars], dtype=np.float64) / parts
    return dealt[np.argsort((dealt**2).sum(axis=1), kind="stable")]


def _folds(videos: Sequence[str], folds: int, seed: int) -> IntArray:
    """The fold of each query, the same for all of a video."""
    names, video_of = np.unique(videos, return_inverse=True)
    if folds < 2 or len(names) < 2:
        raise InputError(f"cross-validation needs two folds and two videos, not {folds} and {len(names)}")
    dealt = np.random.default_rng(seed).permutation(len(names)) % folds
    return dealt[video_of].astype(np.int64)
