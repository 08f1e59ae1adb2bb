"""CLIP or SigLIP of three crops of each frame, two steps a second, on the shots of the video."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import numpy as np

from asst.errors import InputError
from asst.features.image_text.hub import IMAGE_TEXT, PICTURES, SENTENCES, check_folder
from asst.features.image_text.towers import OnnxTowers, Towers, cached_sentence_vectors
from asst.features.weights import weights_folder
from asst.features.zeroshot.crops import SAMPLED_FPS, CropsExtractor, crop_slices
from asst.features.zeroshot.space import COSINE, SentenceReader, Space, concept_data
from asst.moments import Float16Array, Float32Array
from asst.video.picture import Pixels

NAME = "clip-crops"
_WEIGHTS = "clip"
# How far vectors turn at a change of shot, as one minus their cosine: less than centred ones do.
_TURN_LEAST = 0.15


def towers_of(folder: Path) -> Towers:
    """The towers of a folder, by ONNX Runtime where it holds both networks, else by PyTorch; raises InputError."""
    check_folder(folder)
    if (folder / PICTURES).is_file() and (folder / SENTENCES).is_file():
        return OnnxTowers(folder)
    from asst.features.networks.clip import ClipTowers
    from asst.features.runtime import fastest_device, fastest_dtype

    return ClipTowers(folder).eval().to(fastest_device(), fastest_dtype())


class ClipSentences(SentenceReader):
    """The language side: towers from a folder, beside which vectors of what is always asked are kept."""

    measures = (COSINE,)

    def __init__(self, towers: Towers, folder: Path) -> None:
        known, table = partial(cached_sentence_vectors, folder, towers), concept_data()
        super().__init__(known(table["negatives"]), lambda: known(table["glosses"]))
        self._towers = towers

    def vectors(self, sentences: Sequence[str]) -> Float32Array:
        """See `SentenceReader.vectors`."""
        return self._towers.sentence_vectors(sentences)


class ClipCropsExtractor(CropsExtractor):
    """CLIP or SigLIP from a local folder; raises InputError as `towers_of`, or for a network that sees no square."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self._towers = towers = towers_of(folder)
        height, width = towers.preprocessing.crop
        if height != width:
            raise InputError(f"{folder}: its network sees {height} x {width} pixels, no square; use extractor clip")
        self.sentences = ClipSentences(towers, folder)
        space = Space(name, np.zeros(towers.dimension, np.float32))
        super().__init__(space, height, towers.weights, towers.settings, SAMPLED_FPS, _TURN_LEAST)
        self.precision = towers.precision

    def _single_threaded(self) -> AbstractContextManager[int]:
        return self._towers.single_threaded()

    def crop_vectors(self, frames: Pixels) -> Float16Array:
        """See `CropsExtractor.crop_vectors`."""
        parts = np.stack([frames[:, rows, columns] for rows, columns in crop_slices(*frames.shape[1:3])], axis=1)
        vectors = self._towers.picture_vectors(parts.reshape(-1, *parts.shape[2:]))
        return vectors.astype(np.float16).reshape(len(frames), -1)


def clip_crops(weights: Path | None = None) -> ClipCropsExtractor:
    """The extractor ``clip-crops``."""
    return ClipCropsExtractor(weights_folder(_WEIGHTS, weights))


def fetched_crops(name: str, weights: Path | None = None) -> ClipCropsExtractor:
    """The extractor of a model that was fetched by name."""
    return ClipCropsExtractor(IMAGE_TEXT[name].folder(weights), name)
