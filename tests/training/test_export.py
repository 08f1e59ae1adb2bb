"""Exported networks: the same answers as PyTorch's, of every method, and none of PyTorch at all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from asst.data.sample import ProposalRows, Sample, Window
from asst.errors import InputError
from asst.models.answers import ExportedMethod
from asst.models.checkpoint import Description, FeatureKind, save_checkpoint
from asst.models.methods.table import METHODS, RestoredMethod, build_method, restored_method
from asst.models.reranked import RerankedModel
from asst.models.reranker_inputs import FACTS
from asst.models.trained.loading import GRAPH, PACKAGED, loaded, window_steps
from asst.training.export import export_checkpoint

from ..descriptions import description_of

SMALL = {
    "feature_channels": 6,
    "word_channels": 5,
    "dilation_layers": 2,
    "squeezing_layers": 2,
    "dilation_channels": 8,
    "channels": 8,
    "language_channels": 8,
    "attention_channels": 8,
}
SIZES = {"feature_channels": 6, "word_channels": 5}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "asst, detection": ("asst", {**SMALL, "steps": 16, "levels": 3}),
    "asst, classification": ("asst", {**SMALL, "steps": 24, "head": "classification", "endpoint_feature": True}),
    "asst, final": ("asst", {**SMALL, "steps": 16, "levels": 3, "feeding": "final"}),
    "asst, none": ("asst", {**SMALL, "steps": 16, "levels": 3, "feeding": "none"}),
    "prior": ("prior", {"steps": 16}),
    "prior of pieces": ("prior", {"steps": 16, "clips": "pieces"}),
    "cca": ("cca", {**SIZES, "steps": 16, "clips": "pieces"}),
    "mcn": ("mcn", {**SIZES, "steps": 16, "clips": "pieces", "lstm_channels": 7, "streams": [2, 4]}),
    "ctrl": ("ctrl", {**SIZES, "steps": 16, "lengths": [4.0, 8.0], "lstm_channels": 7, "channels": 8}),
    "2d-tan": ("2d-tan", {**SIZES, "steps": 16, "clips": 8, "scales": [4, 2], "channels": 6, "lstm_channels": 7}),
    "moment-detr": ("moment-detr", {**SIZES, "steps": 16, "channels": 8, "heads": 2, "hidden_channels": 6}),
    "detector": (
        "detector",
        {
            **{name: value for name, value in SMALL.items() if name.split("_")[0] not in ("word", "language")},
            "steps": 16,
            "levels": 3,
            "labels": ["dive", "cliff dive", "run"],
            "includes": {"dive": ["cliff dive"]},
        },
    ),
    "frames": ("frames", {"feature_channels": 6, "steps": 16, "labels": ["a", "b"], "thresholds": [0.01, 0.1]}),
    "reranker": ("reranker", SMALL),
}


def write(path: Path, name: str, settings: dict[str, Any]) -> Description:
    torch.manual_seed(0)
    method = build_method(name, settings)
    with torch.no_grad():
        for _, weight in sorted(method.state_dict().items()):
            if weight.is_floating_point():
                # Away from what a normalisation or a fit begins with.
                weight.copy_(0.3 * torch.randn_like(weight)).abs_() if weight.ndim < 2 else weight.mul_(1.5)
    kind = FeatureKind(extractor="toy", dimension=6 if name != "prior" else 1, step_s=1.0)
    description = description_of(name, method.settings, words="glove", features=kind, origin="simulated", recipe="toy")
    save_checkpoint(path, description, method.state_dict())
    return description


def some_samples(description: Description, count: int, seed: int) -> list[Sample]:
    """Windows of several lengths with sentences of several, the way the method reads them."""
    draw = np.random.default_rng(seed)
    width = description.settings.get("feature_channels", description.features.dimension)
    words = description.settings.get("word_channels", 1)
    full = window_steps(description)
    samples = []
    for index in range(count):
        steps = int(draw.integers(full // 2, full + 1))
        spans = np.sort(draw.uniform(0, steps, (int(draw.integers(1, 12)), 2)), axis=1).astype(np.float32)
        facts = draw.standard_normal((len(spans), len(FACTS))).astype(np.float32)
        samples.append(
            Sample(
                index,
                Window(0.0, 1.0, steps),
                draw.standard_normal((steps, width)).astype(np.float32),
                draw.standard_normal((int(draw.integers(1, 9)), words)).astype(np.float32),
                np.zeros((0, 2)),
                proposals=ProposalRows(spans, facts) if description.method == "reranker" else None,
            )
        )
    return samples


def test_every_method_is_tried() -> None:
    assert {name for name, _ in CASES.values()} == METHODS.keys()


@pytest.mark.parametrize("case", CASES)
def test_a_network_answers_as_its_checkpoint_does(case: str, tmp_path: Path, one_thread: None) -> None:
    description = write(tmp_path / "a.safetensors", *CASES[case])
    assert export_checkpoint(tmp_path / "a.safetensors", tmp_path / "a.onnx") == description
    (ours,), said = loaded([tmp_path / "a.onnx"])
    assert said == description
    method, _ = restored_method(tmp_path / "a.safetensors")
    theirs = RestoredMethod(method, window_steps(description))
    for name in ("relative", "averages", "finds_actions", "labels"):
        assert getattr(ours, name) == getattr(theirs, name)
    for count in (1, 2, 5):
        samples = some_samples(description, count, seed=count)
        found, expected = ours.answers(samples), theirs.answers(samples)
        np.testing.assert_array_equal(found.kept, expected.kept)
        assert expected.kept.any()
        np.testing.assert_allclose(found.spans[found.kept], expected.spans[found.kept], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found.scores[found.kept], expected.scores[found.kept], rtol=1e-4, atol=1e-4)
        assert (found.labels is None) == (expected.labels is None)
        if expected.labels is not None:
            np.testing.assert_array_equal(found.labels, expected.labels)
        weights = theirs.attention(samples)
        assert ours.attention(samples).keys() == weights.keys()
        for layer, own in ours.attention(samples).items():
            np.testing.assert_allclose(own, weights[layer], atol=1e-5)


def test_the_graph_that_ships_is_that_of_the_checkpoint_that_ships(one_thread: None) -> None:
    """With the checkpoint's weights it answers as PyTorch does; so it need not be written anew after a training."""
    method, description = restored_method(PACKAGED)
    weights = {name: own.numpy() for name, own in method.state_dict().items()}
    ours, theirs = ExportedMethod.of_graph(GRAPH, weights, description), RestoredMethod(method, 64)
    samples = some_samples(description, 4, seed=9)
    found, expected = ours.answers(samples), theirs.answers(samples)
    np.testing.assert_allclose(found.scores[found.kept], expected.scores[found.kept], atol=1e-4)


