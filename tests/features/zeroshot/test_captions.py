"""A space learnt from captions in use: what is seen and said lies in it, and moments are found by its file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from typer.testing import CliRunner

import asst
from asst.cli.app import app
from asst.errors import InputError
from asst.features.stores.native import Store
from asst.features.zeroshot.captions import CaptionExtractor, load_space
from asst.features.zeroshot.efficientnet import CHANNELS
from asst.features.zeroshot.minilm import MiniLM
from asst.features.zeroshot.space import concept_data, named_classes, resembled_classes
from asst.training.space.towers import PictureTower, towers_with
from asst.video import Frames, frames

from ...tiny_space import write_space


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    return write_space(tmp_path_factory.mktemp("space") / "own.safetensors")


@torch.inference_mode()
def test_each_crop_is_what_the_network_sees_and_lies_where_the_tower_puts_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASST_PRECISION", "float32")
    picture = np.random.default_rng(0).integers(0, 255, (256, 512, 3), dtype=np.uint8)
    extractor = CaptionExtractor(path)
    found = extractor.extract_frames([Frames(picture[None], np.zeros(1))])
    assert (found.extractor, found.step_s, found.dimension) == ("captions", 0.5, extractor.space.dimension)
    tower: Any = towers_with(load_space(path).weights()).pictures
    maps = tower.network(torch.from_numpy(picture)[None])
    (crops,) = extractor.space.crops(found.vectors).astype(np.float32)
    for row, first in zip(crops, (0, 4, 8), strict=True):
        pooled = maps[0, :, :, first : first + 8].mean((1, 2))
        np.testing.assert_allclose(row, pooled, atol=4e-3)
        centred = row - extractor.space.mean
        np.testing.assert_allclose(centred / np.linalg.norm(centred), tower(pooled), atol=2e-3)


def test_a_change_without_its_scale_is_refused_when_the_space_is_loaded(tmp_path: Path) -> None:
    path = write_space(tmp_path / "own.safetensors", own_encoder=True)
    name = "sentences.encoder.layers.0.wide.weight"
    with safe_open(path, framework="np") as opened:
        about, stored = opened.metadata(), {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    stored[name] = np.ones((4, 4), np.int8)
    for scale in ({}, {f"{name}.scale": np.ones(3, np.float32)}):
        save_file({**stored, **scale}, path, about)
        with pytest.raises(InputError, match=rf"damaged or .*no scale for each row of {name}"):
            load_space(path)


def test_classes_are_told_by_the_published_last_layer(extractor: CaptionExtractor) -> None:
    tower, classifier = PictureTower(), extractor.space.classifier
    assert classifier is not None
    pooled = torch.rand(2, CHANNELS, generator=torch.Generator().manual_seed(0))
    expected = pooled.double().numpy() @ classifier.weights.T.astype(float) + classifier.bias
    np.testing.assert_allclose(tower.logits(pooled), expected, atol=1e-3)


@pytest.mark.parametrize("own_encoder", [False, True])
def test_sentences_lie_where_the_sentence_tower_puts_them(tmp_path: Path, own_encoder: bool) -> None:
    path = write_space(tmp_path / "own.safetensors", own_encoder=own_encoder)
    space, sentences, table = load_space(path), CaptionExtractor(path).sentences, concept_data()
    tower: Any = towers_with(space.weights()).sentences
    encoder = MiniLM(space.encoder())

    @torch.inference_mode()
    def placed(texts: list[str]) -> npt.NDArray[np.float32]:
        """By the tower's layers one after the other."""
        meanings = torch.from_numpy(encoder.encode(texts))
        bent = tower.narrow(torch.nn.functional.gelu(tower.wide(meanings)))
        vectors = (tower.straight(meanings) + bent).numpy()
        unit: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    said = ["a dog runs", "", "the red car at the traffic lights"]
    usual = placed(table["negatives"]).mean(axis=0)
    reading = sentences.read(said)
    for found, vectors in (
        (reading.classifiers, placed(said)),
        (sentences.negatives[:9], placed(table["negatives"][:9])),
        (sentences.glosses[:9], placed(table["glosses"][:9])),
    ):
        apart = vectors - usual
        np.testing.assert_allclose(found, apart / np.linalg.norm(apart, axis=1, keepdims=True), atol=2e-3)
    assert (sentences.negatives.shape, sentences.glosses.shape) == ((229, CHANNELS), (1000, CHANNELS))
    assert list(reading.named) == [named_classes(text) for text in said]
    resembled = resembled_classes(encoder.encode(said), encoder.encode(table["glosses"]))
    # The package keeps what the published encoder makes of glosses in 16 bits.
    np.testing.assert_allclose(reading.resembled, resembled, atol=1e-4)


