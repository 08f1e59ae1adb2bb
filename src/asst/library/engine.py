"""A model as a library uses it: windows as vectors, of which one product with a sentence's estimates the score.

The score of a moment follows from its log-ratio (`asst.models.zeroshot.evidence.Evidence.log_ratio`). That is linear in
the cosine with the sentence, less what is seen says of negative sentences: a last number of a window's vector, which
the sentence multiplies by one. Both sides are kept in the directions in which sentences differ most.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.extract import Extraction
from asst.features.extractor import Extractor
from asst.features.hashing import LENGTH, settings_hash
from asst.features.values import Features, release
from asst.features.zeroshot.captions import SHA256
from asst.features.zeroshot.space import CROPS
from asst.library.windows import PART_OVERLAP_S, PART_S, WINDOW_HOP_S, WINDOW_S, WindowVectors, windows_of
from asst.models import model_named
from asst.models.base import Model
from asst.models.reranked import RerankedModel
from asst.models.zeroshot.evidence import USUAL_DEVIATION, soft_maximum
from asst.models.zeroshot.model import ZeroShotModel
from asst.moments import Float32Array

DIMENSION = 256
BASIS = Path(__file__).with_name("basis.npy")
"""`principal` of the packaged space, which takes half a second; ``scripts/build_basis.py`` writes it."""
_STEPS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides the numbers in a library; one of another identity must be made anew.

    ``model``, as ``--model`` takes it, ranks moments unless another is named that reads the same features. The features
    are named by their extractor, and by hashes of how pictures were prepared and of the network's weights; windows'
    vectors by their dimension and a hash of how they are made.
    """

    model: str
    extractor: str
    preprocessing: str
    weights: str
    embedding: str
    dimension: int


@dataclass(frozen=True, slots=True)
class ModelExtraction(Extraction):
    """As `Extraction`; ``extractor`` is what ``--model`` calls the model whose features are made."""

    def _extractor(self) -> Extractor:
        return model_named(self.extractor).extractor


class Engine:
    """A model, which ranks moments, as a library uses it.

    Raises an `InputError` for one that does not compare pictures and sentences in one space.
    """

    def __init__(self, model: Model) -> None:
        if not isinstance(model, ZeroShotModel | RerankedModel):
            raise InputError(
                f"{model.name} compares nothing in one space, and libraries are searched by that; choose another of "
                "asst models, or a reranker"
            )
        self.model: Model = model
        self._base, self._space, self._sentences = model.base, model.extractor.space, model.reader.sentences
        sentences = self._sentences
        packaged = model.extractor.weights == SHA256[:LENGTH]
        self._basis: Float32Array = np.load(BASIS) if packaged else principal(sentences.glosses)
        self._dimension, self._usual = self._basis.shape[1] + 1, sentences.negatives.mean(axis=0)
        self._around = (sentences.negatives - self._usual) @ self._basis
        self._scale = model.reader.softmax_scale

    @cached_property
    def identity(self) -> Identity:
        """What decides its numbers."""
        one, window, part = self.model.extractor, (WINDOW_S, WINDOW_HOP_S), (PART_S, PART_OVERLAP_S)
        made = settings_hash({"version": 4, "dimension": self._dimension, "window": window, "part": part})
        return Identity(self._base, one.name, one.preprocessing, one.weights, made, self._dimension)

    def extraction(self, store: Path) -> Extraction:
        """What other processes need to make the same features."""
        return ModelExtraction(self._base, None, store)

    def windows(self, features: Features) -> WindowVectors:
        """The windows of a video, a row for each of the three crops of the picture."""
        spans, parts = windows_of(len(features), features.step_s)
        crops, frame_of_step = self._space.crops(features.vectors), features.frame_of_step()
        vectors = np.empty((len(spans), CROPS, self._dimension), dtype=np.float16)
        first = 0
        while first < len(spans):
            begin = spans[first, 0]
            # As many windows as lie in the block of steps, one at least.
            last = max(first + 1, int(np.searchsorted(spans[:, 1], begin + _STEPS_AT_ONCE, side="right")))
            # A frame that is held for several steps is taken once.
            shown = frame_of_step[begin : spans[last - 1, 1]]
            _, at, runs = np.unique(shown, return_index=True, return_inverse=True)
            seen = self._seen(crops[begin + at])
            release(features.vectors)
            for k in range(first, last):
                steps = runs[spans[k, 0] - begin : spans[k, 1] - begin]
                held = k > first and runs[spans[k - 1, 0] - begin] == steps[-1]
                if held:
                    vectors[k] = vectors[k - 1]
                else:
                    vectors[k] = self._vectors(seen[steps].mean(axis=0))
            first = last
        spans, parts = np.repeat(spans, CROPS, axis=0), np.repeat(parts, CROPS, axis=0)
        return WindowVectors(spans, parts, vectors.reshape(-1, self._dimension))

    def sentence(self, query: str) -> Float32Array:
        """A sentence's vector, shape ``(dimension,)``."""
        (classifier,) = self._sentences.read([query]).classifiers
        apart: Float32Array = np.append((classifier - self._usual) @ self._basis, np.float32(1))
        return apart

    def _vectors(self, crops: Float32Array) -> Float32Array:
        """A window's vectors, ``(CROPS, dimension)``, of what is seen in its crops on average, in the basis."""
        negatives = crops @ self._around.T
        scale = self._scale or USUAL_DEVIATION / negatives.std(axis=1, keepdims=True)
        return np.concatenate([scale * crops, -soft_maximum(scale * negatives)[:, None]], axis=1)

    def _seen(self, crops: npt.NDArray[np.floating]) -> Float32Array:
        """What is seen in each crop, centred, of unit length, in the basis; shape ``(steps, CROPS, directions)``."""
        centred: Float32Array = crops.astype(np.float32) - self._space.mean
        centred /= np.linalg.norm(centred, axis=2, keepdims=True)
        return centred @ self._basis


def principal(rows: npt.NDArray[np.floating]) -> Float32Array:
    """The directions in which rows differ most, `DIMENSION` at most, the same on every machine, as columns."""
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    basis = directions[:, : -DIMENSION - 1 : -1]
    signs = np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])])
    result: Float32Array = (basis * signs).astype(np.float32)
    return result


def engine_of(model: str | Path = "default") -> Engine:
    """A model, as ``--model`` takes it, as an engine. Libraries are the same for all that read the same features.

    Raises an `InputError` as `asst.models.model_named`, or for a model that compares nothing in one space.
    """
    return Engine(model_named(model))
