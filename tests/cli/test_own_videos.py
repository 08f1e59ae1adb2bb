"""From video files to moments with a model of one's own: every command of the way, each reading what the last wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.features.networks.bn_inception import BNInception
from asst.video import cut

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated"),
]

RECIPE = "own/small"
SMALL = [
    *(f"network.{width}=8" for width in ("dilation_channels", "channels", "language_channels", "attention_channels")),
    "training.steps=4",
    "training.interval=2",
    "training.batch=2",
]


def run(*words: str | Path) -> Result:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def own(tmp_path: Path, street: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a short video, twice, and sentences about them, which is also where the commands are typed."""
    monkeypatch.chdir(tmp_path)
    Path("videos").mkdir()
    Path("annotation").mkdir()
    for video, split in (("one", "train"), ("two", "val")):
        row = {"video": video, "duration": 3.0, "sentence": "a cyclist rides past", "moments": [[0.5, 2.0]]}
        Path("annotation", f"{split}.jsonl").write_text(json.dumps(row) + "\n")
    cut(street, 2.0, 5.0, Path("videos", "one.mp4"))
    shutil.copy(Path("videos", "one.mp4"), Path("videos", "two.mp4"))
    return tmp_path


@pytest.mark.parametrize("extractor", ["captions", "bn-inception-rgb"])
def test_videos_become_features_a_checkpoint_and_moments(
    own: Path, extractor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = own / "weights"
    weights.mkdir()
    torch.manual_seed(0)
    torch.save(BNInception(3).state_dict(), weights / "bn-inception-rgb.pth")
    monkeypatch.setenv("ASST_WEIGHTS", str(weights))
    extracted = run("features", "videos", "--extractor", extractor, "--out", "store")
    assert extracted.stdout.startswith("of 2 videos extracted 2 ")
    run("features", "info", "store", "--dataset", "jsonlines", "--split", "val", "--data", "annotation")
    run("train", RECIPE, "data.root=annotation", "data.features.own=store", "--run", "run", *SMALL)
    judged = json.loads(run("evaluate", "run", "--split", "val", "--json").stdout)
    assert judged["queries"] == 1
    checkpoint = "run/checkpoints/best.safetensors"
    words = ["locate", "videos/two.mp4", "a cyclist rides past", "--model", checkpoint, "--json", "--report", "r.html"]
    answer = json.loads(run(*words).stdout)
    kept = json.loads(Path("run/predictions/val.jsonl").read_text())
    page = Path("r.html").read_text()
    assert all(f'aria-label="{word}: most at ' in page for word in ("a", "cyclist", "rides", "past"))
    # The same features are made of the raw video as were learnt from.
    assert answer["moments"][0] == pytest.approx(kept["moments"][0], abs=2e-2)

    torch.manual_seed(1)
    torch.save(BNInception(3).state_dict(), weights / "bn-inception-rgb.pth")
    refused = CliRunner().invoke(app, words)
    if extractor == "bn-inception-rgb":
        assert refused.exit_code == 2
        assert "was trained on features of bn-inception-rgb with weights" in refused.stderr
    else:
        assert refused.exit_code == 0
