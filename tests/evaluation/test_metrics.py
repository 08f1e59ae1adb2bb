"""Both protocols against slow second implementations, worked examples and the published prior of DiDeMo."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.evaluation.metrics import didemo_scores, hits, top_ious

Span = tuple[float, float]
Clip = tuple[int, int]

CLIPS = [(first, last) for first in range(6) for last in range(first, 6)]

span = st.tuples(st.integers(0, 20), st.integers(1, 12)).map(lambda p: (p[0] / 2, (p[0] + p[1]) / 2))
queries = st.lists(
    st.tuples(st.lists(span, max_size=6), st.lists(span, min_size=1, max_size=4)), min_size=1, max_size=8
)


def slow_iou(a: Span, b: Span) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / ((a[1] - a[0]) + (b[1] - b[0]) - shared)


@given(queries, st.integers(1, 6), st.sampled_from([0.3, 0.5, 0.7, 1.0]))
def test_recall_equals_a_loop_over_queries_predictions_and_truths(
    answered: list[tuple[list[Span], list[Span]]], n: int, m: float
) -> None:
    right = 0
    for predictions, truths in answered:
        right += any(slow_iou(p, t) >= m for p in predictions[:n] for t in truths)
    predicted, true = [a for a, _ in answered], [b for _, b in answered]
    assert hits(predicted, true, n, m).sum() == right


@given(queries)
def test_the_top_iou_is_the_first_predictions_with_its_best_truth(
    answered: list[tuple[list[Span], list[Span]]],
) -> None:
    expected = [max(slow_iou(a[0], t) for t in b) if a else 0.0 for a, b in answered]
    np.testing.assert_allclose(top_ious([a for a, _ in answered], [b for _, b in answered]), expected, atol=1e-12)


def test_recall_counts_an_iou_of_exactly_m() -> None:
    assert hits([[[0, 10]], [[0, 10]]], [[[0, 5]], [[0, 4.999]]], n=1, iou=0.5).tolist() == [1.0, 0.0]


def test_recall_refuses_what_has_no_protocol() -> None:
    with pytest.raises(ValueError, match="query 1 has no truth"):
        hits([[[0, 1]], [[0, 1]]], [[[0, 1]], []], n=1, iou=0.5)
    with pytest.raises(ValueError, match="1 queries are answered and 2"):
        hits([[[0, 1]]], [[[0, 1]], [[0, 1]]], n=1, iou=0.5)
    with pytest.raises(ValueError, match="n >= 1"):
        hits([[[0, 1]]], [[[0, 1]]], n=0, iou=0.5)


def slow_didemo(ranking: list[Clip], annotations: list[Clip]) -> tuple[float, float]:
    """The protocol with sets of pieces."""

    def pieces(clip: Clip) -> set[int]:
        return set(range(clip[0], clip[1] + 1))

    top = pieces(ranking[0])
    ious = sorted((len(top & pieces(a)) / len(top | pieces(a)) for a in annotations), reverse=True)[:3]
    ranks = sorted(ranking.index(a) + 1 for a in annotations)[:3]
    return sum(ious) / len(ious), sum(ranks) / len(ranks)


@given(
    st.lists(
        st.tuples(st.permutations(CLIPS), st.lists(st.sampled_from(CLIPS), min_size=1, max_size=7)),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=50)
def test_didemo_equals_a_loop_over_sets_of_pieces(answered: list[tuple[list[Clip], list[Clip]]]) -> None:
    scores = didemo_scores([a for a, _ in answered], [b for _, b in answered])
    expected = [slow_didemo(ranking, annotations) for ranking, annotations in answered]
    np.testing.assert_allclose(scores.ious, [e[0] for e in expected])
    np.testing.assert_allclose(scores.ranks, [e[1] for e in expected])
    for k in (1, 5):
        assert scores.within(k).mean() == pytest.approx(sum(rank <= k for _, rank in expected) / len(expected))


def test_didemo_needs_three_annotators_at_the_top_for_rank_one() -> None:
    three = didemo_scores([CLIPS], [[(0, 0), (0, 0), (0, 0), (5, 5)]])
    two = didemo_scores([CLIPS], [[(0, 0), (0, 0), (0, 1), (5, 5)]])
    assert (three.within(1).tolist(), three.ious.tolist()) == ([1.0], [1.0])
    assert two.within(1).tolist() == [0.0]
    assert two.ranks.tolist() == [4 / 3]


def test_didemo_refuses_a_ranking_without_an_annotated_clip() -> None:
    with pytest.raises(ValueError, match="query 1: an annotated clip is missing"):
        didemo_scores([CLIPS, CLIPS[:3]], [[(0, 0)], [(5, 5)]])


def by_frequency(pairs: list[dict[str, Any]]) -> list[Clip]:
    """Clips by how many annotations of all pairs name them; equal counts in the order of CLIPS."""
    counts = Counter(tuple(clip) for pair in pairs for clip in pair["times"])
    return sorted(CLIPS, key=lambda clip: -counts[clip])


@pytest.mark.parametrize(
    ("evaluated", "rank_at_1", "rank_at_5", "miou"), [("test", 19.40, 68.12, 25.42), ("val", 18.68, 69.95, 25.22)]
)
def test_the_prior_fitted_on_didemos_validation_part_scores_as_published(
    shared_data: Path, evaluated: str, rank_at_1: float, rank_at_5: float, miou: float
) -> None:
    """All 21 clips are ranked for every video. Rank@1 and mIoU depend on the most frequent clip alone, (0, 0)."""
    fitted = json.loads((shared_data / "didemo" / "val_data.json").read_text())
    pairs = json.loads((shared_data / "didemo" / f"{evaluated}_data.json").read_text())
    scores = didemo_scores([by_frequency(fitted)] * len(pairs), [pair["times"] for pair in pairs])
    found = [float(own.mean()) for own in (scores.within(1), scores.within(5), scores.ious)]
    assert [round(100 * value, 2) for value in found] == [rank_at_1, rank_at_5, miou]
