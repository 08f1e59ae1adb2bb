"""``default``: candidates found without training, put in order by a reranker that was trained on simulated scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch

from asst.data.batch import CandidateRows, Collate, Sample
from asst.errors import InputError
from asst.features.imagenet import ImageNetExtractor
from asst.features.precision import fastest_device
from asst.features.values import Features
from asst.models.channels import Asked, ask
from asst.models.checkpoint import Description
from asst.models.model import Ranking
from asst.models.reranker import RerankerMethod
from asst.models.restored import restored
from asst.models.scored import Float64Array, Stage, check_features, ranking
from asst.models.trained import word_vectors
from asst.models.views import FACTS, STEPS, samples, views_of
from asst.models.word_attention import of_window, over_time
from asst.models.zeroshot import ConceptsModel
from asst.moments import Attention
from asst.text import Vector, WordVectors, tokenize

TRUST = 0.25
"""Weight of what the reranker adds to the strengths that it was trained beside.

It was trained on scenes alone, which differ from real videos; see ``docs/training.md``.
"""

_SAMPLES_AT_ONCE = 16


class RerankedModel:
    """A reranker on top of the packaged model that needs no training.

    Attributes:
        name: for messages and answers.
        description: of the checkpoint.

    Args:
        method: with its weights.
        description: as above.
        first: finds and scores candidates.
        name: as above.
        trust: weight of what the reranker adds.
    """

    def __init__(
        self, method: RerankerMethod, description: Description, first: ConceptsModel, name: str, trust: float = TRUST
    ) -> None:
        self.name = name
        self.description = description
        self._method = method
        self._first = first
        self._words: WordVectors = word_vectors(description.words)
        self._trust = trust

    @classmethod
    def load(cls, path: Path, name: str | None = None) -> Self:
        """From a checkpoint file.

        Raises:
            InputError: for a file that is no checkpoint of a reranker, or made for other weights of the extractor.
        """
        (method,), description = restored([path])
        if not isinstance(method, RerankerMethod):
            raise InputError(f"{path} holds {description.method}, which is no reranker")
        name = name or path.name
        first = ConceptsModel(name, description.features.extractor.rpartition("-")[2], looks_a_second=2.0)
        description.features.check_extractor(first.extractor, name)
        return cls(method, description, first, name)

    @property
    def extractor(self) -> ImageNetExtractor:
        """Makes the features it reads."""
        return self._first.extractor

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Ranking]:
        """The best moments of each sentence; a moment's score is explained in ``docs/models.md``.

        Raises:
            InputError: for features of another extractor, or on steps of another length.
        """
        check_features(features, self.extractor.name, self.name)
        stage = Stage.of(features)
        evidence, each = ask(self._first.reader, stage, queries)
        asked = list(each)
        judged = self._judged(stage, asked)
        return [
            ranking(stage, own.query, own.own, strengths, evidence, own.at, top)
            for own, strengths in zip(asked, judged, strict=True)
        ]

    def word_attention(self, features: Features, query: str) -> Attention | None:
        """Which words each step looks at (equation 4); None for a sentence without a word that has a vector.

        Raises:
            InputError: for features of another extractor.
        """
        check_features(features, self.extractor.name, self.name)
        stage = Stage.of(features)
        (asked,) = ask(self._first.reader, stage, [query])[1]
        words = self._sentence(query)
        windows, found = [], []
        for view in views_of(len(features)):
            # The clips do not matter: what is looked at does not depend on them.
            none = CandidateRows(np.zeros((1, 2), np.float32), np.zeros((1, len(FACTS)), np.float32))
            window = view.window(features.start_s)
            seen = Sample(0, window, view.read(asked.channels), words, np.zeros((0, 2)), candidates=none)
            weights = self._method.attention(Collate(STEPS)([seen]).to(fastest_device()))
            windows.append(window)
            found.append(of_window(weights, window, STEPS))
        return over_time(windows, found, tokenize(query))

    @torch.no_grad()
    def _judged(self, stage: Stage, asked: Sequence[Asked]) -> list[Float64Array]:
        """The strength of each candidate for each sentence, in the end.

        A candidate that was not judged gets what the judged ones got on average.
        """
        every = [
            (i, sample, own)
            for i, one in enumerate(asked)
            for sample, own in samples(stage, one, self._sentence(one.query), i)
        ]
        added = [np.full(len(one.own.strengths), np.nan) for one in asked]
        for at in range(0, len(every), _SAMPLES_AT_ONCE):
            some = every[at : at + _SAMPLES_AT_ONCE]
            batch = Collate(STEPS)([sample for _, sample, _ in some]).to(fastest_device())
            residual = (self._method.residual(batch) / self._method.scale).double().cpu().numpy()
            for (i, _, own), values in zip(some, residual, strict=True):
                added[i][own] = values[: len(own)]
        return [one.own.strengths + self._trust * _filled(values) for one, values in zip(asked, added, strict=True)]

    def _sentence(self, query: str) -> Vector:
        # A sentence of signs alone has no word; the network is shown one that means nothing.
        return self._words.vectors(tokenize(query) or ["the"])


def _filled(values: Float64Array) -> Float64Array:
    known = values[~np.isnan(values)]
    filled: Float64Array = np.where(np.isnan(values), known.mean() if len(known) else 0.0, values)
    return filled
