from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio import opentime

from asst.outputs.editors.edits import RATES, drops, frame_number, timeline_rate


@pytest.mark.parametrize("rate", RATES)
def test_a_rate_is_found_again_however_a_container_rounded_it(rate: Fraction) -> None:
    for stated in (rate, Fraction(f"{float(rate):.2f}"), Fraction(float(rate)), rate.limit_denominator(400)):
        assert timeline_rate(stated) == rate


@pytest.mark.parametrize(
    ("stated", "counted"),
    [
        (Fraction(12), 24),
        (Fraction(15000, 1001), Fraction(30000, 1001)),
        (Fraction(10), 30),
        (Fraction(1), 24),
        (Fraction(240), 60),
        (Fraction(120000, 1001), Fraction(60000, 1001)),
        (Fraction(2983, 100), Fraction(30000, 1001)),
        (Fraction(265, 10), 25),
    ],
)
def test_other_rates_are_counted_at_one_that_editors_know(stated: Fraction, counted: Fraction | int) -> None:
    assert timeline_rate(stated) == counted


@settings(deadline=None)
@given(st.sampled_from(RATES), st.integers(0, 23 * 3600 * 24), st.booleans())
def test_time_codes_name_the_frames_that_another_library_numbers(rate: Fraction, number: int, dropping: bool) -> None:
    drop = dropping and drops(rate)
    label = opentime.to_timecode(opentime.RationalTime(number, float(rate)), float(rate), drop)
    assert (";" in label) == drop
    assert frame_number(label, rate) == number


def test_drop_frame_is_of_the_rates_of_ntsc_that_need_it_alone() -> None:
    assert [rate for rate in RATES if drops(rate)] == [Fraction(30000, 1001), Fraction(60000, 1001)]
    # Elsewhere the mark means nothing.
    assert frame_number("01:00:00;00", Fraction(25)) == 90_000


@pytest.mark.parametrize("text", ["", "1:00:00:00", "00:60:00:00", "00:00:60:00", "00:00:00:25", "00:00:00,00"])
def test_what_is_no_time_code_has_no_number(text: str) -> None:
    assert frame_number(text, Fraction(25)) is None
