from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.moments import Answer, Attention, Curve, Moment
from asst.outputs.report.drawing import (
    COLUMNS_MOST,
    PATH_HEIGHT,
    PATH_WIDTH,
    draw,
    draw_heat,
    tick_label,
    ticks_s,
)


def answer(times_s: list[float], scores: list[float], *moments: Moment, threshold: float | None = None) -> Answer:
    return Answer("v", "q", 10.0, "m", moments, Curve(np.array(times_s), np.array(scores)), threshold)


def points(path: str | None) -> list[tuple[float, float]]:
    assert path is not None
    return [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+),([-\d.]+)", path)]


def test_the_path_follows_the_scores_across_the_whole_video() -> None:
    (left, low), (middle, high), (right, half) = points(draw(answer([0.0, 5.0, 10.0], [0.0, 1.0, 0.5]))["path"])
    assert (left, middle, right) == (0.0, 500.0, PATH_WIDTH)
    assert 0 <= high < half < low <= PATH_HEIGHT
    assert half == pytest.approx((low + high) / 2)


def test_the_threshold_stands_where_the_curve_has_that_score_and_inside_the_box() -> None:
    chart = draw(answer([0.0, 5.0, 10.0], [0.1, 0.2, 0.3], threshold=0.2))
    assert chart["threshold_y"] == pytest.approx(points(chart["path"])[1][1])
    above = draw(answer([0.0, 10.0], [0.1, 0.2], threshold=0.9))["threshold_y"]
    assert above is not None
    assert 0 <= above < 20


def test_a_flat_curve_and_one_of_one_point_are_drawn() -> None:
    assert points(draw(answer([0.0, 10.0], [0.3, 0.3]))["path"]) == [(0.0, 50.0), (1000.0, 50.0)]
    assert draw(answer([5.0], [0.3]))["path"] == "M500.0,50.0h0"


def test_the_path_breaks_where_the_video_was_not_looked_at() -> None:
    chart = draw(answer([0.0, 2.0, 3.0, 8.0, 9.0], [0.0, 1.0, math.nan, 0.5, 0.5], threshold=0.2))
    assert chart["path"] is not None
    first, second = re.findall(r"M[^M]+", chart["path"])
    assert [x for x, _ in points(first)] == [0.0, 200.0]
    assert [x for x, _ in points(second)] == [800.0, 900.0]
    assert chart["threshold_y"] is not None
    assert "highest at 0:02: 1.000" in chart["description"]


def test_a_long_curve_keeps_its_peak() -> None:
    times_s = np.linspace(0.0, 10.0, 36_001)
    scores = np.zeros(36_001)
    scores[18_000] = 1.0
    drawn = points(draw(Answer("v", "q", 10.0, "m", (), Curve(times_s, scores)))["path"])
    assert len(drawn) <= PATH_WIDTH
    peak = min(drawn, key=lambda point: point[1])
    assert peak[0] == pytest.approx(500.0, abs=1.0)
    assert peak[1] < 10


def test_bands_lie_along_the_video_and_never_leave_it() -> None:
    chart = draw(Answer("v", "q", 10.0, "m", (Moment(2.0, 4.5), Moment(9.0, 12.0))))
    assert [(band["x"], band["width"]) for band in chart["bands"]] == [(20.0, 25.0), (90.0, 10.0)]
    assert chart["path"] is None


def test_the_description_says_what_the_drawing_shows() -> None:
    words = draw(answer([1.0, 6.5], [0.1, 0.75], Moment(6.0, 7.0), threshold=0.2))["description"]
    assert "0:06 to 0:07" in words
    assert "highest at 0:06.5: 0.750" in words
    assert "threshold is 0.200" in words
    assert "No moment found" in draw(answer([1.0], [0.1]))["description"]


def shades(strip: dict[str, Any], columns: int) -> list[float]:
    drawn = [0.0] * columns
    for run in strip["runs"]:
        drawn[run["x"] : run["x"] + run["width"]] = [run["shade"]] * run["width"]
    return drawn


def test_each_word_is_dark_where_it_weighs_most() -> None:
    weights = np.array([[0.75, 0.5, 0.0, 0.0], [0.25, 0.5, 1.0, 1.0]])
    heat = draw_heat(Attention(("a", "dog"), np.array([0.5, 1.5, 2.5, 3.5]), weights, ("dilation1", "dilation2")), 4.0)
    assert tuple(heat[key] for key in ("columns", "strongest", "even", "layers")) == (
        4,
        1.0,
        0.5,
        "dilation1, dilation2",
    )
    assert [strip["word"] for strip in heat["strips"]] == ["a", "dog"]
    assert shades(heat["strips"][0], 4) == [0.8, 0.5, 0, 0]
    assert shades(heat["strips"][1], 4) == [0.2, 0.5, 1, 1]
    assert len(heat["strips"][1]["runs"]) == 3
    assert heat["strips"][0]["description"] == "most at 0:00.5 (75%), on average 31%"


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(1, 5), st.floats(0.1, 1e4))
def test_any_attention_is_drawn_to_scale(steps: int, words: int, duration_s: float) -> None:
    generator = np.random.default_rng(steps)
    weights = generator.random((words, steps))
    times_s = (np.arange(steps) + 0.5) * duration_s / steps
    attention = Attention(tuple("abcde"[:words]), times_s, weights / weights.sum(axis=0), ("final",))
    heat = draw_heat(attention, duration_s)
    assert heat["columns"] == min(steps, COLUMNS_MOST)
    for number, strip in enumerate(heat["strips"]):
        drawn = np.array(shades(strip, heat["columns"])) * heat["strongest"]
        assert drawn.mean() == pytest.approx(attention.weights[number].mean(), abs=0.06)
        if steps <= COLUMNS_MOST:
            assert drawn == pytest.approx(attention.weights[number], abs=0.06)


def test_weights_that_do_not_fit_the_words_are_refused() -> None:
    with pytest.raises(ValueError, match="2 words"):
        Attention(("a", "b"), np.array([0.5]), np.ones((1, 1)), ())


@given(st.floats(0.3, 86400), st.integers(3, 12))
def test_ticks_are_evenly_spaced_from_zero_few_and_reach_the_end(duration_s: float, most: int) -> None:
    ticks = ticks_s(duration_s, most)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else math.inf
    assert ticks[0] == 0.0
    assert len(ticks) <= most
    assert all(math.isclose(tick, number * step, abs_tol=1e-6) for number, tick in enumerate(ticks) if number)
    assert ticks[-1] <= duration_s + 1e-6
    assert duration_s - ticks[-1] < step


@given(st.integers(0, 900_000))
def test_a_label_says_the_tick_exactly(tenths: int) -> None:
    parts = reversed(tick_label(tenths / 10).split(":"))
    assert sum(float(part) * 60**place for place, part in enumerate(parts)) == pytest.approx(tenths / 10)
