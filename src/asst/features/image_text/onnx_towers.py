"""CLIP and SigLIP by ONNX Runtime, from a folder with a network for pictures and one for sentences; no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.hashing import files_hash
from asst.features.image_text.towers import PICTURES, SENTENCES, FloatArray, SentenceTokens, Towers
from asst.features.runtime import Network, at_once

_MASK = "attention_mask"
# What CLIP's towers call ``pooler_output`` is not projected, and in no common space.
_OUTPUTS = {"clip": ("image_embeds", "text_embeds"), "siglip": ("image_embeds", "text_embeds", "pooler_output")}


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
        seen = self._seen(np.zeros((1, *self.preparing.crop, 3), dtype=np.uint8)).shape[1]
        if seen != self.dimension:
            raise InputError(
                f"{folder}: pictures have {seen} numbers and sentences {self.dimension}; get the folder again"
            )

    def undivided(self) -> AbstractContextManager[int]:
        """See `Towers`."""
        return nullcontext(at_once())

    def picture_vectors(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        """See `Towers`."""
        found = self._seen(pictures)
        unit: FloatArray = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return unit

    def _seen(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        own = self.preparing
        mean, deviation = (np.array(values, dtype=np.float32) for values in (own.mean, own.deviation))
        normal = (pictures.astype(np.float32) * np.float32(own.scale) - mean) / deviation
        return self._pictures(pixel_values=np.ascontiguousarray(normal.transpose(0, 3, 1, 2)))

    def _embedded(self, sentences: Sequence[str]) -> FloatArray:
        tokens, real = self._tokens(sentences)
        # SigLIP looks at what sentences are filled up with.
        mask = {_MASK: np.ones_like(real) if self.kind == "siglip" else real} if self._masked else {}
        return self._sentences(input_ids=tokens, **mask)


class _Tower:
    """One network, which must have an input of a name, and the output of it that lies in the common space."""

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
