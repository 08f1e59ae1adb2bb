"""The words of many sentences as vectors, looked up once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from asst.errors import InputError
from asst.text import Vector, WordVectors, tokenize


class SentenceVectors:
    """The word vectors of each of some sentences; a word is kept once however often it occurs.

    Args:
        sentences: a name for messages, as ``record 12``, and the sentence itself.
        words: gives the vectors; it is asked once and not kept.

    Raises:
        InputError: for a sentence without a word, or vectors that cannot be read.
    """

    def __init__(self, sentences: Iterable[tuple[str, str]], words: WordVectors) -> None:
        tokens = []
        for name, sentence in sentences:
            tokens.append(tokenize(sentence))
            if not tokens[-1]:
                raise InputError(f"{name}: no word in {sentence!r}; leave it out")
        vocabulary = sorted({token for own in tokens for token in own})
        index = {token: row for row, token in enumerate(vocabulary)}
        self._matrix = words.vectors(vocabulary)
        self._rows = [np.array([index[token] for token in own], dtype=np.int64) for own in tokens]

    def __getitem__(self, sentence: int) -> Vector:
        """One vector a word of a sentence, shape ``(words, dimension)``."""
        vectors: Vector = self._matrix[self._rows[sentence]]
        return vectors
