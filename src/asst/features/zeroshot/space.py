"""The space that frames and sentences share: how a step's vector is laid out, and what sentences say in it.

Names and glosses of ImageNet's classes are WordNet's; ``scripts/build_concepts.py`` gathers them.
"""

from __future__ import annotations

import gzip
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Any, ClassVar, NamedTuple

import numpy as np

from asst.features.runtime import Network, graph
from asst.features.zeroshot.colours import COLOURS
from asst.features.zeroshot.minilm import MiniLM
from asst.moments import Array, Float32Array

CROPS = 3
"""Crops of a frame that the network sees."""

PAN = ("right", "up")
"""What is known of how the camera turns."""

COSINE = "picture and sentence"
"""The measure that every extractor has."""

# The sentence encoder was trained to tell sentences apart by the softmax of this times their cosine.
_ENCODER_SCALE = 20.0
# WordNet's rules from plural to singular, tried in this order.
_SINGULARS = {"s": "", "ses": "s", "xes": "x", "zes": "z", "ches": "ch", "shes": "sh", "men": "man", "ies": "y"}
_PHRASE_WORDS = 3


class Classifier(NamedTuple):
    """The last layer of an image classifier: shapes ``(classes, channels)`` and ``(classes,)``."""

    weights: Float32Array
    bias: Float32Array


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """What is in a vector: of each crop what the network sees; then, with ``pixels``, what these tell.

    That are the shares of `COLOURS` in each crop; and how far the camera turns to the right and up, in widths and
    heights of the frame a second. ``extractor`` is the features' name; crops are centred by ``mean``, ``(channels,)``.
    """

    extractor: str
    mean: Float32Array
    classifier: Classifier | None = None
    pixels: bool = False

    @property
    def channels(self) -> int:
        """Dimension of what the network sees in a crop."""
        return len(self.mean)

    @property
    def dimension(self) -> int:
        """Dimension of a vector."""
        return self._pan + (len(PAN) if self.pixels else 0)

    @property
    def _pan(self) -> int:
        return CROPS * (self.channels + (len(COLOURS) if self.pixels else 0))

    def crops(self, vectors: Array) -> Array:
        """What the network sees, a view of shape ``(steps, CROPS, channels)``."""
        return vectors[:, : CROPS * self.channels].reshape(len(vectors), CROPS, self.channels)

    def colours(self, vectors: Array) -> Array:
        """The shares of `COLOURS`, a view of shape ``(steps, CROPS, len(COLOURS))``; of no colour if not measured."""
        shares = vectors[:, CROPS * self.channels : self._pan]
        return shares.reshape(len(vectors), CROPS, len(COLOURS) if self.pixels else 0)

    def pans(self, vectors: Array) -> Array:
        """How the camera turns, as `PAN`, shape ``(steps, 2)``; zero if not measured."""
        return vectors[:, self._pan :] if self.pixels else np.zeros((len(vectors), len(PAN)), vectors.dtype)


@dataclass(frozen=True, slots=True)
class Reading:
    """What sentences say; of classes nothing for an extractor without them.

    Attributes:
        classifiers: unit vectors to be compared with centred features, shape ``(sentences, channels)``.
        named: the classes that each sentence names.
        resembled: how much each class's gloss resembles each sentence, a distribution; ``(sentences, classes)``.
    """

    classifiers: Float32Array
    named: Sequence[Sequence[int]]
    resembled: Float32Array


class SentenceReader(ABC):
    """The language side of an extractor.

    Made of the unit vectors of negative sentences, about nothing in particular, of which ``negatives`` are the
    classifiers; and of what makes those of sentences about ImageNet's classes, when they are first wanted.
    ``measures`` names what is measured of a sentence at each step.
    """

    measures: ClassVar[tuple[str, ...]]

    def __init__(self, negatives: Float32Array, glosses: Callable[[], Float32Array]) -> None:
        self._usual = negatives.mean(axis=0)
        self._glosses = glosses
        self.negatives = self.classifiers(negatives)
        self._last = lru_cache(maxsize=1)(self._reading)

    def read(self, sentences: Sequence[str]) -> Reading:
        """What sentences say, kept for when the same are asked next; raises InputError when weights are missing."""
        return self._last(tuple(sentences))

    @cached_property
    def glosses(self) -> Float32Array:
        """Classifiers of sentences about ImageNet's classes, unit vectors, shape ``(classes, channels)``."""
        return self.classifiers(self._glosses())

    def classifiers(self, vectors: Float32Array) -> Float32Array:
        """How sentences differ from others, unit vectors; of and to the shape ``(sentences, channels)``.

        What all sentences have in common says nothing of a frame.
        """
        apart = vectors - self._usual
        unit: Float32Array = apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
        return unit

    @abstractmethod
    def vectors(self, sentences: Sequence[str]) -> Float32Array:
        """Where sentences lie in the space, unit vectors, shape ``(sentences, channels)``."""

    def _reading(self, sentences: Sequence[str]) -> Reading:
        """What sentences say, where there are no classes."""
        nothing = np.zeros((len(sentences), 0), dtype=np.float32)
        return Reading(self.classifiers(self.vectors(sentences)), [()] * len(sentences), nothing)


