"""Windows on features: where the time of a video lies in them, and what several of them say together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.data.sample import Window, placed, sliding_windows
from asst.features.values import Features
from asst.moments import FloatArray, iou, nms


def ramp(steps: int, step_s: float, start_s: float = 0.0) -> Features:
    """Features whose only number is the time of the step's centre."""
    centres_s = start_s + (np.arange(steps) + 0.5) * step_s
    return Features(centres_s[:, None].astype(np.float32), start_s, step_s, "ramp")


lengths = st.integers(1, 400)
step_lengths = st.floats(0.05, 2.0)


@given(st.integers(1, 120), step_lengths, st.floats(-3, 3), st.floats(-5, 60), step_lengths, st.integers(1, 90))
def test_each_step_of_a_window_shows_the_time_it_stands_for(
    steps: int, own_s: float, begin_s: float, start_s: float, step_s: float, count: int
) -> None:
    features = ramp(steps, own_s, begin_s)
    window = Window(start_s, step_s, count)
    read = window.read(features)
    assert read.shape == (count, 1)
    assert read.dtype == np.float32
    centres_s = window.to_seconds(np.arange(count) + 0.5)
    expected = np.clip(centres_s, features.times_s[0], features.times_s[-1])
    assert read[:, 0] == pytest.approx(expected, abs=1e-4)


@given(st.integers(1, 60), st.floats(0.3, 3.0))
def test_a_window_on_all_of_a_video_is_its_resampling(steps: int, ratio: float) -> None:
    vectors = np.random.default_rng(steps).standard_normal((steps, 5)).astype(np.float16)
    features = Features(vectors, 1.5, 0.25, "noise")
    other = features.resampled(0.25 * ratio)
    read = Window(1.5, 0.25 * ratio, len(other)).read(features)
    assert read == pytest.approx(other.vectors.astype(np.float32), abs=2e-3)


@given(st.floats(-10, 100), step_lengths, st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), min_size=1))
def test_seconds_to_steps_and_back(start_s: float, step_s: float, spans: list[tuple[float, float]]) -> None:
    window = Window(start_s, step_s, 8)
    assert window.to_seconds(window.to_steps(spans)) == pytest.approx(np.array(spans), abs=1e-6)
    assert window.to_steps([window.start_s, window.end_s]) == pytest.approx([0, 8])


@given(st.floats(-2, 2), lengths, st.floats(-0.2, 0.2), st.integers(1, 130))
def test_sliding_windows_show_every_step_and_end_with_the_video(
    start_s: float, steps: int, rest: float, most: int
) -> None:
    duration_s = max(0.01, (steps + rest) * 0.25)
    windows = sliding_windows(start_s, duration_s, 0.25, most)
    firsts = [round((window.start_s - start_s) / 0.25) for window in windows]
    total = max(first + window.steps for first, window in zip(firsts, windows, strict=True))
    assert firsts[0] == 0
    assert windows[-1].end_s == pytest.approx(start_s + total * 0.25)
    assert -1e-6 <= total * 0.25 - duration_s < 0.25
    assert {first + step for first, window in zip(firsts, windows, strict=True) for step in range(window.steps)} == set(
        range(total)
    )
    if len(windows) == 1:
        assert total == windows[0].steps <= most
    else:
        assert all(window.steps == most for window in windows)
        moves = np.diff(firsts)
        assert (moves > 0).all()
        assert (moves[:-1] == max(1, most // 2)).all()
        assert moves[-1] <= max(1, most // 2)


def slow_merge(spans: FloatArray, scores: FloatArray, threshold: float) -> list[tuple[float, float, float]]:
    kept: list[tuple[float, float, float]] = []
    for index in sorted(range(len(spans)), key=lambda place: -scores[place]):
        span = (float(spans[index][0]), float(spans[index][1]))
        if all(iou([span], [other[:2]])[0, 0] <= threshold for other in kept):
            kept.append((*span, float(scores[index])))
    return kept


def test_windows_are_merged_in_seconds_as_a_slow_reference_does() -> None:
    generator = np.random.default_rng(3)
    windows = sliding_windows(0.0, 60.0, 0.25, 128)
    assert len(windows) == 3
    starts = generator.uniform(-5, 100, (3, 40, 1))
    spans = np.concatenate([starts, starts + generator.uniform(8, 60, (3, 40, 1))], axis=2)
    scores = generator.uniform(size=(3, 40))
    kept = generator.uniform(size=(3, 40)) < 0.9
    every, strengths = placed(windows, spans, scores, kept, duration_s=60.0)
    best = nms(every, strengths, 0.6)
    flat = []
    for window, own, good in zip(windows, spans, kept, strict=True):
        flat += [[min(max(0, window.start_s + 0.25 * at), 60) for at in span] for span in own[good]]
    expected = slow_merge(np.array(flat), scores[kept], 0.6)
    assert len(expected) < kept.sum()
    assert np.column_stack([every[best], strengths[best]]) == pytest.approx(np.array(expected))
    assert nms(every, strengths, 0.6, limit=5).tolist() == best[:5].tolist()


def test_what_lies_outside_the_video_is_no_answer() -> None:
    windows = (Window(0.0, 1.0, 8), Window(4.0, 1.0, 8))
    spans = [[[-3.0, -1.0], [-2.0, 3.0]], [[5.0, 9.0], [7.0, 9.0]]]
    inside, strengths = placed(windows, spans, [[0.9, 0.1], [0.5, 0.8]], np.ones((2, 2)), duration_s=10.0)
    assert inside.tolist() == [[0.0, 3.0], [9.0, 10.0]]
    assert strengths.tolist() == [0.1, 0.5]
    nothing, none = placed(windows, spans, np.ones((2, 2)), np.zeros((2, 2)), duration_s=10.0)
    assert nothing.shape == (0, 2)
    assert none.shape == (0,)


@pytest.mark.parametrize("wrong", [(0.0, 0.0, 4), (0.0, 1.0, 0), (float("nan"), 1.0, 4)])
def test_a_window_has_steps_that_last(wrong: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match="no window"):
        Window(*wrong)
