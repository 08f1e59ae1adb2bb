"""The words of many sentences as vectors, looked up once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asst.data.record import Record
from asst.errors import InputError
from asst.text import Vector, WordVectors, tokenize


class SentenceVectors:
    """The word vectors of each record's sentence; a word is kept once however often it occurs.

    Args:
        records: whose sentences.
        words: gives the vectors; it is asked once and not kept.

    Raises:
        InputError: for a sentence without a word, or vectors that cannot be read.
    """

    def __init__(self, records: Sequence[Record], words: WordVectors) -> None:
        tokens = [tokenize(record.sentence) for record in records]
        for record, own in zip(records, tokens, strict=True):
            if not own:
                raise InputError(f"record {record.id}: no word in {record.sentence!r}; leave it out")
        vocabulary = sorted({token for own in tokens for token in own})
        index = {token: row for row, token in enumerate(vocabulary)}
        self._matrix = words.vectors(vocabulary)
        self._rows = [np.array([index[token] for token in own], dtype=np.int64) for own in tokens]

    def __getitem__(self, record: int) -> Vector:
        """One vector a word of a sentence, shape ``(words, dimension)``."""
        vectors: Vector = self._matrix[self._rows[record]]
        return vectors