class CaptionSentences(SentenceReader):
    """The language side of a space that was learnt from captions: MiniLM and two layers more.

    ``encoder`` makes the encoder's weights, ``placing`` are those of the layers that follow it; ``own_encoder`` says
    that the encoder is not the published one.
    """

    measures = (COSINE, "named classes", "resembled classes")

    def __init__(
        self, encoder: Callable[[], dict[str, Float32Array]], placing: Mapping[str, Float32Array], *, own_encoder: bool
    ) -> None:
        self._weights, self._own_encoder = encoder, own_encoder
        self._placing = Network(graph("placing"), placing)
        super().__init__(self._placed(self._known("negatives")), lambda: self._placed(self._meant_by_glosses))

    def vectors(self, sentences: Sequence[str]) -> Float32Array:
        """See `SentenceReader.vectors`."""
        return self._placed(self._encoder.encode(sentences))

    def _reading(self, sentences: Sequence[str]) -> Reading:
        meanings = self._encoder.encode(sentences)
        named = [named_classes(sentence) for sentence in sentences]
        resembled = resembled_classes(meanings, self._meant_by_glosses)
        return Reading(self.classifiers(self._placed(meanings)), named, resembled)

    def _known(self, name: str) -> Float32Array:
        """What the encoder makes of sentences of the package; that of the published one is packaged."""
        return self._encoder.encode(concept_data()[name]) if self._own_encoder else embeddings()[name]

    @cached_property
    def _meant_by_glosses(self) -> Float32Array:
        return self._known("glosses")

    @cached_property
    def _encoder(self) -> MiniLM:
        # Of all that is read it is the largest, and whoever indexes asks nothing.
        return MiniLM(self._weights())

    def _placed(self, meanings: Float32Array) -> Float32Array:
        (vectors,) = self._placing(meanings=meanings)
        return vectors


@cache
def embeddings() -> dict[str, Float32Array]:
    """What the sentence encoder makes of ``glosses`` and of ``negatives``, ``(sentences, width)``."""
    from safetensors.numpy import load

    shipped = load(files("asst.features.zeroshot").joinpath("concepts.safetensors").read_bytes())
    return {name: rows.astype(np.float32) for name, rows in shipped.items()}


def resembled_classes(meanings: Float32Array, glosses: Float32Array) -> Float32Array:
    """`Reading.resembled`, by what the sentence encoder makes of sentences and glosses, ``(sentences, width)``."""
    alike = np.exp(_ENCODER_SCALE * (meanings @ glosses.T - 1))
    shares: Float32Array = alike / alike.sum(axis=1, keepdims=True)
    return shares


@cache
def concept_data() -> dict[str, Any]:
    """The package's table: a gloss of each class, the classes that nouns name, and negative sentences."""
    packed = files("asst.features.zeroshot").joinpath("concepts.json.gz").read_bytes()
    table: dict[str, Any] = json.loads(gzip.decompress(packed))
    return table


def named_classes(sentence: str) -> list[int]:
    """The ImageNet classes that a sentence's nouns name, those of kinds of the noun included.

    Longer phrases go first: "frying pan" is not also a pan. Nouns are read in their three most frequent senses.

    >>> len(named_classes("a dog jumps")) > 100, named_classes("she twists and turns")
    (True, [])
    """
    words = re.findall(r"[a-z]+", sentence.lower())
    found: set[int] = set()
    while words:
        phrases = (words[:length] for length in range(_PHRASE_WORDS, 0, -1))
        phrase = next((phrase for phrase in phrases if _noun(" ".join(phrase))), words[:1])
        found.update(_noun(" ".join(phrase)))
        words = words[len(phrase) :]
    return sorted(found)


def _noun(phrase: str) -> list[int]:
    nouns: dict[str, list[int]] = concept_data()["nouns"]
    if phrase in nouns:
        return nouns[phrase]
    for plural, singular in _SINGULARS.items():
        stem = phrase.removesuffix(plural)
        if stem != phrase and stem + singular in nouns:
            return nouns[stem + singular]
    return []
