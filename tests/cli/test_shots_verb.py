"""``asst shots``: every shot of every video once, and the same frames in every file of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import opentimelineio as otio
import pytest
from typer.testing import CliRunner

from asst.cli.app import app
from asst.moments import Answer, Moment
from asst.outputs.exports import write_clip
from asst.video import frames

Make = Callable[..., Path]
RATE = Fraction(30000, 1001)
CUTS = (40, 85)


@pytest.fixture(scope="module")
def edited(make: Make, street: Path) -> Path:
    """Three shots at 29.97 frames a second, which begin at pictures 0, 40 and 85."""
    one, two = (next(frames(street, times_s=[at_s], size=(160, 96))).pixels[0] for at_s in (0.5, 7.0))
    shown = iter([one] * CUTS[0] + [two] * (CUTS[1] - CUTS[0]) + [one] * 35)
    return make("edited.mp4", ticks=list(range(120)), time_base=1 / RATE, stored=lambda pixels: next(shown))


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["shots", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.usefixtures("one_thread")
def test_shots_are_the_same_frames_in_every_form(edited: Path, tmp_path: Path) -> None:
    outs = [tmp_path / f"o.{suffix}" for suffix in ("csv", "json", "edl", "otio", "srt")]
    code, stdout, _ = run(edited, "--json", *(word for out in outs for word in ("--export", out)))
    assert code == 0
    record = json.loads(stdout)
    assert list(record) == ["video", "duration_s", "shots"]
    bounds = [0, *CUTS, 120]
    spans = [(shot["start_s"], shot["end_s"]) for shot in record["shots"]]
    exact = [pytest.approx(float(number / RATE), abs=1e-6) for number in bounds]
    assert spans == list(pairwise(exact))
    rows = list(csv.DictReader(outs[0].read_text().splitlines()))
    assert [(float(row["start_s"]), float(row["end_s"])) for row in rows] == spans
    assert json.loads(outs[1].read_text()) == [record]
    for path in outs[2:4]:
        timeline = otio.adapters.read_from_file(str(path), **({"rate": 30.0} if path.suffix == ".edl" else {}))
        ranges = [clip.source_range for clip in timeline.find_clips()]
        found = [(int(own.start_time.value), int(own.end_time_exclusive().value)) for own in ranges]
        assert found == list(pairwise(bounds)), path
    assert [name in outs[4].read_text() for name in ("shot 1", "shot 2", "shot 3", "shot 4")] == [True] * 3 + [False]


@pytest.mark.usefixtures("one_thread")
def test_a_clip_of_a_shot_has_its_frames_and_no_other(edited: Path, tmp_path: Path) -> None:
    record = json.loads(run(edited, "--json")[1])
    moment = Moment(*record["shots"][1].values())
    write_clip(Answer(str(edited), "", record["duration_s"], "", (moment,)), tmp_path / "clip.mp4")
    (batch,) = frames(tmp_path / "clip.mp4", batch=200)
    (whole,) = frames(edited, batch=200)
    assert len(batch) == CUTS[1] - CUTS[0]
    for got, expected in ((batch.pixels[0], whole.pixels[CUTS[0]]), (batch.pixels[-1], whole.pixels[CUTS[1] - 1])):
        assert abs(got.astype(int) - expected).mean() < 6


@pytest.mark.usefixtures("one_thread")
def test_several_videos_are_listed_one_after_the_other_and_a_bad_one_is_named(edited: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    code, stdout, stderr = run(edited, bad, edited)
    assert code == 1
    assert "bad.mp4" in stderr
    lines = stdout.splitlines()
    titles = [line for line in lines if "shots in" in line]
    assert titles == [f"{edited}: 3 shots in 0:04.0"] * 2
    assert sum(line.split()[2:4] == ["1.335", "2.836"] for line in lines) == 2
    assert run(bad)[0] == 2


@pytest.mark.parametrize(("words", "said"), [(["nowhere.mp4"], "no such file"), (["."], "folder")])
def test_what_is_no_file_is_refused(words: list[str], said: str) -> None:
    code, stdout, _ = run(*words)
    assert code == 2
    assert stdout == ""


def test_an_export_that_cannot_be_written_is_refused_first(edited: Path, tmp_path: Path) -> None:
    assert run(edited, "--export", tmp_path / "o.xyz")[0] == 2
    assert run(edited, "--export", tmp_path / "nowhere" / "o.csv")[0] == 2
