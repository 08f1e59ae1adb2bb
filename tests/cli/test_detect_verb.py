"""``asst detect`` on a video file, whose features are made by the checkpoint's extractor."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import opentimelineio as otio
import pysubs2
import pytest
import torch
from typer.testing import CliRunner

from asst.cli.app import app
from asst.data.record import Record
from asst.models.checkpoint import FeatureKind, save_checkpoint
from asst.models.methods.detector import DetectorMethod
from asst.video import probe

from ..descriptions import description_of
from ..prior_checkpoint import save_prior


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A detector with fresh weights that reads the stand-in for a video's features, which is made at once."""
    torch.manual_seed(0)
    method = DetectorMethod(
        {
            "feature_channels": 1,
            "dilation_layers": 1,
            "squeezing_layers": 1,
            "dilation_channels": 4,
            "channels": 4,
            "steps": 16,
            "levels": 2,
            "labels": ["ride", "walk"],
        }
    )
    description = description_of(
        "detector",
        method.settings,
        observation={"kind": "crops", "steps": 16, "step_s": 0.25},
        overlap=0.3,
        words="",
        features=FeatureKind(extractor="none", dimension=1, step_s=1.0),
        dataset="actions",
    )
    save_checkpoint(tmp_path / "d.safetensors", description, method.state_dict())
    return tmp_path / "d.safetensors"


@pytest.mark.usefixtures("one_thread")
def test_a_video_file_is_slid_over_and_nothing_lies_outside_it(checkpoint: Path, street: Path) -> None:
    words = ["detect", str(street), "--checkpoint", str(checkpoint), "--min-score", "0", "--top", "50"]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    assert content["video"] == str(street)
    assert content["duration_s"] == pytest.approx(10.0, abs=0.1)
    spans = [(moment["start_s"], moment["end_s"]) for moment in content["moments"]]
    assert {moment["label"] for moment in content["moments"]} == {"ride", "walk"}
    assert min(start for start, _ in spans) < 1
    assert 8 < max(end for _, end in spans) <= content["duration_s"]
    # Windows of four seconds that overlap by half reach every part of the ten seconds.
    assert all(any(start <= second <= end for start, end in spans) for second in range(1, 10))
    table = CliRunner().invoke(app, words).stdout.splitlines()
    assert table[0] == f"{street}: {len(spans)} actions in 0:10.0"


@pytest.mark.usefixtures("one_thread")
def test_actions_are_exported_cut_and_shown(checkpoint: Path, street: Path, tmp_path: Path) -> None:
    words = ["detect", str(street), "--checkpoint", str(checkpoint), "--min-score", "0", "--top", "3", "--json"]
    names = ("o.csv", "o.jsonl", "o.srt", "o.otio")
    files = [word for name in names for word in ("--export", str(tmp_path / name))]
    pages = ["--clip", str(tmp_path / "o.mp4"), "--report", str(tmp_path / "o.html"), "--plot", str(tmp_path / "o.png")]
    done = CliRunner().invoke(app, [*words, *files, *pages])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["moments"]
    assert (tmp_path / "o.jsonl").read_text() == done.stdout
    with (tmp_path / "o.csv").open(newline="") as file:
        rows = [(row["label"], float(row["start_s"]), row["rank"]) for row in csv.DictReader(file)]
    assert rows == [(moment["label"], moment["start_s"], str(k + 1)) for k, moment in enumerate(found)]
    timeline = otio.adapters.read_from_file(str(tmp_path / "o.otio"))
    assert [clip.name for clip in timeline.tracks[0]] == [moment["label"] for moment in found]
    assert {cue.plaintext for cue in pysubs2.load(str(tmp_path / "o.srt"))} <= {"ride", "walk"}
    assert probe(tmp_path / "o.mp4").duration_s == pytest.approx(found[0]["end_s"] - found[0]["start_s"], abs=0.1)
    assert ">Actions</h2>" in (tmp_path / "o.html").read_text()
    assert (tmp_path / "o.png").stat().st_size > 1000
    refused = CliRunner().invoke(app, [*words, "--clip", str(street)])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "is the input itself" in refused.stderr


def test_a_checkpoint_that_answers_sentences_is_refused(tmp_path: Path, street: Path) -> None:
    save_prior(tmp_path / "p.safetensors", [_record()])
    done = CliRunner().invoke(app, ["detect", str(street), "--checkpoint", str(tmp_path / "p.safetensors")])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "answers sentences and finds no actions; use it with asst locate --model" in done.stderr


def _record() -> Record:
    return Record("1", "v", "train", "a dog", 10.0, ((1.0, 2.0),), ((1.0, 2.0),))
