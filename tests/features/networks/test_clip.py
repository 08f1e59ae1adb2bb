"""CLIP and SigLIP from a local folder: pictures prepared as transformers does, sentences in the same space."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from asst.errors import InputError
from asst.features.extractor import extractor_named
from asst.features.image_text.towers import Preprocessing
from asst.features.networks import frame_network
from asst.features.networks.clip import ClipExtractor
from asst.video import Frames, frames

from ...tiny_clip import PREPARING, model, write

PROCESSORS: dict[str, Callable[..., Any]] = {"clip": CLIPImageProcessorPil, "siglip": SiglipImageProcessorPil}


@pytest.fixture(scope="module", params=["clip", "siglip"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """A tiny model as a hub has it."""
    return write(tmp_path_factory.mktemp("weights") / "clip", request.param)


def kind_of(folder: Path) -> str:
    return str(json.loads((folder / "config.json").read_text())["model_type"])


def unit(vectors: torch.Tensor) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=-1).numpy()
    return values


@pytest.fixture(params=["float32", "bfloat16"])
def tolerance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """How far a number may be off in the number format that the machine is said to be fastest in."""
    monkeypatch.setattr(frame_network, "fastest_dtype", lambda: getattr(torch, request.param))
    return 1e-5 if request.param == "float32" else 2e-2


@pytest.fixture(scope="module")
def picture(street: Path) -> npt.NDArray[np.uint8]:
    pixels: npt.NDArray[np.uint8] = next(frames(street, times_s=[2.5], short_side=64)).pixels[0]
    return pixels


@pytest.mark.parametrize("turned", [False, True])
def test_pictures_are_prepared_as_transformers_does(folder: Path, picture: npt.NDArray[np.uint8], turned: bool) -> None:
    shown = np.ascontiguousarray(np.rot90(picture)) if turned else picture
    kind = kind_of(folder)
    processor = PROCESSORS[kind](**{**PREPARING[kind], "do_rescale": False, "do_normalize": False})
    expected = processor(shown, return_tensors="np")["pixel_values"][0].transpose(1, 2, 0)
    np.testing.assert_array_equal(Preprocessing.read(folder)([shown]), expected)


@torch.inference_mode()
def test_vectors_are_those_of_the_model(folder: Path, picture: npt.NDArray[np.uint8], tolerance: float) -> None:
    extractor = extractor_named("clip", folder.parent)
    kind = kind_of(folder)
    found = extractor.extract_frames([Frames(picture[None], np.zeros(1))])
    given = torch.from_numpy(PROCESSORS[kind](**PREPARING[kind])(picture, return_tensors="np")["pixel_values"])
    expected = unit(model(kind).get_image_features(pixel_values=given).pooler_output)
    assert found.vectors.shape == expected.shape == (1, extractor.dimension)
    assert (found.extractor, found.step_s) == ("clip", 0.25)
    # Kept as float16.
    np.testing.assert_allclose(found.vectors, expected, atol=tolerance + 1e-3)


@torch.inference_mode()
def test_sentences_are_in_the_same_space(folder: Path, tolerance: float) -> None:
    towers = ClipExtractor(folder).towers
    sentences = ["a dog runs", "cat", "a cat sits " * 9] * 30
    found = towers.sentence_vectors(sentences)
    kind = kind_of(folder)
    filled = [[1, 3, 4, 6, *[2] * 8], [1, 5, *[2] * 10], [1, *[3, 5, 7] * 3, 3, 2]]
    alone = model(kind)
    for vector, tokens in zip(found[:3], filled, strict=True):
        # CLIP sees no padding; SigLIP looks at it.
        seen = tokens[: tokens.index(2) + 1] if kind == "clip" else tokens
        expected = alone.get_text_features(input_ids=torch.tensor([seen])).pooler_output
        np.testing.assert_allclose(vector, unit(expected)[0], atol=tolerance)
    assert found.shape == (90, towers.dimension)
    np.testing.assert_allclose(found[87:], found[:3], atol=tolerance)
    assert towers.sentence_vectors([]).shape == (0, towers.dimension)


def test_a_real_file_goes_through_it(folder: Path, street: Path) -> None:
    told: list[float] = []
    features = ClipExtractor(folder).extract(street, progress=lambda done_s, all_s: told.append(done_s))
    assert len(features) == 40
    np.testing.assert_allclose(np.linalg.norm(features.vectors.astype(float), axis=1), 1, atol=2e-3)


def copied(folder: Path, out: Path) -> Path:
    out.mkdir()
    for path in folder.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    return out


def test_newer_folders_say_how_to_prepare_elsewhere(folder: Path, tmp_path: Path) -> None:
    other = copied(folder, tmp_path / "other")
    said = (other / "preprocessor_config.json").rename(other / "processor_config.json")
    said.write_text(json.dumps({"image_processor": json.loads(said.read_text()), "processor_class": "X"}))
    first, second = ClipExtractor(folder), ClipExtractor(other)
    assert (first.preprocessing, first.weights) == (second.preprocessing, second.weights)


def change(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_all_that_decides_the_numbers_is_in_the_hashes(folder: Path, tmp_path: Path) -> None:
    other = copied(folder, tmp_path / "other")
    change(other / "preprocessor_config.json", image_mean=[0.1, 0.2, 0.3])
    weights = load_file(other / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, other / "model.safetensors", {"format": "pt"})
    first, second = ClipExtractor(folder), ClipExtractor(other)
    assert first.preprocessing != second.preprocessing
    assert first.weights != second.weights


def without_a_tensor(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["head.scale"] = weights.pop("vision_model.post_layernorm.bias")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


BROKEN: list[tuple[Callable[[Path], object], str]] = [
    (without_a_tensor, r"1 tensor is missing, first vision_model\.post_layernorm\.bias; 1 .*first head\.scale"),
    (lambda folder: change(folder / "config.json", model_type="bert"), "a model of the kind bert; get one of clip, "),
    (lambda folder: (folder / "config.json").write_text("{"), r"config\.json is damaged"),
    (lambda folder: (folder / "config.json").write_text("[]"), r"config\.json is no JSON object"),
    (lambda folder: (folder / "config.json").unlink(), r"no clip/config\.json in .*Hugging Face folder"),
    (lambda folder: (folder / "preprocessor_config.json").unlink(), r"cannot read .*preprocessor_config\.json"),
    (lambda folder: (folder / "preprocessor_config.json").write_text("{}"), "does not say how pictures are prepared"),
    (lambda folder: (folder / "model.safetensors").write_bytes(b"none"), "holds no model that can be read"),
    (lambda folder: (folder / "model.safetensors").unlink(), "holds no model that can be read"),
    (lambda folder: (folder / "tokenizer.json").write_text("{"), "holds no tokenizer that can be read"),
]


@pytest.mark.parametrize(("harm", "told"), BROKEN)
def test_a_folder_that_does_not_fit_is_refused(
    harm: Callable[[Path], object], told: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copied(folder, tmp_path / "other")
    harm(other)
    with pytest.raises(InputError, match=told) as refused:
        extractor_named("clip", other)
    assert "\n" not in str(refused.value)
    assert not capsys.readouterr().err


def test_the_extra_is_named_where_transformers_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        InputError, match=r"^CLIP needs transformers, not installed here; run: pip install 'asst-video\[clip\]'$"
    ):
        ClipExtractor(folder)
