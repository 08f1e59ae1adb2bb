"""A space learnt from captions in use: what is seen and said lies in it, and moments are found by its file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import asst
from asst.cli.app import app
from asst.errors import InputError
from asst.features import captions
from asst.features.caption_space import load_space
from asst.features.captions import CaptionExtractor
from asst.features.clip_squares import JointSentences
from asst.features.concepts import concept_data
from asst.features.store import Store
from asst.video import Frames, frames

from ..tiny_space import write_space

DIMENSION = 8


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    return write_space(tmp_path_factory.mktemp("space") / "own.safetensors", DIMENSION)


@torch.inference_mode()
def test_each_square_lies_where_the_picture_tower_puts_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "fastest_dtype", lambda: torch.float32)
    picture = np.random.default_rng(0).integers(0, 255, (256, 512, 3), dtype=np.uint8)
    found = CaptionExtractor(path).extract_frames([Frames(picture[None], np.zeros(1))])
    assert (found.extractor, found.step_s, found.dimension) == ("captions", 0.5, 3 * DIMENSION)
    tower = load_space(path).pictures
    maps = tower.network(torch.from_numpy(picture)[None])
    for row, first in zip(found.vectors.reshape(3, -1).astype(np.float32), (0, 4, 8), strict=True):
        expected = tower(maps[..., first : first + 8].mean((2, 3)))[0].numpy()
        np.testing.assert_allclose(row, expected, atol=2e-3)
        assert np.linalg.norm(row) == pytest.approx(1, abs=2e-3)


def test_sentences_lie_where_the_sentence_tower_puts_them(path: Path) -> None:
    sentences, tower = CaptionExtractor(path).sentences, load_space(path).sentences
    assert isinstance(sentences, JointSentences)
    apart = tower.encode(["a dog runs"])[0] - tower.encode(concept_data()["unrelated"]).mean(axis=0)
    (found,) = sentences.read(["a dog runs"]).classifiers[0]
    np.testing.assert_allclose(found, apart / np.linalg.norm(apart), atol=1e-4)


def test_its_file_is_a_model(path: Path, street: Path) -> None:
    localizer = asst.load(path)
    shown = np.concatenate([frame.pixels for frame in frames(street, times_s=[1.0, 4.0], short_side=256)])
    pixels = np.repeat(np.stack([shown[0], 255 - shown[1], shown[0]]), 16, axis=0)
    features = localizer.features([Frames(pixels, np.arange(48) / 4)])
    assert features.cuts_s.tolist() == [4.0, 8.0]
    (ranking,) = localizer.rank(features, ["a car"], top=3)
    # What matches best at the steps, by the vectors themselves, is where the best moment lies.
    (said,) = CaptionExtractor(path).sentences.read(["a car"]).classifiers[0]
    unrelated = CaptionExtractor(path).sentences.unrelated[0]
    squares = np.asarray(features.vectors, np.float32).reshape(24, 3, DIMENSION)
    match = (squares @ said - (squares @ unrelated.T).mean(axis=2)).max(axis=1)
    best = ranking.moments[0]
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
