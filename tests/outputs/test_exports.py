from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from asst.errors import InputError
from asst.moments import Answer, Moment
from asst.outputs.exports import FORMATS, check_exports, write_export
from asst.outputs.json_lines import read_answers

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
    video = tmp_path / "v.json"
    video.touch()
    with pytest.raises(InputError, match=r"a\.txt: no format has this ending; use one of \.json, .*\.csv, .*\.fcpxml"):
        check_exports([tmp_path / "a.txt"])
    with pytest.raises(InputError, match="is the input itself"):
        check_exports([tmp_path / "v.json"], source=video)
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
