import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.outputs.report.labels import tick_label, ticks_s


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
