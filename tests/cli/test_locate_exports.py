"""``asst locate --export``: typed as a user would, on videos made on the spot; the model alone is a stand-in."""

from __future__ import annotations

import csv
import json
import runpy
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import av
import numpy as np
import opentimelineio as otio
import pysubs2
import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app

FAKES = runpy.run_path(str(Path(__file__).with_name("fakes.py")))
RATE = Fraction(30000, 1001)
# The stand-in finds 2 to 4 s and 6 to 7 s: frame 59 is on display at 2 s, and frame 119 until after 4 s.
FIRST, FRAMES = 59, 61


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "asst.localizer", FAKES["modules"]()["asst.localizer"])
    monkeypatch.chdir(tmp_path)


def video(name: str, time_code: str | None = None, first_frame: int = 0) -> str:
    """Ten seconds at 30000/1001, the first picture ``first_frame`` frames after zero on the file's clock."""
    with av.open(name, "w") as out:
        stream: Any = out.add_stream("libx264", rate=RATE, options={"g": "45", "sc_threshold": "0", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = 1 / RATE
        if time_code:
            stream.metadata["timecode"] = time_code
        for number in range(300):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number % 200, dtype=np.uint8), "rgb24")
            frame.pts, frame.time_base = first_frame + number, 1 / RATE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return name


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["locate", *words])


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_every_format_holds_what_was_found(tmp_path: Path) -> None:
    name = video('a "b" \u00e9.mov')
    endings = ("csv", "json", "jsonl", "srt", "vtt", "otio", "edl", "fcpxml")
    words = [word for ending in endings for word in ("--export", f"out.{ending}")]
    done = run(name, "a dog", "a penguin", 'the "cat"', *words)
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines() == [f"wrote out.{ending}" for ending in endings]
    with Path("out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["query"], row["rank"], float(row["start_s"])) for row in rows] == [
        ("a dog", "1", 2.0),
        ("a dog", "2", 6.0),
        ('the "cat"', "1", 2.0),
        ('the "cat"', "2", 6.0),
    ]
    assert {row["video"] for row in rows} == {name}
    records = json.loads(Path("out.json").read_text())
    assert [len(record["moments"]) for record in records] == [2, 0, 2]
    assert records == [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    for ending in ("srt", "vtt"):
        cues = [(cue.start, cue.end, cue.plaintext) for cue in pysubs2.load(f"out.{ending}")]
        spans = ((2000, 4000), (6000, 7000))
        assert cues == [(start, end, query) for start, end in spans for query in ("a dog", 'the "cat"')]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, *(f"out.{ending}" for ending in endings)])


@pytest.mark.parametrize(
    ("name", "time_code", "first_frame", "zero", "source_in"),
    [
        ("a.mov", "01:00:00;00", 0, 107_892, "01:00:01;29"),
        ("a.mov", "01:00:00:00", 0, 108_000, "01:00:01:29"),
        ("a.mp4", "23:58:00;02", 0, 2_585_812, "23:58:02;01"),
        ("a.mp4", None, 0, 0, "00:00:01:29"),
        # Clocks that do not start at zero are no time codes: the first frame is frame zero.
        ("a.ts", None, 1000, 0, "00:00:01:29"),
        ("a.mkv", None, 77, 0, "00:00:01:29"),
    ],
)
def test_frames_are_exact_whatever_the_time_code_and_the_clock(
    name: str, time_code: str | None, first_frame: int, zero: int, source_in: str
) -> None:
    exports = ("--export", "o.otio", "--export", "o.edl", "--export", "o.fcpxml")
    done = run(video(name, time_code, first_frame), "a dog", "--top", "1", *exports)
    assert done.exit_code == 0, done.output

    clip = otio.adapters.read_from_file("o.otio").tracks[0][0]
    assert clip.source_range.start_time == otio.opentime.RationalTime(zero + FIRST, float(RATE))
    assert clip.source_range.duration == otio.opentime.RationalTime(FRAMES, float(RATE))
    assert clip.media_reference.available_range.start_time.value == zero
    assert clip.media_reference.available_range.duration.value == 300
    assert clip.media_reference.target_url == Path(name).absolute().as_uri()

    dropping = time_code is not None and ";" in time_code
    lines = Path("o.edl").read_text().splitlines()
    assert lines[1] == ("FCM: DROP FRAME" if dropping else "FCM: NON-DROP FRAME")
    assert lines[3].split()[4] == source_in
    event = otio.adapters.read_from_file("o.edl", rate=float(RATE) if dropping else 30.0).tracks[0][0]
    assert (event.source_range.start_time.value, event.source_range.duration.value) == (zero + FIRST, FRAMES)

    root = Xml.parse("o.fcpxml").getroot()
    (element,) = root.iter("asset-clip")
    start, length = (Fraction(str(element.get(key)).removesuffix("s")) for key in ("start", "duration"))
    assert [start * RATE, length * RATE] == [Fraction(zero + FIRST), Fraction(FRAMES)]