def test_what_is_no_network_is_refused_in_one_line(tmp_path: Path) -> None:
    checkpoint = tmp_path / "a.safetensors"
    write(checkpoint, *CASES["mcn"])
    export_checkpoint(checkpoint, tmp_path / "a.onnx")
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "a.onnx").read_bytes()[:2000])
    (tmp_path / "text.onnx").write_text("nothing")
    other = onnx.load(tmp_path / "a.onnx")
    del other.metadata_props[:]
    onnx.save(other, tmp_path / "other.onnx")
    for name, said in (
        ("cut", "no graph that can be computed"),
        ("text", "no graph that can be computed"),
        ("other", r"is no network of asst \(no format\)"),
        ("none", "no file"),
    ):
        with pytest.raises(InputError, match=said) as refused:
            loaded([tmp_path / f"{name}.onnx"])
        assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match=r"networks are written as \.onnx files"):
        export_checkpoint(checkpoint, tmp_path / "b.pt")


WITHOUT = """
import json, sys
sys.modules.update(dict.fromkeys(("torch", "lightning", "transformers")))
from typer.testing import CliRunner
from asst.cli.app import app
done = [CliRunner().invoke(app, words) for words in json.loads(sys.argv[1])]
print(json.dumps([(own.exit_code, own.stdout, own.stderr) for own in done]))
"""


def asked_without_pytorch(*commands: list[str]) -> list[tuple[int, str, str]]:
    words = [sys.executable, "-c", WITHOUT, json.dumps(commands)]
    done: list[tuple[int, str, str]] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return done


def test_an_exported_reranker_and_the_default_answer_alike_without_pytorch(
    street: Path, tmp_path: Path, untrained_reranker: Callable[[Path, dict[str, Any]], Path]
) -> None:
    out = tmp_path / "default.onnx"
    words = [sys.executable, "-c", "from asst.cli import main; main()", "export", str(PACKAGED), str(out)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert f"asst locate VIDEO SENTENCE --model {out}" in done.stdout
    own = untrained_reranker(tmp_path / "own.safetensors", {"channels": 8, "dilation_channels": 8})
    asked = ["locate", str(street), "a man rides a bicycle after a taxi", "--json"]
    *answers, refused = asked_without_pytorch(asked, [*asked, "--model", str(out)], [*asked, "--model", str(own)])
    assert [code for code, _, _ in answers] == [0, 0], answers[1][2]
    first, second = (printed.split('"moments"')[1] for _, printed, _ in answers)
    assert first == second
    assert RerankedModel.load(out).description == RerankedModel.load(PACKAGED).description
    # A checkpoint of other settings than the shipped one's is computed by PyTorch, which is missing here.
    assert (refused[0], refused[2].count("\n")) == (2, 1)
    assert "asst export" in refused[2]
