"""The packaged extractor: three crops of the picture in a space that was learnt from captioned pictures.

``asst train captions`` learns such a space. What is kept of a crop are the picture network's pooled features: in the
space lies their direction about what is usual, and the classifier tells its classes from them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asst.errors import InputError
from asst.features.hashing import LENGTH
from asst.features.runtime import Network, graph, precision
from asst.features.weights import weights_file
from asst.features.zeroshot.caption_space import CaptionSentences, load_space
from asst.features.zeroshot.crops import SAMPLED_FPS, CropsExtractor, crop_slices
from asst.features.zeroshot.efficientnet import SIDE
from asst.features.zeroshot.space import Classifier, Space
from asst.moments import Float16Array, Float32Array
from asst.video.picture import Pixels

NAME = "captions"
PACKAGED = Path(__file__).with_name("captions.safetensors")
"""The space that the package ships."""

SHA256 = "4652d516371fa3ce9d76b65b4c683aeed19785fb6e4f49fb36a83a78893361f8"
"""Of that file."""

# How far centred features turn at a change of shot, as one minus their cosine. Rounding to bytes adds 0.02 to it.
_TURN_LEAST = {"float32": 0.3, "int8": 0.32}


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

    def crop_vectors(self, pictures: Pixels) -> Float16Array:
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


def pooled_crops(maps: Float32Array) -> Float32Array:
    """Mean over the crops of maps ``(batch, height, width, channels)``; shape ``(batch, CROPS, channels)``."""
    parts = [maps[:, rows, columns] for rows, columns in crop_slices(*maps.shape[1:3])]
    return np.stack([part.mean(axis=(1, 2)) for part in parts], axis=1)