def test_every_moment_is_exported_on_demand_alone() -> None:
    name = video("a.mp4")
    run(name, "a dog", "a cat", "--export", "o.otio", "--export", "o.srt")
    found = otio.adapters.read_from_file("o.otio").tracks[0]
    assert [clip.name for clip in found] == ["a dog", "a dog", "a cat", "a cat"]
    run(name, "a dog", "a cat", "--export", "o.otio", "--export", "o.srt", "--all")
    every = otio.adapters.read_from_file("o.otio").tracks[0]
    assert [(clip.name, clip.metadata["asst"]["rank"]) for clip in every] == [
        ("a dog", 1),
        ("a dog", 2),
        ("a dog", 3),
        ("a cat", 1),
        ("a cat", 2),
        ("a cat", 3),
    ]
    assert len(pysubs2.load("o.srt")) == 6


def test_nothing_found_writes_empty_lists_and_no_timeline() -> None:
    done = run(video("a.mp4"), "a penguin", "--export", "o.csv", "--export", "o.edl")
    assert done.exit_code == 1
    assert done.stderr.splitlines() == ["wrote o.csv", "no o.edl: nothing found"]
    assert Path("o.csv").read_text().count("\n") == 1
    assert not Path("o.edl").exists()


def test_what_cannot_be_written_is_said_before_the_video_is_read() -> None:
    Path("v.mp4").write_bytes(b"no video at all")
    Path("here.csv").mkdir()
    cases = {
        "o.txt": "asst: o.txt: no format has this ending; use one of .json, .jsonl, .csv, .srt, .vtt, .otio, .edl",
        "o": "asst: o: no format has this ending",
        "no/o.csv": "asst: no/o.csv: no such folder no",
        "here.csv": "asst: here.csv: is a folder",
    }
    for name, message in cases.items():
        assert refused(run("v.mp4", "a dog", "--export", name)).startswith(message)
    assert "named twice" in refused(run("v.mp4", "a dog", "--export", "o.srt", "--export", "o.srt"))
    Path("v.json").write_bytes(b"no video at all")
    assert "is the input itself" in refused(run("v.json", "a dog", "--export", "v.json"))
    assert "add --clip" in refused(run("v.mp4", "a dog", "--fast-clip"))


def test_a_copied_clip_says_how_far_it_moved() -> None:
    name = video("a.mp4")
    done = run(name, "a dog", "--clip", "fast.mp4", "--fast-clip")
    # Key frames stand at every 45th frame: the one before 2 s is at 1.5015 s, half a second early.
    assert done.stderr.startswith("wrote fast.mp4 (0:01.5 to 0:04.0; copied, starts 0.50 s early")
    done = run(name, "a dog", "--clip", "exact.mp4")
    assert done.stderr == "wrote exact.mp4 (0:02.0 to 0:04.0)\n"
