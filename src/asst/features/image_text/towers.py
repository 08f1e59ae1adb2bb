"""The two towers of an image-text model in a local folder, and how it wants its pictures.

ONNX Runtime runs the networks here; `asst.features.networks.clip` has those that PyTorch runs.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from asst.atomic import writing_whole
from asst.errors import InputError, WriteError
from asst.features.hashing import files_hash, settings_hash
from asst.features.image_text.hub import PICTURES, SENTENCES
from asst.features.resampling import FrameSize, centre
from asst.features.runtime import Network, at_once
from asst.moments import Array, Float32Array, IntArray
from asst.video.picture import Pixels

_BICUBIC = 3
# Tokens that a model of each kind takes where its ``config.json`` says nothing else.
_LONGEST = {"clip": 77, "siglip": 64}
_SENTENCES_AT_ONCE = 64
_MASK = "attention_mask"
# What CLIP's towers call ``pooler_output`` is not projected, and in no common space.
_OUTPUTS = {"clip": ("image_embeds", "text_embeds"), "siglip": ("image_embeds", "text_embeds", "pooler_output")}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a model wants its frames.

    Attributes:
        short_side: pixels that the shorter side is brought to; None if ``exact`` is given.
        exact: height and width that a frame is brought to, its aspect not kept.
        resample: Pillow's number of how that is done.
        crop: height and width of what is cut from the centre.
        scale: what values are multiplied by; then the ``mean`` of each colour is subtracted, and ``deviation`` divides.
    """

    short_side: int | None
    exact: tuple[int, int] | None
    resample: int
    crop: tuple[int, int]
    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What a folder's ``preprocessor_config.json`` or, newer, ``processor_config.json`` says."""
        path = folder / "preprocessor_config.json"
        if not path.is_file() and (newer := folder / "processor_config.json").is_file():
            path = newer
        said = read_object(path)
        said = said.get("image_processor", said)
        try:
            size = said["size"]
            size = {"shortest_edge": size} if isinstance(size, int) else size
            exact = (int(size["height"]), int(size["width"])) if "height" in size else None
            short_side = None if exact else int(size["shortest_edge"])
            cut = said["crop_size"] if said.get("do_center_crop") or not exact else size
            crop = (cut, cut) if isinstance(cut, int) else (int(cut["height"]), int(cut["width"]))
            scale = float(said.get("rescale_factor", 1 / 255)) if said.get("do_rescale", True) else 1.0
            normal = said if said.get("do_normalize", True) else {"image_mean": (0, 0, 0), "image_std": (1, 1, 1)}
            colours = tuple(map(float, normal["image_mean"])), tuple(map(float, normal["image_std"]))
            return cls(short_side, exact, int(said.get("resample", _BICUBIC)), crop, scale, *colours)
        except (KeyError, TypeError, ValueError) as error:
            raise unfit(f"{path} does not say how pictures are prepared ({error})") from error

    @property
    def decoded(self) -> FrameSize:
        """What frames are brought to while they are decoded."""
        return FrameSize(short_side=2 * max(self.crop), grows=False)

    def __call__(self, pictures: Sequence[Pixels]) -> Pixels:
        """What is cut from the only picture, ``(*crop, 3)``; scaling is left to the network."""
        from PIL import Image

        (picture,) = pictures
        height, width = self.exact or self._kept(*picture.shape[:2])
        sized = Image.fromarray(picture).resize((width, height), Image.Resampling(self.resample))
        return centre(np.asarray(sized), *self.crop)

    def _kept(self, height: int, width: int) -> tuple[int, int]:
        """Height and width with the aspect kept; the longer side is rounded down, as transformers does."""
        assert self.short_side is not None
        shorter = min(height, width)
        return height * self.short_side // shorter, width * self.short_side // shorter


def unfit(fault: str) -> InputError:
    """The line for a model's folder with a fault."""
    return InputError(f"{fault}; get the folder again")


