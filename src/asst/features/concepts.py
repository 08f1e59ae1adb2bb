"""The language side of the ImageNet extractor: what a sentence says of classes and of features.

ImageNet's classes are pairs of a text and a classifier, the row of the network's last layer. Kernel ridge regression
from the texts' embeddings to those rows extends the pairing to any sentence. The texts are WordNet's glosses of the
classes and of the groups they fall into, and longer descriptions; ``scripts/build_concepts.py`` gathers them. Two
encoders read them, each with a regression of its own. Two more views of a sentence are distributions over the classes
themselves: those that its nouns name, and those whose glosses it resembles.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from asst.features.minilm import MiniLM
from asst.features.reading import FloatArray, Reading, SentenceReader
from asst.features.word_average import word_average

CLASSES = 1000
# Width of the kernel exp(-gamma * |x - y|^2) between unit embeddings, and the ridge: of sentences, of averaged words.
_SENTENCE_KERNEL = (4.0, 0.3)
_WORD_KERNEL = (2.0, 1.0)
# The sentence encoder was trained to tell sentences apart by the softmax of this times their cosine.
_ENCODER_SCALE = 20.0
# WordNet's rules from plural to singular, tried in this order.
_SINGULARS = (
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
)
_PHRASE_WORDS = 3


class ConceptMap(SentenceReader):
    """Sentences to classifiers and classes.

    Attributes:
        measures: names of what is measured.
        unrelated: classifiers of sentences about nothing in particular, unit vectors,
            ``(encoders, sentences, channels)``.

    Args:
        class_weights: the rows of the image classifier's last layer, ``(CLASSES, channels)``.

    Raises:
        InputError: when the sentence encoder's weights are missing.
    """

    measures = ("sentence encoder", "averaged words", "named classes", "resembled classes")

    def __init__(self, class_weights: Tensor) -> None:
        super().__init__()
        from safetensors.numpy import load

        shipped = load(files("asst.features").joinpath("concepts.safetensors").read_bytes())
        tensors = {name: torch.from_numpy(rows.astype(np.float32)) for name, rows in shipped.items()}
        targets = _shares() @ class_directions(class_weights)
        self._glosses = tensors["texts"][:CLASSES]
        self._word_centre = tensors["word_centre"].numpy()
        self._regressions = (
            _KernelRidge(tensors["texts"], targets, *_SENTENCE_KERNEL),
            _KernelRidge(tensors["text_words"], targets, *_WORD_KERNEL),
        )
        self.unrelated = self._classifiers(tensors["unrelated"], tensors["unrelated_words"])
        self._encoder = MiniLM()

    def _reading(self, sentences: Sequence[str]) -> Reading:
        embeddings = torch.from_numpy(self._encoder.encode(sentences))
        words = torch.from_numpy(word_average(sentences, self._word_centre))
        resembled = torch.softmax(_ENCODER_SCALE * embeddings @ self._glosses.T, dim=1)
        named = [named_classes(sentence) for sentence in sentences]
        return Reading(self._classifiers(embeddings, words), named, resembled.numpy())

    def _classifiers(self, *embeddings: Tensor) -> FloatArray:
        predicted = [regression(x) for regression, x in zip(self._regressions, embeddings, strict=True)]
        unit: FloatArray = normalize(torch.stack(predicted), dim=2).numpy()
        return unit


def class_directions(class_weights: Tensor) -> Tensor:
    """What tells each class from the others: its row less the mean row, of length one, shape ``(CLASSES, channels)``.

    Args:
        class_weights: the rows of the image classifier's last layer.
    """
    rows = class_weights.float()
    return normalize(rows - rows.mean(0), dim=1)


def _shares() -> Tensor:
    """How much of each class is in the mean over the classes that a text is about, shape ``(texts, CLASSES)``."""
    about = concept_data()["classes"]
    shares = np.zeros((len(about), CLASSES), dtype=np.float32)
    for row, classes in zip(shares, about, strict=True):
        row[classes] = 1 / len(classes)
    return torch.from_numpy(shares)


class _KernelRidge:
    """Kernel ridge regression from unit vectors to targets.

    The system is solved for the vectors asked about, of which there are far fewer than targets have channels.

    Args:
        inputs: unit vectors, shape ``(texts, width)``.
        targets: shape ``(texts, channels)``.
        gamma: of the kernel ``exp(-gamma * |x - y|^2)``.
        ridge: what is added to the kernel's diagonal.
    """

    def __init__(self, inputs: Tensor, targets: Tensor, gamma: float, ridge: float) -> None:
        self._inputs = inputs
        self._gamma = gamma
        self._mean = targets.mean(0)
        self._targets = targets - self._mean
        kernel = self._kernel(inputs)
        kernel.diagonal().add_(ridge)
        self._factor = torch.linalg.cholesky(kernel)

    def __call__(self, vectors: Tensor) -> Tensor:
        """Predictions for unit vectors ``(vectors, width)``, shape ``(vectors, channels)``."""
        shares = torch.cholesky_solve(self._kernel(vectors).T, self._factor)
        return shares.T @ self._targets + self._mean

    def _kernel(self, vectors: Tensor) -> Tensor:
        return torch.exp(-self._gamma * (2.0 - 2.0 * vectors @ self._inputs.T))


@cache
def concept_data() -> dict[str, Any]:
    """The package's table of texts, the classes that each is about, nouns, and unrelated sentences."""
    packed = files("asst.features").joinpath("concepts.json.gz").read_bytes()
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
    at = 0
    while at < len(words):
        for length in range(min(_PHRASE_WORDS, len(words) - at), 0, -1):
            classes = _noun(" ".join(words[at : at + length]))
            if classes:
                found.update(classes)
                at += length
                break
        else:
            at += 1
    return sorted(found)


def _noun(phrase: str) -> list[int]:
    nouns: dict[str, list[int]] = concept_data()["nouns"]
    if phrase in nouns:
        return nouns[phrase]
    for plural, singular in _SINGULARS:
        stem = phrase.removesuffix(plural)
        if stem != phrase and stem + singular in nouns:
            return nouns[stem + singular]
    return []
