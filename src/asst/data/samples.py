"""Training samples and queries as torch data sets.

What a training sample shows is a function of seed, epoch and index alone. The key of a sample is therefore the pair
``(epoch, index)``, which `EpochOrder` hands to the workers: a run that is resumed sees what it would have seen, however
many workers it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from torch.utils.data import Dataset, Sampler

from asst.data.observations import Observation
from asst.data.query_tokens import QueryTokens, RecordTokens
from asst.data.record import Record
from asst.data.sample import Sample
from asst.errors import InputError
from asst.features.stores.native import FeatureStore, require
from asst.text import Vector, WordVectors, tokenize

Key = tuple[int, int]

DRAWS, ORDERS = 1, 2
"""Set apart the two uses of a seed."""


class _Records:
    """Records with the features of their videos and the vectors of their sentences.

    ``words`` is asked once, or has the tokens of each query. An `InputError` for a video without features, or a
    sentence without a word or tokens.
    """

    def __init__(
        self, records: Sequence[Record], store: FeatureStore, words: WordVectors | QueryTokens, observation: Observation
    ) -> None:
        require(store, (record.video for record in records))
        self.records = tuple(records)
        self.observation = observation
        self._store = store
        self._sentences: SentenceVectors | RecordTokens
        if isinstance(words, QueryTokens):
            self._sentences = words.of(records)
        else:
            self._sentences = SentenceVectors(((f"record {own.id}", own.sentence) for own in records), words)

    def __len__(self) -> int:
        return len(self.records)


class TrainingSamples(_Records, Dataset[Sample]):
    """Records as what one training step sees of each; a map from ``(epoch, index)`` to a sample."""

    def __init__(
        self,
        records: Sequence[Record],
        store: FeatureStore,
        words: WordVectors | QueryTokens,
        observation: Observation,
        seed: int = 0,
        wrong_sentences: float = 0.0,
    ) -> None:
        if wrong_sentences and len({record.video for record in records}) < 2:
            raise InputError("wrong sentences are those of other videos, and there are none; set wrong_sentences=0")
        super().__init__(records, store, words, observation)
        self._seed = seed
        self._wrong = wrong_sentences

    def __getitem__(self, key: Key) -> Sample:
        """The sample of a record in an epoch; an `InputError` for features that do not reach the record's moment."""
        epoch, index = key
        record = self.records[index]
        features = self._store.read(record.video)
        draw = np.random.default_rng((DRAWS, self._seed, epoch, index))
        seen = self.observation.draw(record, features, draw)
        said = index
        if foreign := draw.random() < self._wrong:
            while self.records[said].video == record.video:
                said = int(draw.integers(len(self.records)))
        vectors, words = seen.window.read(features), self._sentences[said]
        return Sample(index, seen.window, vectors, words, seen.moments, seen.target, foreign=foreign)


class Queries(_Records, Dataset[tuple[Sample, ...]]):
    """Records as questions: a map from an index to the windows that together answer it, without their truth."""

    def __getitem__(self, index: int) -> tuple[Sample, ...]:
        """The windows of one query, in the order of time."""
        record = self.records[index]
        features = self._store.read(record.video)
        words = self._sentences[index]
        return tuple(
            Sample(index, window, window.read(features), words, np.zeros((0, 2)))
            for window in self.observation.windows(record.duration_s, features)
        )


class EpochOrder(Sampler[Key]):
    """The keys of an epoch's samples in an order drawn from seed and epoch."""

    def __init__(self, length: int, seed: int = 0) -> None:
        self._length = length
        self._seed = seed
        self._epoch = 0
        self._first = 0

    def set_epoch(self, epoch: int, first: int = 0) -> None:
        """Which epoch the next pass is, and the place in its order that it begins at."""
        self._epoch = epoch
        self._first = first

    def __len__(self) -> int:
        return self._length - self._first

    def __iter__(self) -> Iterator[Key]:
        draw = np.random.default_rng((ORDERS, self._seed, self._epoch))
        order = draw.permutation(self._length)[self._first :]
        return iter([(self._epoch, int(index)) for index in order])


class SentenceVectors:
    """The word vectors of sentences, each with a name for messages; one without a word is an `InputError`."""

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
        return self._matrix[self._rows[sentence]]
