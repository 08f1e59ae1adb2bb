"""``asst search --export``, ``--clip``, ``--report`` and ``--plot``: the moments of several videos, read back."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as Xml

import opentimelineio as otio
import pysubs2
import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.video import probe

ENDINGS = ("csv", "json", "jsonl", "otio", "edl", "fcpxml", "mp4")


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """A library of two videos that hold green, by the model that knows three colours, in the current folder."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "library"))
    module = import_module("fake_engine")
    monkeypatch.setattr("asst.library.engine.engine_of", module.engine_of)
    monkeypatch.chdir(tmp_path)
    module.make_video(tmp_path / "a.mp4", "rrrrgggg")
    module.make_video(tmp_path / "b.mp4", "ggbbbbgg")
    module.make_video(tmp_path / "c.mp4", "bbbb")
    assert run("index", "a.mp4", "b.mp4", "c.mp4").exit_code == 0
    yield module
    sys.modules.pop("fake_engine", None)


def run(verb: str, *words: str) -> Result:
    return CliRunner().invoke(app, [verb, *words, "--library", "lib"])


def exports(*endings: str) -> list[str]:
    return [word for ending in endings for word in ("--export", f"out.{ending}")]


def test_every_format_holds_the_moments_of_all_videos() -> None:
    done = run("search", "green", "--json", *exports(*ENDINGS))
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines() == [f"wrote out.{ending}" for ending in ENDINGS]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted((Path(m["video"]).name, m["start_s"], m["end_s"]) for m in found) == [
        ("a.mp4", 2.0, 4.0),
        ("b.mp4", 0.0, 1.0),
        ("b.mp4", 3.0, 4.0),
    ]
    assert Path("out.jsonl").read_text() == done.stdout
    assert json.loads(Path("out.json").read_text()) == found
    with Path("out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["video"], float(row["start_s"]), float(row["end_s"]), row["query"], row["rank"]) for row in rows] == [
        (m["video"], m["start_s"], m["end_s"], "green", str(rank)) for rank, m in enumerate(found, start=1)
    ]
    clips = otio.adapters.read_from_file("out.otio").tracks[0]
    sources = [(clip.media_reference.target_url, clip.trimmed_range().start_time.to_seconds()) for clip in clips]
    assert sources == [(Path(m["video"]).as_uri(), m["start_s"]) for m in found]
    rate = float(clips[0].source_range.start_time.rate)
    events = otio.adapters.read_from_file("out.edl", rate=rate).tracks[0]
    assert [event.source_range.start_time.to_seconds() for event in events] == [m["start_s"] for m in found]
    assert len({event.metadata["cmx_3600"]["reel"] for event in events}) == 2
    root = Xml.parse("out.fcpxml").getroot()
    assets = {asset.get("id"): asset.get("src") or asset.find("media-rep") for asset in root.iter("asset")}
    assert [assets[clip.get("ref")] for clip in root.iter("asset-clip")] == [Path(m["video"]).as_uri() for m in found]
    assert probe(Path("out.mp4")).duration_s == pytest.approx(4.0)


def test_subtitles_are_of_one_video() -> None:
    done = run("search", "green", *exports("srt", "csv"))
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "wrote out.csv",
        "asst: subtitles are of one video, and these moments lie in 2; take those of one, or write .csv or .otio",
    ]
    assert not Path("out.srt").exists()
    assert run("search", "green", "--in", "b.mp4", *exports("srt", "vtt")).exit_code == 0
    for ending in ("srt", "vtt"):
        cues = [(cue.start, cue.end, cue.plaintext) for cue in pysubs2.load(f"out.{ending}")]
        assert cues == [(0, 1000, "green"), (3000, 4000, "green")]


def test_each_moment_is_cut_and_shown() -> None:
    done = run("search", "green", "--json", "--clip", "cut.mp4", "--report", "r.html", "--plot", "p.png")
    assert done.exit_code == 0, done.output
    found = [json.loads(line) for line in done.stdout.splitlines()]
    lengths = [probe(Path(f"cut-{number}.mp4")).duration_s for number in (1, 2, 3)]
    assert lengths == [pytest.approx(m["end_s"] - m["start_s"]) for m in found]
    assert not Path("cut-4.mp4").exists()
    page = Path("r.html").read_text()
    videos = list(dict.fromkeys(Path(m["video"]).name for m in found))
    assert re.findall(r"<h[12][^>]*>([^<]*)", page) == ["green", *videos]
    assert page.count('<path class="curve" d="M') == len(videos) == 2
    assert Path("p.png").stat().st_size > 1000
    one = run("search", "green", "--top", "1", "--clip", "one.mp4", "--fast-clip")
    assert one.stderr.startswith("wrote one.mp4 (")


def test_nothing_found_writes_empty_lists_and_nothing_else() -> None:
    Path("out.edl").write_text("of an earlier sentence")
    done = run("search", "green", "--in", "c.mp4", *exports("csv", "edl"), "--report", "r.html", "--clip", "cut.mp4")
    assert done.exit_code == 1
    older = "no out.edl: nothing found; the file that is there is an older one"
    assert done.stderr.splitlines() == ["no page r.html: nothing found", "wrote out.csv", older]
    assert Path("out.csv").read_text().count("\n") == 1


def test_no_file_replaces_a_video_of_the_library() -> None:
    before = Path("b.mp4").read_bytes()
    done = run("search", "green", "--top", "1", "--clip", "b.mp4")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "asst: b.mp4: is the input itself; write to another file\n"
    assert Path("b.mp4").read_bytes() == before
    assert "add --clip" in run("search", "green", "--fast-clip").stderr