def read_object(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file of a model's folder; raises InputError for one that cannot be read or holds no such."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unfit(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise unfit(f"{path} is damaged ({error})") from error
    if not isinstance(said, dict):
        raise unfit(f"{path} is no JSON object")
    return said


class Towers(ABC):
    """Frames and sentences to unit vectors of one space, by a folder with ``config.json``, tokenizer and preprocessing.

    Attributes:
        kind: of model, ``clip`` or ``siglip``.
        weights: a short hash of the weights.
        precision: the number format that the tower of frames computes in.

    Raises:
        InputError: if something is missing there or does not fit, or what runs the towers is not installed.
    """

    dimension: int
    weights: str
    precision: str
    _runtime: str = ""

    def __init__(self, folder: Path) -> None:
        self.kind = str(read_object(folder / "config.json").get("model_type"))
        if self.kind not in _LONGEST:
            kinds = ", ".join(sorted(_LONGEST))
            raise InputError(f"{folder} holds a model of the kind {self.kind}; get one of {kinds}")
        self.preprocessing = Preprocessing.read(folder)

    @property
    def settings(self) -> dict[str, object]:
        """All that decides the numbers besides the weights; fit for JSON."""
        return {"network": f"{self.kind}{self._runtime}", "version": 1, **asdict(self.preprocessing)}

    @abstractmethod
    def single_threaded(self) -> AbstractContextManager[int]:
        """While it lasts a call of `picture_vectors` takes one thread; gives how many pictures are worth a call."""

    @abstractmethod
    def picture_vectors(self, pictures: Pixels) -> Float32Array:
        """Of RGB pictures of the size that is wanted, ``(pictures, height, width, 3)``; ``(pictures, dimension)``."""

    def sentence_vectors(self, sentences: Sequence[str]) -> Float32Array:
        """Shape ``(sentences, dimension)``; what is beyond the longest text that the model takes is left out."""
        found = np.zeros((len(sentences), self.dimension), dtype=np.float32)
        for start in range(0, len(sentences), _SENTENCES_AT_ONCE):
            some = slice(start, start + _SENTENCES_AT_ONCE)
            found[some] = self._embedded(list(sentences[some]))
        return _unit(found)

    @abstractmethod
    def _embedded(self, sentences: Sequence[str]) -> Float32Array:
        """Vectors of a few sentences, of any length."""


def _unit(vectors: Float32Array) -> Float32Array:
    unit: Float32Array = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit


def cached_sentence_vectors(folder: Path, towers: Towers, sentences: Sequence[str]) -> Float32Array:
    """Vectors of sentences wanted at every start, kept beside the model if it can be: large ones take minutes."""
    decided = {"weights": towers.weights, "settings": towers.settings, "sentences": list(sentences)}
    path = folder / f".vectors-{settings_hash(decided)}.npy"
    with suppress(OSError, ValueError, EOFError):
        kept: Float32Array = np.load(path, allow_pickle=False)
        if kept.shape == (len(sentences), towers.dimension) and kept.dtype == np.float32:
            return kept
    made = towers.sentence_vectors(sentences)
    with suppress(WriteError), writing_whole(path) as file:
        np.save(file, made)
    return made


class SentenceTokens:
    """The tokenizer of a model's folder; raises InputError for a tokenizer that is missing or cannot be read."""

    def __init__(self, folder: Path, kind: str, *, filled: bool) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise unfit(f"{path} holds no tokenizer that can be read ({error})") from error
        text: Mapping[str, Any] = read_object(folder / "config.json").get("text_config") or {}
        longest = int(text.get("max_position_embeddings", _LONGEST[kind]))
        # SigLIP was trained on small letters; SigLIP 2's tokenizer leaves them as they are.
        self._lower = kind == "siglip"
        fill = self._tokenizer.token_to_id(_filler(folder)) or 0
        self._tokenizer.enable_truncation(longest)
        self._tokenizer.enable_padding(direction="right", pad_id=fill, length=longest if filled else None)

    def __call__(self, sentences: Sequence[str]) -> tuple[IntArray, IntArray]:
        """Tokens, and which of them are no filling, both ``(sentences, tokens)``; what is beyond the longest is cut."""
        given = [sentence.lower() if self._lower else sentence for sentence in sentences]
        encoded = self._tokenizer.encode_batch(given)
        tokens, real = ([getattr(one, name) for one in encoded] for name in ("ids", "attention_mask"))
        return np.array(tokens, dtype=np.int64), np.array(real, dtype=np.int64)


def _filler(folder: Path) -> str:
    """The token that shorter sentences are filled up with; empty where no file says."""
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        said = read_object(folder / name).get("pad_token") if (folder / name).is_file() else None
        if said:
            return str(said["content"] if isinstance(said, Mapping) else said)
    return ""


class OnnxTowers(Towers):
    """Towers that ONNX Runtime runs."""

    precision = "float32"
    _runtime = "-onnx"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._pictures = _Tower(folder / PICTURES, self.kind, "pixel_values", alone=True)
        self._sentences = _Tower(folder / SENTENCES, self.kind, "input_ids", alone=False)
        self._masked = _MASK in self._sentences.inputs
        self._tokens = SentenceTokens(folder, self.kind, filled=self.kind == "siglip" or not self._masked)
        both = [folder / name for name in (PICTURES, SENTENCES)]
        self.weights = files_hash(sorted(path for one in both for path in one.parent.glob(f"{one.name}*")))
        self.dimension = self._embedded(["a"]).shape[1]
        seen = self._seen(np.zeros((1, *self.preprocessing.crop, 3), dtype=np.uint8)).shape[1]
        if seen != self.dimension:
            raise unfit(f"{folder}: pictures have {seen} numbers and sentences {self.dimension}")

    def single_threaded(self) -> AbstractContextManager[int]:
        """See `Towers`."""
        return nullcontext(at_once())

    def picture_vectors(self, pictures: Pixels) -> Float32Array:
        """See `Towers`."""
        return _unit(self._seen(pictures))

    def _seen(self, pictures: Pixels) -> Float32Array:
        own = self.preprocessing
        mean, deviation = (np.array(values, dtype=np.float32) for values in (own.mean, own.deviation))
        normal = (pictures.astype(np.float32) * np.float32(own.scale) - mean) / deviation
        return self._pictures.vectors(pixel_values=np.ascontiguousarray(normal.transpose(0, 3, 1, 2)))

    def _embedded(self, sentences: Sequence[str]) -> Float32Array:
        tokens, real = self._tokens(sentences)
        # SigLIP looks at what sentences are filled up with.
        mask = {_MASK: np.ones_like(real) if self.kind == "siglip" else real} if self._masked else {}
        return self._sentences.vectors(input_ids=tokens, **mask)


class _Tower(Network):
    """A network that must have an input of a name, called for the output of it that lies in the common space."""

    def __init__(self, path: Path, kind: str, wanted: str, *, alone: bool) -> None:
        super().__init__(path, alone=alone)
        if wanted not in self.inputs:
            raise unfit(f"{path} takes {', '.join(sorted(self.inputs))}, and no {wanted}")
        made = self.outputs
        fitting = [made.index(name) for name in _OUTPUTS[kind] if name in made]
        if not fitting:
            raise InputError(f"{path} gives {', '.join(sorted(made))}, and none of {', '.join(_OUTPUTS[kind])}")
        self._output = fitting[0]

    def vectors(self, **given: Array) -> Float32Array:
        """Shape ``(rows, dimension)``."""
        return np.asarray(self(**given)[self._output], dtype=np.float32)
