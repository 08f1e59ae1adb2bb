"""Training samples and queries as torch data sets.

What a training sample shows is a function of seed, epoch and index alone. The key of a sample is therefore the pair
``(epoch, index)``, which `EpochOrder` hands to the workers: a run that is resumed sees what it would have seen, however
many workers it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Dataset, Sampler

from asst.data.observations import Observation
from asst.data.query_tokens import QueryTokens, RecordTokens
from asst.data.record import Record
from asst.data.sample import Sample
from asst.data.sentences import SentenceVectors
from asst.errors import InputError
from asst.features.store import FeatureStore, require
from asst.text import WordVectors

Key = tuple[int, int]

DRAWS, ORDERS = 1, 2
"""Set apart the two uses of a seed."""


class TrainingSamples(Dataset[Sample]):
    """Records as what one training step sees of each; a map from ``(epoch, index)`` to a sample.

    Args:
        records: of one data set.
        store: holds the features of their videos; a `HeldStore` keeps them in memory.
        words: gives word vectors, and is asked once; or the tokens of each query.
        observation: which window is drawn.
        seed: of all draws.
        wrong_sentences: share of the samples that show another video's sentence.

    Raises:
        InputError: for a video without features, a sentence without a word or tokens, or wrong sentences of no other
            video.
    """

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
        require(store, (record.video for record in records))
        self.records = tuple(records)
        self.observation = observation
        self._store = store
        self._sentences = _sentences(self.records, words)
        self._seed = seed
        self._wrong = wrong_sentences

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: Key) -> Sample:
        """The sample of a record in an epoch.

        Raises:
            InputError: for features that cannot be read or do not reach the record's moment.
        """
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


class Queries(Dataset[tuple[Sample, ...]]):
    """Records as questions: a map from an index to the windows that together answer it, without their truth.

    Args:
        records: of one data set.
        store: holds the features of their videos.
        words: gives word vectors, and is asked once; or the tokens of each query.
        observation: which windows are looked at.

    Raises:
        InputError: for a video without features, or a sentence without a word or tokens.
    """

    def __init__(
        self, records: Sequence[Record], store: FeatureStore, words: WordVectors | QueryTokens, observation: Observation
    ) -> None:
        require(store, (record.video for record in records))
        self.records = tuple(records)
        self.observation = observation
        self._store = store
        self._sentences = _sentences(self.records, words)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> tuple[Sample, ...]:
        """The windows of one query, in the order of time.

        Raises:
            InputError: for features that cannot be read.
        """
        record = self.records[index]
        features = self._store.read(record.video)
        words = self._sentences[index]
        return tuple(
            Sample(index, window, window.read(features), words, np.zeros((0, 2)))
            for window in self.observation.windows(record.duration_s, features)
        )


class EpochOrder(Sampler[Key]):
    """The keys of an epoch's samples in an order drawn from seed and epoch.

    Args:
        length: number of samples.
        seed: of the order.
    """

    def __init__(self, length: int, seed: int = 0) -> None:
        self._length = length
        self._seed = seed
        self._epoch = 0
        self._first = 0

    def set_epoch(self, epoch: int, first: int = 0) -> None:
        """Which epoch the next pass is.

        Args:
            epoch: from zero.
            first: samples of it that an interrupted run has already seen.
        """
        self._epoch = epoch
        self._first = first

    def __len__(self) -> int:
        return self._length - self._first

    def __iter__(self) -> Iterator[Key]:
        draw = np.random.default_rng((ORDERS, self._seed, self._epoch))
        order = draw.permutation(self._length)[self._first :]
        return iter([(self._epoch, int(index)) for index in order])


def _sentences(records: Sequence[Record], words: WordVectors | QueryTokens) -> SentenceVectors | RecordTokens:
    if isinstance(words, QueryTokens):
        return words.of(records)
    return SentenceVectors(((f"record {record.id}", record.sentence) for record in records), words)
