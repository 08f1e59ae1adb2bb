"""The two towers of an image-text model in a local folder: what runs them is chosen by what the folder holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from asst.atomic import writing_whole
from asst.errors import InputError, WriteError
from asst.features.fingerprint import settings_hash
from asst.features.manifest import check_folder
from asst.features.preparing import Preparing, read_object
from asst.features.sentence_tokens import LONGEST

FloatArray = npt.NDArray[np.float32]

PICTURES, SENTENCES = "onnx/vision_model.onnx", "onnx/text_model.onnx"
"""The networks of a folder in the form that ONNX Runtime runs."""

SENTENCES_AT_ONCE = 64


class Towers(Protocol):
    """Pictures and sentences to unit vectors of one space."""

    @property
    def preparing(self) -> Preparing:
        """How pictures are wanted."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def weights(self) -> str:
        """A short hash of the weights."""
        ...

    @property
    def precision(self) -> str:
        """The number format that the picture tower computes in."""
        ...

    @property
    def settings(self) -> dict[str, object]:
        """All that decides the numbers besides the weights; fit for JSON."""
        ...

    def picture_vectors(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        """Of RGB pictures of the size that is wanted, ``(pictures, height, width, 3)``; ``(pictures, dimension)``."""
        ...

    def undivided(self) -> AbstractContextManager[int]:
        """While it lasts a call of `picture_vectors` takes one thread; gives how many pictures are worth a call."""
        ...

    def sentence_vectors(self, sentences: Sequence[str]) -> FloatArray:
        """Shape ``(sentences, dimension)``; what is beyond the longest text that the model takes is left out."""
        ...


def towers_of(folder: Path) -> Towers:
    """The towers of a folder: by ONNX Runtime where it holds `PICTURES` and `SENTENCES`, else by PyTorch.

    Raises:
        InputError: if something is missing there or does not fit, or the folder was fetched and has changed since.
    """
    check_folder(folder)
    if (folder / PICTURES).is_file() and (folder / SENTENCES).is_file():
        from asst.features.clip_onnx import OnnxTowers

        return OnnxTowers(folder)
    from asst.features.clip import ClipTowers
    from asst.features.precision import fastest_device, fastest_dtype

    return ClipTowers(folder).eval().to(fastest_device(), fastest_dtype())


def kind_of(folder: Path) -> str:
    """The kind of model that a folder's ``config.json`` names.

    Raises:
        InputError: for one that is none of `LONGEST`.
    """
    kind = str(read_object(folder / "config.json").get("model_type"))
    if kind not in LONGEST:
        raise InputError(f"{folder} holds a model of the kind {kind}; get one of {', '.join(sorted(LONGEST))}")
    return kind


def in_batches(
    sentences: Sequence[str], dimension: int, vectors: Callable[[Sequence[str]], npt.NDArray[np.floating]]
) -> FloatArray:
    """What a tower makes of many sentences, a few at a time, of unit length; shape ``(sentences, dimension)``."""
    found = np.zeros((len(sentences), dimension), dtype=np.float32)
    for start in range(0, len(sentences), SENTENCES_AT_ONCE):
        some = slice(start, start + SENTENCES_AT_ONCE)
        found[some] = vectors(list(sentences[some]))
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return found


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
