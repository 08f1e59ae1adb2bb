"""Retrieval against a second, slow implementation."""

from __future__ import annotations

import numpy as np
import pytest

from asst.evaluation.bootstrap import bootstrap_median
from asst.evaluation.retrieval import retrieval_ranks


def slow_ranks(similarity: np.ndarray, own: list[int]) -> tuple[list[float], list[float]]:
    """Ranks by going through every list."""

    def rank(mine: float, others: list[float]) -> float:
        return 1 + sum(other > mine for other in others) + sum(other == mine for other in others) / 2

    sentences, pictures = similarity.shape
    found = [
        rank(similarity[s, own[s]], [similarity[s, p] for p in range(pictures) if p != own[s]])
        for s in range(sentences)
    ]
    finding = [
        rank(
            max(similarity[s, p] for s in range(sentences) if own[s] == p),
            [similarity[s, p] for s in range(sentences) if own[s] != p],
        )
        for p in range(pictures)
    ]
    return found, finding


@pytest.mark.parametrize("seed", range(4))
def test_both_ways_agree_with_going_through_every_list(seed: int) -> None:
    random = np.random.default_rng(seed)
    own = [*range(7), *random.integers(7, size=11).tolist()]
    # Few values, so that there are equals.
    similarity = random.integers(6, size=(len(own), 7)).astype(np.float32)
    ranks = retrieval_ranks(similarity, own)
    found, finding = slow_ranks(similarity, own)
    assert ranks["pictures"].ranks.tolist() == found
    assert ranks["sentences"].ranks.tolist() == finding
    metrics = ranks["pictures"].metrics()
    assert metrics["r@5"] == pytest.approx(100 * sum(rank <= 5 for rank in found) / len(found))
    assert metrics["median"] == sorted(found)[len(found) // 2 - 1 : len(found) // 2 + 1][0] / 2 + sorted(found)[9] / 2


def test_what_tells_nothing_apart_is_no_better_than_chance() -> None:
    ranks = retrieval_ranks(np.zeros((40, 40)), range(40))
    assert ranks["pictures"].metrics() == {"r@1": 0, "r@5": 0, "r@10": 0, "median": 20.5}


def test_intervals_are_over_pictures_and_hold_the_figures() -> None:
    random = np.random.default_rng(3)
    own = np.repeat(np.arange(30), 5)
    similarity = random.normal(size=(150, 30)) + 1.5 * (own[:, None] == np.arange(30))
    # All sentences of a picture are alike: they are no five draws.
    similarity = similarity[::5].repeat(5, axis=0)
    ranks = retrieval_ranks(similarity, own)
    wide, metrics = ranks["pictures"].intervals(), ranks["pictures"].metrics()
    for name, interval in wide.items():
        assert interval.mean == pytest.approx(metrics[name])
        assert interval.low <= interval.mean <= interval.high
    share = metrics["r@1"] / 100
    assert wide["r@1"].high - wide["r@1"].low == pytest.approx(4 * 100 * np.sqrt(share * (1 - share) / 30), rel=0.3)


def test_a_median_is_resampled_by_whole_groups() -> None:
    random = np.random.default_rng(0)
    values, groups = random.integers(1, 20, size=60), random.integers(12, size=60)
    interval = bootstrap_median(values, groups, draws=300, seed=5)
    again = np.random.default_rng(5)
    names = np.unique(groups)
    slow = [
        np.median(np.concatenate([values[groups == names[k]] for k in again.integers(len(names), size=len(names))]))
        for _ in range(300)
    ]
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])))
    assert interval.mean == np.median(values)


@pytest.mark.parametrize(
    ("similarity", "own"), [([[0.5, 0.1]], [0]), ([[np.nan]], [0]), ([[0.1]], [0, 0]), ([0.1], [0])]
)
def test_what_is_no_retrieval_is_refused(similarity: list[list[float]], own: list[int]) -> None:
    with pytest.raises(ValueError, match="pictur"):
        retrieval_ranks(similarity, own)
