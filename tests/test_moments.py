"""Moments: arithmetic on spans against worked examples and slow references."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.moments import Moment, anchor_grid, best_around, format_time, iou, nms

spans = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0.01, 50)).map(lambda p: (p[0], p[0] + p[1])), min_size=1, max_size=12
)


def slow_iou(a: tuple[float, float], b: tuple[float, float]) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / ((a[1] - a[0]) + (b[1] - b[0]) - shared)


@given(spans, spans)
def test_iou_equals_the_pairwise_definition(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> None:
    expected = [[slow_iou(x, y) for y in b] for x in a]
    np.testing.assert_allclose(iou(a, b), expected, atol=1e-12)


def test_iou_of_empty_spans_is_zero() -> None:
    assert iou([[3, 3]], [[3, 3]]).tolist() == [[0.0]]


@given(spans, st.integers(1, 70), st.randoms(use_true_random=False))
def test_the_best_span_around_an_instant_is_found_as_by_asking_each(
    boxes: list[tuple[float, float]], instants: int, random: Random
) -> None:
    times = np.linspace(0.0, 120.0, instants)
    scores = [random.random() for _ in boxes]
    around = [[score for (start, end), score in zip(boxes, scores, strict=True) if start <= t <= end] for t in times]
    assert best_around(times, boxes, scores).tolist() == [max(own, default=0.0) for own in around]


@given(spans, st.floats(0, 1), st.randoms(use_true_random=False))
def test_nms_equals_a_loop_over_pairs(boxes: list[tuple[float, float]], threshold: float, random) -> None:  # type: ignore[no-untyped-def]
    scores = [random.random() for _ in boxes]
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(slow_iou(boxes[i], boxes[j]) <= threshold + 1e-9 for j in kept):
            kept.append(i)
    assert nms(boxes, scores, threshold).tolist() == kept


def test_nms_keeps_the_same_whatever_the_unit_of_time() -> None:
    spans = np.array([(start, end) for start in range(16) for end in range(start + 1, 17)]) / 16
    scores = np.random.default_rng(0).random(len(spans))
    for seconds in (1.0, 30.96, 31.7):
        assert nms(spans * seconds, scores, 0.5).tolist() == nms(spans, scores, 0.5).tolist()


def test_nms_stops_at_its_limit() -> None:
    assert nms([[0, 1], [2, 3], [4, 5]], [1, 3, 2], 0.5, limit=2).tolist() == [1, 2]


@pytest.mark.parametrize(("per_length", "counts"), [(4, [1, 5, 13, 29, 61, 125]), (3, [1, 4, 10, 22, 46, 94])])
def test_anchor_grid_has_the_papers_counts(per_length: int, counts: list[int]) -> None:
    grid = anchor_grid(30.0, per_length=per_length)
    lengths = grid[:, 1] - grid[:, 0]
    assert [int(np.isclose(lengths, 30 / 2**i).sum()) for i in range(6)] == counts
    assert grid.min() >= 0
    assert grid.max() <= 30 + 1e-9


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 2), (3, 1), (0, math.inf), (math.nan, 1)])
def test_a_moment_that_is_no_span_is_refused(start: float, end: float) -> None:
    with pytest.raises(ValueError, match="a moment"):
        Moment(start, end)


@given(st.integers(0, 10**7))
def test_times_read_back_as_printed(tenths: int) -> None:
    parts = reversed(format_time(tenths / 10).split(":"))
    assert sum(float(part) * 60**place for place, part in enumerate(parts)) == pytest.approx(tenths / 10)
