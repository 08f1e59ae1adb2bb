"""Sentences to vectors: the mean of the GloVe vectors of the words that carry meaning.

It knows nothing of order, and often has seen rarer words than the sentence encoder; the two err on different sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asst.text import EMPTY_WORDS, WordVectors, tokenize

FloatArray = npt.NDArray[np.float32]


def word_average(sentences: Sequence[str], centre: FloatArray | None = None) -> FloatArray:
    """Encode sentences.

    Args:
        sentences: the sentences.
        centre: what all sentences share, subtracted; shape ``(50,)``.

    Returns:
        Unit vectors if there is a centre, else plain means, shape ``(sentences, 50)``. A sentence without a word that
        has a vector is all zeros.

    Raises:
        InputError: when the word vectors are not installed.
    """
    words = WordVectors.packaged()
    tokens = [_meaningful(tokenize(sentence)) for sentence in sentences]
    words.prepare(token for sentence in tokens for token in sentence)
    means = np.zeros((len(tokens), words.dimension), dtype=np.float32)
    for mean, sentence in zip(means, tokens, strict=True):
        known = [token for token in sentence if words.covers(token)]
        if known:
            mean[:] = words.vectors(known).mean(axis=0)
            if centre is not None:
                mean -= centre
                mean /= np.linalg.norm(mean)
    return means


def _meaningful(tokens: list[str]) -> list[str]:
    """The tokens without empty words, or all where nothing else is left."""
    return [token for token in tokens if token not in EMPTY_WORDS] or tokens
