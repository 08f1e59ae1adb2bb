"""The two towers of an image-text model in a local folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.atomic import writing_whole
from asst.errors import InputError, WriteError
from asst.features.hashing import settings_hash
from asst.features.image_text.preprocessing import Preparing, read_object

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

PICTURES, SENTENCES = "onnx/vision_model.onnx", "onnx/text_model.onnx"
"""The networks of a folder in the form that ONNX Runtime runs."""

_LONGEST = {"clip": 77, "siglip": 64}
"""Tokens that a model of each kind takes where its ``config.json`` says nothing else."""
_SENTENCES_AT_ONCE = 64


class Towers(ABC):
    """Pictures and sentences to unit vectors of one space.

    Args:
        folder: with ``config.json``, ``preprocessor_config.json`` and ``tokenizer.json``.

    Attributes:
        kind: of model, ``clip`` or ``siglip``.
        preparing: how pictures are wanted.
        dimension: numbers in a vector.
        weights: a short hash of the weights.
        precision: the number format that the picture tower computes in.

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
            raise InputError(
                f"{folder} holds a model of the kind {self.kind}; get one of {', '.join(sorted(_LONGEST))}"
            )
        self.preparing = Preparing.read(folder)

    @property
    def settings(self) -> dict[str, object]:
        """All that decides the numbers besides the weights; fit for JSON."""
        return {"network": f"{self.kind}{self._runtime}", "version": 1, **self.preparing.settings}

    @abstractmethod
    def undivided(self) -> AbstractContextManager[int]:
        """While it lasts a call of `picture_vectors` takes one thread; gives how many pictures are worth a call."""

    @abstractmethod
    def picture_vectors(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        """Of RGB pictures of the size that is wanted, ``(pictures, height, width, 3)``; ``(pictures, dimension)``."""

    def sentence_vectors(self, sentences: Sequence[str]) -> FloatArray:
        """Shape ``(sentences, dimension)``; what is beyond the longest text that the model takes is left out."""
        found = np.zeros((len(sentences), self.dimension), dtype=np.float32)
        for start in range(0, len(sentences), _SENTENCES_AT_ONCE):
            some = slice(start, start + _SENTENCES_AT_ONCE)
            found[some] = self._embedded(list(sentences[some]))
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return found

    @abstractmethod
    def _embedded(self, sentences: Sequence[str]) -> FloatArray:
        """Vectors of a few sentences, of any length."""


def kept_vectors(folder: Path, towers: Towers, sentences: Sequence[str]) -> FloatArray:
    """Vectors of sentences that are wanted at every start, kept beside the model: a large one takes minutes for them.

    Where the folder cannot be written to they are made each time.
    """
    decided = {"weights": towers.weights, "settings": towers.settings, "sentences": list(sentences)}
    path = folder / f".vectors-{settings_hash(decided)}.npy"
    with suppress(OSError, ValueError, EOFError):
        kept: FloatArray = np.load(path, allow_pickle=False)
        if kept.shape == (len(sentences), towers.dimension) and kept.dtype == np.float32:
            return kept
    made = towers.sentence_vectors(sentences)
    with suppress(WriteError), writing_whole(path) as file:
        np.save(file, made)
    return made


class SentenceTokens:
    """The tokenizer of a model's folder.

    Raises:
        InputError: for a tokenizer that is missing or cannot be read.
    """

    def __init__(self, folder: Path, kind: str, *, filled: bool) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"{path} holds no tokenizer that can be read ({error}); get the folder again") from error
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
