"""A model from checkpoints, used like any other: features and sentences in, moments out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from asst.data.query_tokens import SOURCE, QueryTokens
from asst.data.record import Record
from asst.data.sample import Sample
from asst.errors import InputError
from asst.features.stores.native import FeatureStore
from asst.features.values import Features
from asst.models.answers import Answerer, QueryAnswer, over_time, query_answers, window_attention
from asst.models.base import Found
from asst.models.checkpoint import Description
from asst.models.trained.loading import Checkpoints
from asst.moments import Answer, Attention, Curve, FloatArray, Moment, best_around
from asst.text import Vector, WordVectors, tokenize

GLOVE = "ASST_GLOVE"
"""Environment variable that names a file of word vectors other than the packaged ones."""
_ONLY_BY_RUN = (
    "this checkpoint reads tokens that a text encoder made of each query, and no sentence that is typed; "
    "judge it with asst evaluate RUN"
)


class TrainedModel(Checkpoints):
    """Checkpoints as a model that ranks moments.

    ``words`` gives the vectors of words, or the tokens of queries; if None they are found by the description's source,
    with an `InputError` if they are not here.
    """

    at_once = 32
    finds_actions = False
    otherwise = "finds actions and answers no sentence; use it with asst detect"

    def __init__(
        self,
        methods: Sequence[Answerer],
        description: Description,
        name: str,
        words: WordVectors | QueryTokens | None = None,
    ) -> None:
        super().__init__(methods, description, name)
        self._words = words or word_vectors(description.words)

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Answer]:
        """The best moments of each sentence; scores are in [0, 1], those of a classification sum to one.

        Raises an `InputError` for features of another kind, or a sentence without a word.
        """
        found = self._answers(self._samples(features, queries), [features.end_s] * len(queries), top)
        return [self._answer(features, query, own) for query, own in zip(queries, found, strict=True)]

    def rank_records(
        self, records: Sequence[Record], store: FeatureStore, *, top: int | None, overlap: float | None = None
    ) -> Found:
        """See `asst.models.base.Model`; windows of several videos are looked at together."""
        from asst.data.samples import Queries

        queries = Queries(records, store, self._words, self.observation)
        if records:
            self._check_words()
            self.description.features.check(store.read(records[0].video), self.name)
        samples = chain.from_iterable(queries[index] for index in range(len(queries)))
        found = self._answers(samples, [record.duration_s for record in records], top, overlap)
        for record, answer in zip(records, found, strict=True):
            yield record, tuple(_moments(answer, record.sentence, record.video))

    def attention(self, features: Features, query: str) -> list[dict[str, FloatArray]]:
        """Which words each step looks at (equation 4), for each of the windows of a video; raises as `rank`.

        By the name of each fed layer, the weights of the words of `asst.text.tokenize` at each real step of the layer,
        shape ``(words, steps)``; empty where the method has no attention.
        """
        return [
            window_attention(self._methods[0], sample, self.observation.steps)
            for sample in self._samples(features, [query])
        ]

    def word_attention(self, features: Features, query: str) -> Attention | None:
        """`attention` on the clock of the video, the mean of the layers that see every step; None if there is none."""
        windows = self.observation.windows(features.end_s, features)
        return over_time(windows, self.attention(features, query), tokenize(query))

    def _samples(self, features: Features, queries: Sequence[str]) -> Iterator[Sample]:
        self.description.features.check(features, self.name)
        vectors = [self._sentence(query) for query in queries]
        windows = self.observation.windows(features.end_s, features)
        return (
            Sample(index, window, window.read(features), words, np.zeros((0, 2)))
            for index, words in enumerate(vectors)
            for window in windows
        )

    def _answers(
        self, samples: Iterable[Sample], durations_s: Sequence[float], limit: int | None, overlap: float | None = None
    ) -> Iterator[QueryAnswer]:
        return query_answers(
            self.windows(samples),
            durations_s,
            relative=self._methods[0].relative,
            overlap=self.description.overlap if overlap is None else overlap,
            limit=limit,
        )

    def _answer(self, features: Features, query: str, found: QueryAnswer) -> Answer:
        # Of all spans: to drop the weaker of two first, as the moments do, takes longer than all else on a long video.
        curve = Curve(features.times_s, best_around(features.times_s, found.every_s, found.every_score))
        return Answer("", query, features.video_end_s, self.name, tuple(_moments(found, query)), curve)

    def _sentence(self, query: str) -> Vector:
        if isinstance(self._words, QueryTokens):
            raise InputError(_ONLY_BY_RUN)
        tokens = tokenize(query)
        if not tokens:
            raise InputError(f"no word in {query!r}; say what to look for")
        return self._words.vectors(tokens)

    def _check_words(self) -> None:
        width = self.description.settings.get("word_channels", self._words.dimension)
        if width != self._words.dimension:
            raise InputError(
                f"{self.name} reads {self.description.words} of {width} numbers, and {self._words.source} have "
                f"{self._words.dimension}; name by data.words what it learnt from"
            )


def word_vectors(source: str) -> WordVectors:
    """The word vectors that a checkpoint names: the packaged ones, or those in the file that ``ASST_GLOVE`` names.

    Raises an `InputError` if they are not here.
    """
    if source == SOURCE:
        raise InputError(_ONLY_BY_RUN)
    packaged = WordVectors.packaged()
    if source == packaged.source:
        return packaged
    path = os.environ.get(GLOVE)
    words = WordVectors.from_file(Path(path)) if path else None
    if words is None or words.source != source:
        found = f"{path} holds {words.source}" if words else "no file is named"
        raise InputError(f"this checkpoint reads the word vectors {source}; set {GLOVE} to their file ({found})")
    return words


def _moments(answer: QueryAnswer, query: str, video: str | None = None) -> Iterator[Moment]:
    for (start_s, end_s), score in zip(answer.spans_s, answer.scores, strict=True):
        yield Moment(float(start_s), float(end_s), float(score), query, video)
