"""The language side of the ImageNet extractor: a sentence becomes a classifier in the space of its features.

ImageNet's classes are pairs of a text and a classifier, the row of the network's last layer. Kernel ridge regression
from the texts' embeddings to those rows extends the pairing to any sentence. The texts are WordNet's glosses of the
classes and of the groups they fall into, and longer descriptions; ``scripts/build_concepts.py`` gathers them.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from asst.features.sentence import SentenceEncoder

FloatArray = npt.NDArray[np.float32]

# Width of the kernel exp(-gamma * |x - y|^2) between unit embeddings, and the ridge.
_GAMMA = 4.0
_RIDGE = 0.3
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


class ConceptMap:
    """Sentences to classifiers.

    Attributes:
        unrelated: classifiers of sentences about nothing in particular, unit vectors, ``(sentences, channels)``.

    Args:
        class_weights: the rows of the image classifier's last layer, ``(classes, channels)``.

    Raises:
        InputError: when the sentence encoder's weights are missing.
    """

    def __init__(self, class_weights: Tensor) -> None:
        from safetensors.numpy import load

        embeddings = load(files("asst.features").joinpath("concepts.safetensors").read_bytes())
        self._texts = torch.from_numpy(embeddings["texts"].astype(np.float32))
        rows = class_weights.float() - class_weights.float().mean(0)
        rows = torch.nn.functional.normalize(rows, dim=1)
        targets = torch.stack([rows[classes].mean(0) for classes in concept_data()["classes"]])
        self._mean_target = targets.mean(0)
        kernel = self._kernel(self._texts)
        kernel.diagonal().add_(_RIDGE)
        factor = torch.linalg.cholesky(kernel)
        self._coefficients = torch.cholesky_solve(targets - self._mean_target, factor)
        self.unrelated = self._classifiers(torch.from_numpy(embeddings["unrelated"].astype(np.float32)))
        self._encode = SentenceEncoder()

    def classifiers(self, sentences: Sequence[str]) -> FloatArray:
        """One unit vector a sentence, to be compared with centred features; shape ``(sentences, channels)``."""
        return self._classifiers(torch.from_numpy(self._encode(sentences)))

    def _classifiers(self, embeddings: Tensor) -> FloatArray:
        predicted = self._kernel(embeddings) @ self._coefficients + self._mean_target
        unit: FloatArray = torch.nn.functional.normalize(predicted, dim=1).numpy()
        return unit

    def _kernel(self, embeddings: Tensor) -> Tensor:
        """Similarity of unit embeddings to the texts', shape ``(embeddings, texts)``."""
        return torch.exp(-_GAMMA * (2.0 - 2.0 * embeddings @ self._texts.T))


@cache
def concept_data() -> dict[str, list[list[int]]]:
    """The package's table of texts, the classes that each is about, nouns, and unrelated sentences."""
    packed = files("asst.features").joinpath("concepts.json.gz").read_bytes()
    table: dict[str, list[list[int]]] = json.loads(gzip.decompress(packed))
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
    nouns: dict[str, list[int]] = concept_data()["nouns"]  # type: ignore[assignment]
    if phrase in nouns:
        return nouns[phrase]
    for plural, singular in _SINGULARS:
        stem = phrase.removesuffix(plural)
        if stem != phrase and stem + singular in nouns:
            return nouns[stem + singular]
    return []
