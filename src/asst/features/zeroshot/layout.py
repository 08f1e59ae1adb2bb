"""The space that what is seen of pictures lies in, and what sentences are compared with in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.features.values import Vectors
from asst.features.zeroshot.colours import COLOURS

WINDOWS = 3
"""Crops of a picture that the network sees."""

PAN = ("right", "up")
"""What is known of how the camera turns."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """The last layer of an image classifier.

    Attributes:
        weights: shape ``(classes, channels)``.
        bias: shape ``(classes,)``.
    """

    weights: FloatArray
    bias: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """A space of pictures.

    Attributes:
        extractor: name of the features that lie in it.
        mean: what they are centred by, shape ``(channels,)``.
        classifier: of the network, where it has one.
        pixels: whether what pixels tell follows what the network sees: the shares of `COLOURS` in each crop; and how
            far the camera turns to the right and up, in widths and heights of the picture a second.
    """

    extractor: str
    mean: FloatArray
    classifier: Classifier | None = None
    pixels: bool = False

    @property
    def channels(self) -> int:
        """Numbers that the network gives for a crop."""
        return len(self.mean)

    @property
    def seen(self) -> int:
        """Numbers of a vector that the network gives; crops one after the other."""
        return WINDOWS * self.channels

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self.seen + (WINDOWS * len(COLOURS) + len(PAN) if self.pixels else 0)

    def crops(self, vectors: Vectors, rows: npt.NDArray[np.int64]) -> Vectors:
        """What the network sees in some of the vectors, shape ``(rows, WINDOWS, channels)``."""
        return vectors[rows, : self.seen].reshape(len(rows), WINDOWS, self.channels)

    def colours_and_pans(self, vectors: Vectors, rows: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """What pixels tell in some vectors, shapes ``(rows, WINDOWS, len(COLOURS))`` and ``(rows, len(PAN))``."""
        told = np.array(vectors[rows, self.seen :], dtype=np.float32)
        return told[:, : -len(PAN)].reshape(len(rows), WINDOWS, -1), told[:, -len(PAN) :]
