"""Features: their checks, their clock, and resampling against numpy's interpolation a column at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.errors import InputError
from asst.features.disk_rows import concatenated
from asst.features.values import Features


def features(steps: int, dimension: int = 3, start_s: float = 0.0, step_s: float = 0.5, name: str = "rgb") -> Features:
    vectors = np.random.default_rng(steps).random((steps, dimension), dtype=np.float32)
    return Features(vectors, start_s, step_s, name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": np.zeros(3, np.float32)}, r"shape \(steps, dimension\)"),
        ({"vectors": np.zeros((0, 3), np.float32)}, r"shape \(steps, dimension\)"),
        ({"vectors": np.zeros((2, 3))}, "not float64"),
        ({"step_s": 0.0}, "positive step"),
        ({"step_s": math.inf}, "positive step"),
        ({"start_s": math.nan}, "positive step"),
        ({"extractor": ""}, "extractor"),
    ],
)
def test_features_check_themselves(changes: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"vectors": np.zeros((2, 3), np.float32), "start_s": 0.0, "step_s": 1.0, "extractor": "rgb"}
    with pytest.raises(ValueError, match=message):
        Features(**(good | changes))


def test_the_clock_counts_centres_from_the_start() -> None:
    three = features(3, start_s=1.0, step_s=0.5)
    assert three.times_s.tolist() == [1.25, 1.75, 2.25]
    assert (three.duration_s, three.end_s, three.dimension) == (1.5, 2.5, 3)


@given(st.integers(1, 12), st.floats(0.05, 3), st.floats(0.05, 3), st.floats(-2, 5))
def test_resampling_interpolates_every_column_between_centres(
    steps: int, step_s: float, new_step_s: float, start_s: float
) -> None:
    old = features(steps, start_s=start_s, step_s=step_s)
    new = old.resampled(new_step_s)
    assert new.step_s == new_step_s
    assert new.start_s == start_s
    assert len(new.vectors) == 1 or abs(new.duration_s - old.duration_s) <= new_step_s / 2 + 1e-9
    for column in range(old.dimension):
        expected = np.interp(new.times_s, old.times_s, old.vectors[:, column])
        np.testing.assert_allclose(new.vectors[:, column], expected, atol=1e-4)


def test_resampling_to_the_same_step_changes_nothing_and_keeps_half_precision() -> None:
    half = Features(np.arange(10).reshape(5, 2).astype(np.float16), 0.0, 0.2, "rgb")
    same = half.resampled(0.2)
    assert str(same.vectors.dtype) == "float16"
    np.testing.assert_array_equal(same.vectors, half.vectors)
    with pytest.raises(ValueError, match="positive time"):
        half.resampled(0.0)


def test_two_streams_stand_side_by_side() -> None:
    rgb, flow = features(5, 3), features(4, 2, name="flow")
    both = concatenated(rgb, flow)
    np.testing.assert_array_equal(both.vectors[:, :3], rgb.vectors[:4])
    np.testing.assert_array_equal(both.vectors[:, 3:], flow.vectors)
    assert (both.extractor, both.step_s) == ("rgb+flow", 0.5)


@pytest.mark.parametrize(
    ("other", "steps"),
    [
        (features(2), 5),
        (features(4, step_s=0.25), 5),
        (features(93), 100),
    ],
)
def test_streams_of_different_times_are_refused(other: Features, steps: int) -> None:
    with pytest.raises(InputError, match="different times"):
        concatenated(features(steps), other)


@pytest.mark.parametrize(("first", "second", "kept"), [(5, 3, 3), (3, 5, 3), (100, 95, 95)])
def test_the_longer_of_two_streams_is_cut(first: int, second: int, kept: int) -> None:
    assert len(concatenated(features(first), features(second)).vectors) == kept


def test_a_stream_of_another_clip_length_is_read_on_the_clock_of_the_first() -> None:
    slow = Features(np.arange(4, dtype=np.float32)[:, None], 0.0, 2.0, "slowfast")
    fast = Features(np.arange(8, dtype=np.float32)[:, None], 0.5, 1.0, "clip")
    both = concatenated(slow, fast)
    assert (both.start_s, both.step_s, both.extractor) == (0.0, 2.0, "slowfast+clip")
    # The middles of the steps are 1, 3, 5 and 7 s; those of the second stream 1, 2, 3, ... 8 s.
    assert both.vectors.tolist() == [[0, 0], [1, 2], [2, 4], [3, 6]]
