from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio import opentime

from asst.moments import Answer, Moment
from asst.outputs.editors.edits import RATES, drops, edits_of, frame_number, timeline_rate

Facts = Callable[..., str]


def answer(video: str, *moments: Moment, query: str = "a dog") -> Answer:
    return Answer(video, query, 60.0, "m", moments)


@settings(deadline=None)
@given(st.sampled_from(RATES), st.integers(0, 10 * 3600 * 60), st.integers(1, 10_000), st.booleans())
def test_times_of_frames_become_those_frames_also_after_hours(
    facts: Facts, rate: Fraction, first: int, frames: int, in_milliseconds: bool
) -> None:
    start_s, end_s = (float(place / rate) for place in (first, first + frames))
    if in_milliseconds:
        start_s, end_s = round(start_s, 3), round(end_s, 3)
    video = facts("v.mp4", rate, float((first + frames + 100) / rate))
    (edit,) = edits_of([answer(video, Moment(start_s, end_s))])
    assert (edit.start, edit.frames, edit.media.rate) == (first, frames, rate)


@settings(deadline=None)
@given(st.sampled_from(RATES), st.floats(0, 36_000), st.floats(0.2, 1000))
def test_a_clip_covers_its_moment_and_no_more_than_a_frame_else(
    facts: Facts, rate: Fraction, start_s: float, length_s: float
) -> None:
    video = facts("v.mp4", rate, 40_000.0)
    (edit,) = edits_of([answer(video, Moment(start_s, start_s + length_s))])
    slack = 0.05 + 1e-6
    assert edit.start - slack <= start_s * rate < edit.start + 1
    end = (start_s + length_s) * rate
    assert edit.start + edit.frames - 1 < end <= edit.start + edit.frames + slack


def test_the_files_time_code_counts_from_its_first_frame(facts: Facts) -> None:
    rate = Fraction(30000, 1001)
    moment = Moment(float(30 / rate), float(60 / rate))
    (dropping,) = edits_of([answer(facts("a.mov", rate, time_code="01:00:00;00"), moment)])
    (plain,) = edits_of([answer(facts("b.mov", rate, time_code="01:00:00:00"), moment)])
    (none,) = edits_of([answer(facts("c.mov", rate), moment)])
    assert (dropping.media.first, dropping.start, dropping.media.drop) == (107_892, 107_922, True)
    assert (plain.media.first, plain.start, plain.media.drop) == (108_000, 108_030, False)
    assert (none.media.first, none.start, none.media.drop) == (0, 30, False)


@pytest.mark.parametrize(
    ("rate", "time_code", "first"),
    [
        (Fraction(15), "00:00:10:14", 328),  # 164 frames of 15 a second, at 30
        (Fraction(120), "00:00:10:118", 659),
        (Fraction(25), "00:00:10:25", 0),  # there is no such frame
        (Fraction(19001, 317), "00:00:01:00", 60),
    ],
)
def test_a_time_code_at_another_rate_is_the_same_instant(
    facts: Facts, rate: Fraction, time_code: str, first: int
) -> None:
    (edit,) = edits_of([answer(facts("v.mp4", rate, time_code=time_code), Moment(1.0, 2.0))])
    assert edit.media.first == first


def test_a_clip_ends_with_its_file_and_has_a_frame_at_least(facts: Facts) -> None:
    video = facts("v.mp4", duration_s=10.0)
    moments = (Moment(9.0, 10.9), Moment(10.5, 11.0), Moment(2.001, 2.0011))
    edits = edits_of([answer(video, *moments)], every=True)
    assert [(edit.start, edit.frames) for edit in edits] == [(225, 25), (249, 1), (50, 1)]
    assert math.isclose(edits[0].media.frames, 250)


def test_one_file_is_one_source_by_whatever_path(facts: Facts, tmp_path: Path) -> None:
    """Editors take ``..`` out of an address as it is written, which may lead elsewhere."""
    video = Path(facts(str(tmp_path / "v.mp4")))
    video.touch()
    (tmp_path / "here").mkdir()
    other = facts(str(tmp_path / "here" / ".." / "v.mp4"))
    edits = edits_of([answer(str(video), Moment(1.0, 2.0)), answer(other, Moment(1.0, 2.0))])
    assert edits[0].media == edits[1].media
    assert edits[0].media.path == video


def test_what_is_found_is_taken_in_order_or_every_moment(facts: Facts) -> None:
    one, two = facts("a.mp4"), facts("folder/b.mp4")
    answers = [
        replace(answer(one, Moment(1.0, 2.0, 0.9)), weaker=(Moment(5.0, 6.0, 0.5, video=two, query="other\nwords"),)),
        answer(one, query="b"),
        answer(two, Moment(3.0, 4.0, label="Jump"), query=""),
    ]
    best = edits_of(answers)
    assert [(edit.name, edit.media.name, edit.rank) for edit in best] == [("a dog", "a.mp4", 1), ("Jump", "b.mp4", 1)]
    every = edits_of(answers, every=True)
    assert [(edit.name, edit.media.name, edit.rank) for edit in every] == [
        ("a dog", "a.mp4", 1),
        ("other words", "b.mp4", 2),
        ("Jump", "b.mp4", 1),
    ]


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
