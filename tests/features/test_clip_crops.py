"""CLIP and SigLIP of crops: each is seen as the model sees it, and sentences differ from what all have in common."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from asst.errors import InputError
from asst.features import runtime as precision
from asst.features.zeroshot import clip_crops
from asst.features.zeroshot.clip_crops import ClipCropsExtractor
from asst.features.zeroshot.space import concept_data
from asst.video import Frames, frames

from ..tiny_clip import PREPARING, model, write

WORDS = sorted({word for text in concept_data()["negatives"] for word in text.split()} - {"a", "dog", "cat"})


@pytest.fixture(scope="module", params=["clip", "siglip"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    return write(tmp_path_factory.mktemp("weights") / "clip", request.param, WORDS)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of 32 bits, whatever the machine is fastest in."""
    monkeypatch.setattr(precision, "fastest_dtype", lambda: torch.float32)


@torch.inference_mode()
@pytest.mark.parametrize("upright", [False, True])
def test_each_crop_is_seen_as_the_model_sees_it(folder: Path, upright: bool) -> None:
    draw = np.random.default_rng(0)
    picture = draw.integers(0, 255, (32, 60, 3), dtype=np.uint8)
    picture = np.ascontiguousarray(picture.transpose(1, 0, 2)) if upright else picture
    extractor = ClipCropsExtractor(folder)
    found = extractor.extract_frames([Frames(picture[None], np.zeros(1))])
    assert (found.extractor, found.step_s, found.dimension) == ("clip-crops", 0.5, extractor.dimension)
    kind = str(json.loads((folder / "config.json").read_text())["model_type"])
    mean, deviation = (np.array(PREPARING[kind][name]) for name in ("image_mean", "image_std"))
    alone = model(kind, WORDS)
    for row, first in zip(found.vectors.reshape(3, -1).astype(np.float32), (0, 14, 28), strict=True):
        square = picture[first : first + 32] if upright else picture[:, first : first + 32]
        given = torch.from_numpy(((square / 255 - mean) / deviation).astype(np.float32)).permute(2, 0, 1)[None]
        expected = alone.get_image_features(pixel_values=given).pooler_output[0]
        np.testing.assert_allclose(row, expected / expected.norm(), atol=2e-3)


def test_sentences_are_told_by_how_they_differ_from_others(folder: Path) -> None:
    extractor = ClipCropsExtractor(folder)
    negatives = concept_data()["negatives"]
    vectors = extractor._towers.sentence_vectors([negatives[7], "a dog runs", *negatives])
    usual = vectors[2:].mean(axis=0)
    reading = extractor.sentences.read([negatives[7], "a dog runs"])
    assert reading.classifiers.shape == (2, extractor.space.channels)
    assert [list(own) for own in reading.named] == [[], []]
    assert reading.resembled.shape == (2, 0)
    for vector, classifier in zip(vectors[:2], reading.classifiers, strict=True):
        np.testing.assert_allclose(classifier, (vector - usual) / np.linalg.norm(vector - usual), atol=1e-4)
    np.testing.assert_allclose(extractor.sentences.negatives[7], reading.classifiers[0], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(extractor.sentences.glosses, axis=1), 1, atol=1e-4)


def test_shots_are_found_by_colours_and_what_is_seen(
    folder: Path, street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What random weights make of two pictures differs little.
    monkeypatch.setattr(clip_crops, "_TURN_LEAST", 0.02)
    shown = next(frames(street, times_s=[2.5], short_side=48)).pixels[0]
    other = np.ascontiguousarray(255 - shown[:, ::-1])
    pixels = np.stack([shown] * 12 + [other] * 12)
    found = ClipCropsExtractor(folder).extract_frames([Frames(pixels, np.arange(24) / 4)])
    assert found.cuts_s.tolist() == [3.0]
    assert len(found) == 12


def test_a_network_that_sees_no_square_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "wide"
    other.mkdir()
    for path in folder.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    said = json.loads((other / "preprocessor_config.json").read_text())
    said["size"] = said["crop_size"] = {"height": 32, "width": 48}
    (other / "preprocessor_config.json").write_text(json.dumps(said))
    with pytest.raises(InputError, match="sees 32 x 48 pixels, no square; use extractor clip"):
        ClipCropsExtractor(other)
