from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.moments import Attention
from asst.outputs.report.heat import COLUMNS_MOST, Strip, draw_heat


def shades(strip: Strip, columns: int) -> list[float]:
    drawn = [0.0] * columns
    for run in strip.runs:
        drawn[run.x : run.x + run.width] = [run.shade] * run.width
    return drawn


def test_each_word_is_dark_where_it_weighs_most() -> None:
    weights = np.array([[0.75, 0.5, 0.0, 0.0], [0.25, 0.5, 1.0, 1.0]])
    heat = draw_heat(Attention(("a", "dog"), np.array([0.5, 1.5, 2.5, 3.5]), weights, ("dilation1", "dilation2")), 4.0)
    assert (heat.columns, heat.strongest, heat.even, heat.layers) == (4, 1.0, 0.5, "dilation1, dilation2")
    assert [strip.word for strip in heat.strips] == ["a", "dog"]
    assert shades(heat.strips[0], 4) == [0.8, 0.5, 0, 0]
    assert shades(heat.strips[1], 4) == [0.2, 0.5, 1, 1]
    assert len(heat.strips[1].runs) == 3
    assert heat.strips[0].description == "most at 0:00.5 (75%), on average 31%"


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(1, 5), st.floats(0.1, 1e4))
def test_any_attention_is_drawn_to_scale(steps: int, words: int, duration_s: float) -> None:
    generator = np.random.default_rng(steps)
    weights = generator.random((words, steps))
    times_s = (np.arange(steps) + 0.5) * duration_s / steps
    attention = Attention(tuple("abcde"[:words]), times_s, weights / weights.sum(axis=0), ("final",))
    heat = draw_heat(attention, duration_s)
    assert heat.columns == min(steps, COLUMNS_MOST)
    for number, strip in enumerate(heat.strips):
        drawn = np.array(shades(strip, heat.columns)) * heat.strongest
        assert drawn.mean() == pytest.approx(attention.weights[number].mean(), abs=0.06)
        if steps <= COLUMNS_MOST:
            assert drawn == pytest.approx(attention.weights[number], abs=0.06)


def test_weights_that_do_not_fit_the_words_are_refused() -> None:
    with pytest.raises(ValueError, match="2 words"):
        Attention(("a", "b"), np.array([0.5]), np.ones((1, 1)), ())