def test_features_in_both_precisions_serve_in_each_others_place(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    pictures = next(frames(street, rate=0.5, batch=5, short_side=256))
    for precision in ("float32", "int8"):
        monkeypatch.setenv("ASST_PRECISION", precision)
        extractor = CaptionExtractor()
        assert extractor.precision == precision
        centred = (
            extractor.crop_vectors(pictures.pixels).astype(np.float64).reshape(-1, CHANNELS) - extractor.space.mean
        )
        seen.append(centred / np.linalg.norm(centred, axis=1, keepdims=True))
    cosines = (seen[0] * seen[1]).sum(axis=1)
    # The bounds that docs/extractors.md states. Equal ones would be of one and the same graph.
    assert cosines.min() > 0.95
    assert 0.98 < np.median(cosines) < 0.99999


def test_in_the_packaged_space_sentences_about_a_class_point_at_it(extractor: CaptionExtractor) -> None:
    """Nobody told the space how classes are called; one in fifty classes is among the first twenty by chance."""
    assert extractor.space.classifier is not None
    rows = extractor.space.classifier.weights - extractor.space.classifier.weights.mean(axis=0)
    likeness = extractor.sentences.glosses @ (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T
    ahead = (likeness > np.diag(likeness)[:, None]).sum(axis=1)
    assert (ahead < 20).mean() > 0.4


def test_its_file_is_a_model(path: Path, street: Path) -> None:
    localizer = asst.load(path)
    shown = np.concatenate([frame.pixels for frame in frames(street, times_s=[1.0, 4.0], short_side=256)])
    pixels = np.repeat(np.stack([shown[0], 255 - shown[1], shown[0]]), 16, axis=0)
    features = localizer.features([Frames(pixels, np.arange(48) / 4)])
    assert features.cuts_s.tolist() == [4.0, 8.0]
    (ranking,) = localizer.model.rank(features, ["a car"], top=3)
    # What matches best at the steps, by the vectors themselves, is where the best moment lies.
    extractor = CaptionExtractor(path)
    (said,), negatives = extractor.sentences.read(["a car"]).classifiers, extractor.sentences.negatives
    crops = extractor.space.crops(features.vectors).astype(np.float32) - extractor.space.mean
    crops /= np.linalg.norm(crops, axis=2, keepdims=True)
    match = (crops @ said - (crops @ negatives.T).mean(axis=2)).max(axis=1)
    best = ranking.ranked[0]
    inside = (features.times_s >= best.start_s) & (features.times_s < best.end_s)
    assert match[inside].mean() > match[~inside].mean()
    assert localizer.name == "own.safetensors"


def test_a_video_is_asked_and_kept_by_the_command(path: Path, street: Path, tmp_path: Path) -> None:
    asked = CliRunner().invoke(app, ["locate", str(street), "a cyclist rides past", "--model", str(path), "--json"])
    assert asked.exit_code in (0, 1), asked.output
    assert json.loads(asked.stdout)["model"] == "own.safetensors"
    store = tmp_path / "store"
    words = ["features", str(street), "--extractor", "captions", "--weights", str(path), "--out", str(store)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    weights = Store(store).provenance(street.stem).weights
    assert weights
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(weights)


def test_a_file_that_is_cut_short_or_of_another_kind_is_one_line(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    for name, own in (("cut", content[:-100]), ("short", content[:4]), ("text", b"no weights at all")):
        broken = tmp_path / f"{name}.safetensors"
        broken.write_bytes(own)
        for read in (asst.load, CaptionExtractor):
            with pytest.raises(InputError, match=rf"{name}\.safetensors is damaged") as raised:
                read(broken)
            assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match="is no space of pictures and sentences"):
        CaptionExtractor(Path(asst.__file__).parent / "models" / "default.safetensors")
