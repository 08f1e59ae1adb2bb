from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.errors import InputError
from asst.moments import Answer, Moment
from asst.outputs.exports import FORMATS, check_exports, subtitles, write_export
from asst.outputs.json_lines import read_answers
from asst.outputs.printable import one_line

Facts = Callable[..., str]


@pytest.fixture
def answers(facts: Facts) -> list[Answer]:
    found, weaker = (Moment(start_s, start_s + 1, 0.5, query="a dog") for start_s in (1.0, 3.0))
    return [Answer(facts("v.mp4"), "a dog", 60.0, "m", (found,), weaker=(weaker,))]


def test_every_format_is_written_whole_and_alone(tmp_path: Path, answers: list[Answer]) -> None:
    for suffix in FORMATS:
        out = tmp_path / f"out{suffix.upper()}"
        assert write_export(answers, out)
        assert "a dog" in out.read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == len(FORMATS)
    (record,) = json.loads((tmp_path / "out.JSON").read_text())
    assert record == json.loads((tmp_path / "out.JSONL").read_text())
    assert [[moment["start_s"] for moment in record[key]] for key in ("moments", "weaker")] == [[1.0], [3.0]]
    assert len(read_answers(tmp_path / "out.JSONL")[0].ranked) == 2


@pytest.mark.parametrize(
    ("suffix", "best", "every"), [(".csv", 1, 2), (".srt", 1, 2), (".edl", 2, 4), (".fcpxml", 2, 4)]
)
def test_what_is_found_is_written_and_the_weaker_too_on_demand(
    tmp_path: Path, answers: list[Answer], suffix: str, best: int, every: int
) -> None:
    out = tmp_path / f"out{suffix}"
    write_export(answers, out)
    # A timeline names the sentence twice: the clip, and its marker or comment.
    assert out.read_text().count("a dog") + out.read_text().count("A DOG") == best
    write_export(answers, out, every=True)
    assert out.read_text().count("a dog") + out.read_text().count("A DOG") == every


def test_of_nothing_found_lists_and_subtitles_are_empty_and_timelines_are_not_written(tmp_path: Path) -> None:
    nothing = [Answer("v.mp4", "a penguin", 60.0, "m", ())]
    written = {suffix for suffix in FORMATS if write_export(nothing, tmp_path / f"out{suffix}")}
    assert written == {".csv", ".json", ".jsonl", ".srt", ".vtt"}
    assert {path.suffix for path in tmp_path.iterdir()} == written


def test_what_is_no_export_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.txt: no format has this ending; use one of \.json, .*\.csv, .*\.fcpxml"):
        check_exports([tmp_path / "a.txt"])
    with pytest.raises(InputError, match="is named twice"):
        check_exports([tmp_path / "a.csv", tmp_path / "a.srt", tmp_path / "a.csv"])
    with pytest.raises(InputError, match="no such folder"):
        write_export([], tmp_path / "no" / "a.csv")


def test_an_export_that_fails_leaves_the_old_file(tmp_path: Path, facts: Facts) -> None:
    out = tmp_path / "a.srt"
    out.write_text("old")
    several = [Answer(video, "q", 60.0, "m", (Moment(1.0, 2.0),)) for video in ("a.mp4", "b.mp4")]
    with pytest.raises(InputError, match="of one video"):
        write_export(several, out)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_name_that_is_no_text_stops_nothing(tmp_path: Path, facts: Facts) -> None:
    video = facts("caf\udce9.mp4")
    answers = [Answer(video, "a dog", 60.0, "m", (Moment(1.0, 2.0),))]
    for suffix in FORMATS:
        assert write_export(answers, tmp_path / f"out{suffix}")
    assert "caf%E9.mp4" in (tmp_path / "out.otio").read_text(encoding="utf-8")


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
