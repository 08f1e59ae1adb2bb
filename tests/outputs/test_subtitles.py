from __future__ import annotations

import html
from typing import Literal

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.errors import InputError
from asst.moments import Answer, Moment
from asst.outputs.exports import subtitles
from asst.outputs.printable import one_line

Form = Literal["srt", "vtt"]


def read(text: str, form: Form) -> list[tuple[int, int, str]]:
    """What a program that knows no commands in braces reads."""
    file = pysubs2.SSAFile.from_string(text, form, keep_html_tags=True)
    return [(event.start, event.end, html.unescape(event.text) if form == "vtt" else event.text) for event in file]


def bare(name: str) -> str:
    """The text with the arrow that stands for another."""
    return name.replace("-->", "\N{RIGHTWARDS ARROW}")


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 99 * 3_600_000),
            st.integers(1, 3_000_000),
            # Digits alone would be read as a number of the file's own, and entities in SubRip are not escaped.
            st.text(st.characters(exclude_categories=["Cs", "Nd"]), min_size=1).filter(str.split),
        ),
        max_size=6,
        unique_by=lambda cue: cue[0],
    ),
    st.sampled_from(["srt", "vtt"]),
)
def test_reading_gives_back_times_and_sentences(cues: list[tuple[int, int, str]], form: Form) -> None:
    answers = [
        Answer("v", name, 1e6, "m", (Moment(start / 1000, (start + length) / 1000),)) for start, length, name in cues
    ]
    found = [(start, end, bare(name)) for start, end, name in read(subtitles(answers, form=form), form)]
    assert found == [(start, start + length, bare(one_line(name))) for start, length, name in sorted(cues)]


@pytest.mark.parametrize("form", ["srt", "vtt"])
@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("a {\\i1}dog{\\i0} & <b>cat</b>", "a {\\i1}dog{\\i0} & <b>cat</b>"),
        ("in C:\\new\\home\\N", "in C:\\new\\home\\N"),
        ("two\n\nlines\u2028three", "two lines three"),
        ("a\x00b\x1b[2J", "a\ufffdb\ufffd[2J"),
    ],
)
def test_no_sentence_commands_the_player(form: Form, sentence: str, shown: str) -> None:
    text = subtitles([Answer("v", sentence, 9.0, "m", (Moment(1.0, 2.0),))], form=form)
    assert read(text, form) == [(1000, 2000, shown)]
    if form == "vtt":
        assert text.startswith("WEBVTT\n\n")
        assert "<" not in text


def test_an_arrow_is_no_line_of_times() -> None:
    sentence = "00:00:01,000 --> 00:00:02,000"
    answers = [Answer("v", sentence, 9.0, "m", (Moment(3.0, 4.0),))]
    for form in ("srt", "vtt"):
        assert subtitles(answers, form=form).count("-->") == 1


def test_what_is_found_is_shown_or_every_moment_and_in_the_order_of_time() -> None:
    first = Answer("v", "a", 9.0, "m", (Moment(5.0, 6.0),), weaker=(Moment(1.0, 2.0), Moment(8.0, 8.0001)))
    answers = [first, Answer("v", "b", 9.0, "m", (Moment(3.0, 7.0),)), Answer("v", "c", 9.0, "m", ())]
    assert [cue[2] for cue in read(subtitles(answers, form="vtt"), "vtt")] == ["b", "a"]
    every = read(subtitles(answers, every=True, form="srt"), "srt")
    assert every == [(1000, 2000, "a"), (3000, 7000, "b"), (5000, 6000, "a"), (8000, 8001, "a")]
    assert read(subtitles(answers[2:], form="srt"), "srt") == []


def test_what_subtitles_cannot_hold_is_refused() -> None:
    two = [Answer(video, "q", 9.0, "m", (Moment(1.0, 2.0),)) for video in ("a", "b")]
    with pytest.raises(InputError, match="of one video, and these moments lie in 2"):
        subtitles(two, form="srt")
    with pytest.raises(InputError, match="before 100 hours"):
        subtitles([Answer("a", "q", 1e6, "m", (Moment(1.0, 360_000.0),))], form="srt")
