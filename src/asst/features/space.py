"""The space that pictures and sentences lie in together: an extractor's crops, and the language side beside it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from asst.features.negative_sentences import negative_sentences

WINDOWS = 3
"""Crops of a frame that are looked at."""

PAN = ("right", "up")
"""What is known of how the camera pans and tilts."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Space:
    """Where a step's vector lies.

    Attributes:
        extractor: name of the features.
        channels: numbers in the embedding of a crop, a unit vector.
        pixels: whether how far the camera turns follows the embeddings: to the right and up, in widths and heights of
            the frame a second.
    """

    extractor: str
    channels: int
    pixels: bool = False

    @property
    def seen(self) -> int:
        """Numbers of a vector that are embeddings, crop after crop."""
        return WINDOWS * self.channels

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self.seen + (len(PAN) if self.pixels else 0)


class SentenceReader(ABC):
    """The language side of a space."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[str, ...], FloatArray] = (), np.zeros((0, 0), dtype=np.float32)

    @cached_property
    def negatives(self) -> FloatArray:
        """Embeddings of `negative_sentences`, shape ``(sentences, channels)``."""
        return self.embed(negative_sentences())

    def read(self, sentences: Sequence[str]) -> FloatArray:
        """As `embed`; kept for the next time that the same are asked."""
        # One assignment, so that threads which ask different sentences never mix them.
        kept = self._kept
        if kept[0] != tuple(sentences):
            kept = self._kept = tuple(sentences), self.embed(sentences)
        return kept[1]

    @abstractmethod
    def embed(self, sentences: Sequence[str]) -> FloatArray:
        """Unit vectors of sentences, shape ``(sentences, channels)``.

        Raises:
            InputError: when weights are missing.
        """
