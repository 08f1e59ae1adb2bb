"""Bootstrap intervals against a loop over draws, exact enumeration and their own promises."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from asst.evaluation.bootstrap import bootstrap_interval, bootstrap_runs


def test_the_ends_are_those_of_all_possible_draws() -> None:
    """Three groups have 27 equally likely draws; their exact quantiles are what many random draws approach."""
    groups = {"a": [1.0, 0.0], "b": [0.2], "c": [0.9, 0.8, 0.4]}
    means = [np.mean([v for name in draw for v in groups[name]]) for draw in itertools.product(groups, repeat=3)]
    values = [v for members in groups.values() for v in members]
    names = [name for name, members in groups.items() for _ in members]
    interval = bootstrap_interval(values, names, level=0.8, draws=60_000)
    assert interval.mean == pytest.approx(np.mean(values))
    assert interval.low == pytest.approx(np.quantile(means, 0.1, method="inverted_cdf"), abs=1e-9)
    assert interval.high == pytest.approx(np.quantile(means, 0.9, method="inverted_cdf"), abs=1e-9)


def test_queries_of_one_video_are_drawn_together() -> None:
    """Copying every query ten times adds no evidence, so the interval stays as wide."""
    random = np.random.default_rng(1)
    values, videos = random.random(40), np.arange(40)
    alone = bootstrap_interval(values, videos, seed=3)
    copied = bootstrap_interval(np.repeat(values, 10), np.repeat(videos, 10), seed=3)
    mistaken = bootstrap_interval(np.repeat(values, 10), np.arange(400), seed=3)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))
    assert mistaken.high - mistaken.low < 0.5 * (alone.high - alone.low)


def test_the_width_is_that_of_the_normal_approximation() -> None:
    values = np.random.default_rng(2).random(2000) < 0.3
    interval = bootstrap_interval(values, np.arange(2000), draws=4000)
    deviation = 1.96 * math.sqrt(0.3 * 0.7 / 2000)
    assert interval.high - interval.low == pytest.approx(2 * deviation, rel=0.08)


def test_the_order_of_queries_does_not_matter_and_the_seed_decides() -> None:
    random = np.random.default_rng(4)
    values, videos = random.random(30), np.array([f"v{i // 3}" for i in range(30)])
    order = random.permutation(30)
    assert bootstrap_interval(values, videos).low == pytest.approx(bootstrap_interval(values[order], videos[order]).low)
    assert bootstrap_interval(values, videos, seed=0) != bootstrap_interval(values, videos, seed=1)


def test_many_groups_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values, videos = np.arange(50.0), np.arange(50)
    whole = bootstrap_interval(values, videos, draws=101)
    monkeypatch.setattr("asst.evaluation.bootstrap.BLOCK", 120)
    assert bootstrap_interval(values, videos, draws=101) == whole


def test_one_group_has_no_interval() -> None:
    interval = bootstrap_interval([0.0, 1.0], ["a", "a"])
    assert interval.mean == 0.5
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.parametrize(
    ("values", "groups", "message"),
    [([], [], "one value"), ([1.0], ["a", "b"], "one value"), ([math.nan, 1.0], ["a", "b"], "not finite")],
)
def test_bad_values_are_refused(values: list[float], groups: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(values, groups)


def test_runs_are_drawn_beside_videos_and_a_paired_difference_has_the_spread_of_the_difference_alone() -> None:
    random = np.random.default_rng(3)
    videos = np.repeat(np.arange(60), 3)
    hard = random.uniform(size=len(videos))
    one, plain = bootstrap_runs([hard], videos), bootstrap_interval(hard, videos)
    assert one.mean == plain.mean
    assert (one.low, one.high) == pytest.approx((plain.low, plain.high), abs=0.01)
    unlike = bootstrap_runs([hard - 0.3, hard, hard + 0.3], videos)
    assert unlike.high - unlike.low > 3 * (one.high - one.low)
    ahead = bootstrap_runs([hard + 0.1, hard + 0.1], videos, [hard])
    assert (ahead.mean, ahead.low, ahead.high) == pytest.approx((0.1, 0.1, 0.1))
    assert np.isnan(bootstrap_runs([hard], np.zeros(len(hard))).low)
    with pytest.raises(ValueError, match="one value and one group"):
        bootstrap_runs([hard], videos, [hard[1:]])
