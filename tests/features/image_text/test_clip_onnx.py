"""CLIP and SigLIP by ONNX Runtime: what transformers makes of the same, without it or PyTorch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from asst.errors import InputError
from asst.features.image_text.hub import PICTURES, SENTENCES
from asst.features.image_text.towers import OnnxTowers
from asst.features.zeroshot.clip_crops import towers_of
from asst.models import model_named

from ...tiny_clip import PREPARING, exported, model, tokenizer

TOLERANCE = 1e-4
KINDS = ["clip", "clip-unmasked", "siglip"]


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    return exported(tmp_path_factory.mktemp("onnx") / request.param, request.param)


def kind_of(folder: Path) -> str:
    return folder.name.partition("-")[0]


def unit(vectors: Tensor) -> Any:
    return nn.functional.normalize(vectors, dim=-1).numpy()


@torch.inference_mode()
def test_pictures_are_those_of_transformers(folder: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), dtype=np.uint8)
    kind = kind_of(folder)
    mean, deviation = (np.array(PREPARING[kind][name]) for name in ("image_mean", "image_std"))
    given = torch.from_numpy(((pictures / 255 - mean) / deviation).astype(np.float32)).permute(0, 3, 1, 2)
    expected = unit(model(kind).get_image_features(pixel_values=given).pooler_output)
    towers = towers_of(folder)
    assert isinstance(towers, OnnxTowers)
    np.testing.assert_allclose(towers.picture_vectors(pictures), expected, atol=TOLERANCE)
    assert towers.dimension == expected.shape[1]


@torch.inference_mode()
def test_sentences_are_those_of_transformers(folder: Path) -> None:
    kind, sentences = kind_of(folder), ["A dog runs", "cat", "a cat sits " * 9] * 30
    given = dict(tokenizer()(sentences, padding="max_length", truncation=True, max_length=12, return_tensors="pt"))
    mask = {"attention_mask": given["attention_mask"]} if kind == "clip" else {}
    expected = unit(model(kind).get_text_features(input_ids=given["input_ids"], **mask).pooler_output)
    found = towers_of(folder).sentence_vectors(sentences)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_what_decides_the_numbers_is_in_the_hashes(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / folder.name
    shutil.copytree(folder, other)
    (other / f"{SENTENCES}_data").write_bytes(b"more")
    said = json.loads((other / "preprocessor_config.json").read_text())
    said["image_mean"] = [0.1, 0.2, 0.3]
    (other / "preprocessor_config.json").write_text(json.dumps(said))
    first, second = towers_of(folder), towers_of(other)
    assert (first.weights, first.settings) != (second.weights, second.settings)
    assert first.weights != second.weights
    assert first.settings != second.settings


def test_pictures_that_are_not_normalised_are_only_scaled(tmp_path: Path, one_thread: None) -> None:
    """As MobileCLIP's folders have it."""
    folder = exported(tmp_path / "clip", "clip")
    pictures = np.full((1, 32, 32, 3), 51, dtype=np.uint8)
    said = {"do_normalize": False, "do_center_crop": True, "size": {"shortest_edge": 32}, "resample": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps({**said, "crop_size": {"height": 32, "width": 32}}))
    with torch.inference_mode():
        expected = unit(model("clip").get_image_features(pixel_values=torch.full((1, 3, 32, 32), 0.2)).pooler_output)
    np.testing.assert_allclose(towers_of(folder).picture_vectors(pictures), expected, atol=TOLERANCE)


def unprojected(folder: Path) -> None:
    """What a CLIP tower alone would give."""
    import onnx

    network = onnx.load(folder / PICTURES)
    network.graph.output[0].name = "pooler_output"
    network.graph.node[-1].output[0] = "pooler_output"
    onnx.save(network, folder / PICTURES)


BROKEN: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: (folder / PICTURES).write_bytes(b"none"), r"vision_model\.onnx: no graph that can be computed"),
    (lambda folder: (folder / "tokenizer.json").write_text("{"), "holds no tokenizer that can be read"),
    (lambda folder: (folder / "config.json").write_text('{"model_type": "bert"}'), "a model of the kind bert"),
    (unprojected, r"vision_model\.onnx gives pooler_output, and none of image_embeds, text_embeds$"),
    (lambda folder: shutil.copy(folder / PICTURES, folder / SENTENCES), r"text_model\.onnx takes pixel_values, and no"),
]


@pytest.mark.parametrize(("harm", "told"), BROKEN)
def test_a_folder_that_does_not_fit_is_refused(
    harm: Callable[[Path], object], told: str, tmp_path: Path, one_thread: None
) -> None:
    folder = exported(tmp_path / "clip", "clip")
    harm(folder)
    with pytest.raises(InputError, match=told) as refused:
        model_named(folder)
    assert "\n" not in str(refused.value)


def test_neither_pytorch_nor_transformers_is_imported(folder: Path, tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from asst.features.zeroshot.clip_crops import towers_of\n"
        "towers = towers_of(Path(sys.argv[1]))\n"
        "towers.picture_vectors(np.zeros((1, 32, 32, 3), np.uint8)), towers.sentence_vectors(['a dog'])\n"
        "assert not {'torch', 'transformers'} & sys.modules.keys(), 'imported'\n"
    )
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_video_is_asked_by_it(folder: Path, street: Path) -> None:
    loaded = model_named(folder)
    features = loaded.extractor.extract(street)
    (ranking,) = loaded.rank(features, ["a dog runs"], top=3)
    assert all(0 <= moment.start_s < moment.end_s <= 10.1 for moment in ranking.ranked)
