"""What sentences say of ImageNet's classes: those that their nouns name, and those whose glosses they resemble.

Names and glosses are WordNet's; ``scripts/build_concepts.py`` gathers them.
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

CLASSES = 1000
# The sentence encoder was trained to tell sentences apart by the softmax of this times their cosine.
_ENCODER_SCALE = 20.0
# WordNet's rules from plural to singular, tried in this order.
_SINGULARS = {"s": "", "ses": "s", "xes": "x", "zes": "z", "ches": "ch", "shes": "sh", "men": "man", "ies": "y"}
_PHRASE_WORDS = 3


@cache
def embeddings() -> dict[str, FloatArray]:
    """What the sentence encoder makes of ``glosses`` and of ``negatives``, ``(sentences, width)``."""
    from safetensors.numpy import load

    shipped = load(files("asst.features.zeroshot").joinpath("concepts.safetensors").read_bytes())
    return {name: rows.astype(np.float32) for name, rows in shipped.items()}


def resembled_classes(meanings: FloatArray, glosses: FloatArray) -> FloatArray:
    """How much each class's gloss resembles sentences, a distribution, shape ``(sentences, CLASSES)``.

    ``meanings`` and ``glosses`` are what the sentence encoder makes of both, unit vectors, ``(sentences, width)``.
    """
    alike = np.exp(_ENCODER_SCALE * (meanings @ glosses.T - 1))
    shares: FloatArray = alike / alike.sum(axis=1, keepdims=True)
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
