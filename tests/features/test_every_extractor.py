"""Every extractor on a real video: into a store, from there into a trained model, and with that to moments."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.features.extractor import EXTRACTORS
from asst.features.image_text.hub import IMAGE_TEXT
from asst.features.stores.native import Store
from asst.video import frames

from ..tiny_clip import fetched, write

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated"),
]

# One step of most extractors, in which the picture changes once.
LENGTH_S = 0.25
WITH_TVL1 = {"bn-inception-flow", "two-stream", "two-stream-didemo"}
SMALLEST, *OTHERS = IMAGE_TEXT
TVL1 = "TV-L1 of at most 30 iterations"
RECIPE = "own/small"
SMALL = [
    *(f"network.{width}=8" for width in ("dilation_channels", "channels", "language_channels", "attention_channels")),
    # Several steps of the model, the shortest of whose clips must lie inside the video.
    "observation.step_s=0.03125",
    "training.steps=2",
    "training.interval=1",
    "training.batch=2",
]


@pytest.fixture(scope="module")
def weights(weights: Path) -> Path:
    """A folder with random weights of every network, each in a published format."""
    write(weights / "clip", "clip")
    fetched(write(weights / SMALLEST, "clip"))
    return weights


@pytest.fixture
def own(
    tmp_path: Path, street: Path, weights: Path, make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with a real video, once for each split, and sentences, which is also where the commands are typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASST_WEIGHTS", str(weights))
    Path("videos").mkdir()
    Path("annotation").mkdir()
    pixels = next(frames(street, times_s=[2.0] * 3 + [2.125] * 3)).pixels
    count, height, width, _ = pixels.shape
    # Only the middle moves: where most of two frames is equal, TV-L1 soon converges.
    middle = np.s_[:, height // 2 - 40 : height // 2 + 40, width // 2 - 40 : width // 2 + 40]
    moving = pixels[middle]
    pixels = np.repeat(pixels[:1], count, axis=0)
    pixels[middle] = moving
    shown = iter(pixels)
    kind = {"ticks": range(count), "time_base": Fraction(1, 24), "height": height, "width": width}
    # Without loss, equal frames come back equal, and flow between them is not computed.
    real = make("real.mp4", **kind, stored=lambda _: next(shown), options={"crf": "0"})
    for name in ("one.mp4", "two.mp4"):
        shutil.copy(real, Path("videos", name))
    for video, split in (("one", "train"), ("two", "val")):
        row = {"video": video, "duration": LENGTH_S, "sentence": "a cyclist rides past", "moments": [[0.0, 0.125]]}
        Path("annotation", f"{split}.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def run(*words: str | Path) -> Result:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.parametrize("name", [name for name in EXTRACTORS if name not in OTHERS])
def test_a_real_video_becomes_features_a_model_and_moments(name: str, own: Path) -> None:
    run("features", "videos/one.mp4", "--extractor", name, "--out", "store")
    # The other is the same file by another name.
    shutil.copy(Path("store", "one.safetensors"), Path("store", "two.safetensors"))
    features, entry = Store(own / "store").read("one"), EXTRACTORS[name]
    assert features.extractor == name
    assert features.dimension == (entry.dimension or {"clip": 16, "clip-crops": 3 * 16, SMALLEST: 3 * 16}[name])
    assert features.start_s == 0.0
    assert LENGTH_S - 0.01 < features.end_s <= LENGTH_S + features.step_s - 0.01
    assert np.isfinite(features.vectors).all()
    made = json.loads(run("features", "info", "store", "--json").stdout)["made"]
    assert [each["videos"] for each in made] == [2]
    assert bool(made[0]["weights"]) == (name != "none")
    assert made[0]["flow"] == ("DIS" if name.endswith("-dis") else TVL1 if name in WITH_TVL1 else "")

    run("train", RECIPE, "data.root=annotation", "data.features.own=store", "--run", "run", *SMALL)
    checkpoint = "run/checkpoints/best.safetensors"
    run("evaluate", "run", "--split", "val")
    kept = json.loads(Path("run/predictions/val.jsonl").read_text())
    answer = json.loads(run("locate", "videos/two.mp4", "a cyclist rides past", "--model", checkpoint, "--json").stdout)
    # Features made anew of the raw video are those that were learnt from.
    assert answer["moments"][0] == pytest.approx(kept["moments"][0], abs=2e-2)
    spans = [(moment["start_s"], moment["end_s"]) for moment in answer["moments"]]
    assert all(0 <= start_s < end_s <= LENGTH_S + 0.01 for start_s, end_s in spans)
