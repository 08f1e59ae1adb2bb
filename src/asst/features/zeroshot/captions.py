"""The packaged extractor: three crops of the picture in a space that was learnt from captioned pictures.

``asst train captions`` learns such a space. What is kept of a crop are the picture network's pooled features: in the
space lies their direction about what is usual, and the classifier tells its classes from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.hashing import LENGTH
from asst.features.runtime import Network, graph, precision
from asst.features.weights import weights_file
from asst.features.zeroshot.caption_space import CaptionSpace, load_space
from asst.features.zeroshot.concepts import concept_data, embeddings, named_classes, resembled_classes
from asst.features.zeroshot.crops import SAMPLED_FPS, CropsExtractor, crop_slices
from asst.features.zeroshot.efficientnet import SIDE
from asst.features.zeroshot.minilm import MiniLM
from asst.features.zeroshot.space import COSINE, Classifier, FloatArray, Reading, SentenceReader, Space

NAME = "captions"
PACKAGED = Path(__file__).with_name("captions.safetensors")
"""The space that the package ships."""

SHA256 = "4652d516371fa3ce9d76b65b4c683aeed19785fb6e4f49fb36a83a78893361f8"
"""Of that file."""

# How far centred features turn at a change of shot, as one minus their cosine. Rounding to bytes adds 0.02 to it.
_TURN_LEAST = {"float32": 0.3, "int8": 0.32}


class CaptionSentences(SentenceReader):
    """The language side."""

    measures = (COSINE, "named classes", "resembled classes")

    def __init__(self, space: CaptionSpace) -> None:
        self._weights, self._own_encoder = space.encoder, space.own_encoder
        self._placing = Network(graph("placing"), space.placing)
        super().__init__(self._placed(self._known("negatives")), lambda: self._placed(self._meant_by_glosses))

    def vectors(self, sentences: Sequence[str]) -> FloatArray:
        """See `SentenceReader.vectors`."""
        return self._placed(self._encoder.encode(sentences))

    def _reading(self, sentences: Sequence[str]) -> Reading:
        meanings = self._encoder.encode(sentences)
        named = [named_classes(sentence) for sentence in sentences]
        resembled = resembled_classes(meanings, self._meant_by_glosses)
        return Reading(self.classifiers(self._placed(meanings)), named, resembled)

    def _known(self, name: str) -> FloatArray:
        """What the encoder makes of sentences of the package; that of the published one is packaged."""
        return self._encoder.encode(concept_data()[name]) if self._own_encoder else embeddings()[name]

    @cached_property
    def _meant_by_glosses(self) -> FloatArray:
        return self._known("glosses")

    @cached_property
    def _encoder(self) -> MiniLM:
        # Of all that is read it is the largest, and whoever indexes asks nothing.
        return MiniLM(self._weights())

    def _placed(self, meanings: FloatArray) -> FloatArray:
        (vectors,) = self._placing(meanings=meanings)
        return vectors


class CaptionExtractor(CropsExtractor):
    """A picture goes through the network whole; its last map is pooled by crops.

    Raises an `InputError` as `load_space`, or for a packaged space that is not the one that was shipped.
    """

    def __init__(self, path: Path = PACKAGED, sampled_fps: float = SAMPLED_FPS) -> None:
        found = load_space(path)
        if path == PACKAGED and found.sha256 != SHA256:
            raise InputError(f"{path}: not the space that was shipped (sha256 {found.sha256[:12]}...); reinstall asst")
        self.sentences = CaptionSentences(found)
        own = precision()
        name = "pictures" if own == "float32" else f"pictures-{own}"
        # One thread: several pictures are looked at at once.
        self._network = Network(graph(name), found.network, alone=True)
        published = found.published
        classifier = Classifier(published.class_weights, published.class_bias)
        space = Space(NAME, published.mean_feature, classifier, pixels=True)
        super().__init__(space, SIDE, found.sha256[:LENGTH], {}, sampled_fps, _TURN_LEAST[own])
        self.precision = own

    def crop_vectors(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """See `CropsExtractor.crop_vectors`."""
        (maps,) = self._network(pixels=np.ascontiguousarray(pictures))
        return pooled_crops(maps).reshape(len(maps), -1).astype(np.float16)


def captions(weights: Path | None = None) -> CaptionExtractor:
    """The extractor ``captions``, of the file of a space or a folder that holds one as ``captions``; else the packaged.

    Raises an `InputError` as `CaptionExtractor`, or for a file that is missing.
    """
    if weights is None or (weights.is_dir() and not any(weights.glob(f"{NAME}.*"))):
        return CaptionExtractor()
    return CaptionExtractor(weights_file(NAME, weights))


def pooled_crops(maps: FloatArray) -> FloatArray:
    """Mean over the crops of maps ``(batch, height, width, channels)``; shape ``(batch, CROPS, channels)``."""
    parts = [maps[:, rows, columns] for rows, columns in crop_slices(*maps.shape[1:3])]
    return np.stack([part.mean(axis=(1, 2)) for part in parts], axis=1)
