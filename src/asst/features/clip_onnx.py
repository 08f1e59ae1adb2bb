"""CLIP and SigLIP by ONNX Runtime, from a folder with a network for pictures and one for sentences; no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.fingerprint import files_hash
from asst.features.preparing import Preparing
from asst.features.runtime import Network, at_once
from asst.features.sentence_tokens import SentenceTokens
from asst.features.towers import PICTURES, SENTENCES, FloatArray, in_batches, kind_of

_MASK = "attention_mask"
# What CLIP's towers call ``pooler_output`` is not projected, and in no common space.
_OUTPUTS = {"clip": ("image_embeds", "text_embeds"), "siglip": ("image_embeds", "text_embeds", "pooler_output")}


class OnnxTowers:
    """See `asst.features.towers.Towers`.

    Args:
        folder: with `PICTURES` and `SENTENCES`, ``config.json``, ``preprocessor_config.json`` and ``tokenizer.json``.

    Raises:
        InputError: if something is missing there or does not fit, or ONNX Runtime is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._kind = kind = kind_of(folder)
        self.preparing = Preparing.read(folder)
        self._pictures = _Tower(folder / PICTURES, kind, "pixel_values", alone=True)
        self._sentences = _Tower(folder / SENTENCES, kind, "input_ids", alone=False)
        self._masked = _MASK in self._sentences.inputs
        self._tokens = SentenceTokens(folder, kind, filled=kind == "siglip" or not self._masked)
        both = [folder / name for name in (PICTURES, SENTENCES)]
        self.weights = files_hash(sorted(path for one in both for path in one.parent.glob(f"{one.name}*")))
        self.dimension = self._embedded(["a"]).shape[1]
        seen = self._seen(np.zeros((1, *self.preparing.crop, 3), dtype=np.uint8)).shape[1]
        if seen != self.dimension:
            raise InputError(
                f"{folder}: pictures have {seen} numbers and sentences {self.dimension}; get the folder again"
            )

    precision = "float32"

    def undivided(self) -> AbstractContextManager[int]:
        """See `asst.features.towers.Towers.undivided`."""
        return nullcontext(at_once())

    @property
    def settings(self) -> dict[str, object]:
        """See `asst.features.towers.Towers.settings`."""
        return {"network": f"{self._kind}-onnx", "version": 1, **self.preparing.settings}

    def picture_vectors(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        """See `asst.features.towers.Towers.picture_vectors`."""
        found = self._seen(pictures)
        unit: FloatArray = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return unit

    def sentence_vectors(self, sentences: Sequence[str]) -> FloatArray:
        """See `asst.features.towers.Towers.sentence_vectors`."""
        return in_batches(sentences, self.dimension, self._embedded)

    def _seen(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        own = self.preparing
        mean, deviation = (np.array(values, dtype=np.float32) for values in (own.mean, own.deviation))
        normal = (pictures.astype(np.float32) * np.float32(own.scale) - mean) / deviation
        return self._pictures(pixel_values=np.ascontiguousarray(normal.transpose(0, 3, 1, 2)))

    def _embedded(self, sentences: Sequence[str]) -> FloatArray:
        tokens, real = self._tokens(sentences)
        # SigLIP looks at what sentences are filled up with.
        mask = {_MASK: np.ones_like(real) if self._kind == "siglip" else real} if self._masked else {}
        return self._sentences(input_ids=tokens, **mask)


class _Tower:
    """One network and the output of it that lies in the common space.

    Args:
        path: its file.
        kind: of model.
        wanted: an input that it must have.
        alone: as `Network` has it.

    Raises:
        InputError: for a file that cannot be read, or a network without that input or such an output.
    """

    def __init__(self, path: Path, kind: str, wanted: str, *, alone: bool) -> None:
        self._network = network = Network(path, alone=alone)
        self.inputs = network.inputs
        if wanted not in network.inputs:
            raise InputError(f"{path} takes {', '.join(sorted(self.inputs))}, and no {wanted}; get the folder again")
        made = network.outputs
        fitting = [made.index(name) for name in _OUTPUTS[kind] if name in made]
        if not fitting:
            raise InputError(f"{path} gives {', '.join(sorted(made))}, and none of {', '.join(_OUTPUTS[kind])}")
        self._output = fitting[0]

    def __call__(self, **given: npt.NDArray[Any]) -> FloatArray:
        """The vectors, shape ``(rows, dimension)``."""
        found: FloatArray = np.asarray(self._network(**given)[self._output], dtype=np.float32)
        return found
