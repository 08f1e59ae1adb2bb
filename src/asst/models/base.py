"""What every model that ranks moments does, whatever it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from asst.features.extractor import Extractor
from asst.features.values import Features
from asst.moments import Answer, Attention

RANKED_LEAST = 20
"""Moments that a model is asked for at least, so that enough are left when those that overlap are one."""


class Model(Protocol):
    """Ranks the moments of a video, given as features, by how well a sentence describes them."""

    @property
    def name(self) -> str:
        """What ``--model`` calls it."""
        ...

    @property
    def extractor(self) -> Extractor:
        """Makes the features that this model reads."""
        ...

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Answer]:
        """The best moments of each sentence, found or weaker, at most ``top``, in the order of the sentences.

        Raises an `InputError` for features of another extractor.
        """
        ...


@runtime_checkable
class Attentive(Protocol):
    """A model that can say which words of a sentence it looked at."""

    def word_attention(self, features: Features, query: str) -> Attention | None:
        """The words it looks at over the video; None where no layer attends to words.

        Raises an `InputError` for features of another extractor, or a sentence without a word.
        """
        ...


@runtime_checkable
class Embedding(Protocol):
    """A model that compares pictures and sentences in one space."""

    def embed_frames(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `asst.localizer.Localizer.embed_frames`."""
        ...

    def embed_sentences(self, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        """See `asst.localizer.Localizer.embed_sentences`."""
        ...
