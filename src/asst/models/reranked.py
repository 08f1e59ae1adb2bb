"""Proposals that are found without training, put in order by a reranker.

One that was trained on tapes alone decides which window of a shot is meant; which shot, only for a sentence that tells
order: for others tapes mislead it (``docs/training.md``), whatever it learnt from real videos since. One that learnt
from real videos alone decides everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np

from asst.data.sample import ProposalRows
from asst.errors import InputError
from asst.features.values import Features
from asst.models.answers import Answerer, over_time, window_attention
from asst.models.base import RanksByVideo
from asst.models.checkpoint import Description
from asst.models.reranker_inputs import (
    FACTS,
    STEPS,
    ClauseEvidence,
    clause_evidence,
    reranker_inputs,
    samples,
    views_of,
)
from asst.models.trained.loading import PACKAGED, RERANKER, loaded
from asst.models.trained.model import word_vectors
from asst.models.zeroshot.model import QueryScores, query_scores, ranking, step_scores, zeroshot_of
from asst.models.zeroshot.proposals import Proposals, VideoContext
from asst.moments import Answer, Attention, FloatArray
from asst.text import Vector, WordVectors, tokenize

Scope = Literal["windows", "order", "everything"]
"""What a reranker decides: which window of a shot is meant; which shot too, if the sentence tells order; or all."""

_SAMPLES_AT_ONCE = 16
# Stands for the proposals where words are looked at, whose weights do not depend on them.
_ANY = ProposalRows(np.zeros((1, 2), dtype=np.float32), np.zeros((1, len(FACTS)), dtype=np.float32))
# From this probability on it is likely that what another moment is told by is in the video.
_LIKELY = 0.5


class RerankedModel(RanksByVideo):
    """A reranker on top of a model that needs no training."""

    def __init__(
        self,
        method: Answerer,
        description: Description,
        path: Path,
        name: str | None = None,
        scope: Scope | None = None,
    ) -> None:
        """From what was loaded of a file; raises an `InputError` as `load`."""
        if description.method != RERANKER:
            raise InputError(f"{path} holds {description.method}, which is no reranker")
        self.name = name or path.name
        self._first = first = zeroshot_of(description.features.extractor, self.name)
        description.features.check_extractor(first.extractor, self.name)
        self.description = description
        self._method = method
        self.extractor, self.reader, self.base = first.extractor, first.reader, first.base
        self.embed_frames, self.embed_sentences = first.embed_frames, first.embed_sentences
        self._measures = first.reader.sentences.measures
        self._words: WordVectors = word_vectors(description.words)
        taped = any(own.startswith("tapes/") for own in description.learnt)
        self._scope: Scope = scope or ("order" if taped else "everything")

    @classmethod
    def load(cls, path: Path, name: str | None = None, scope: Scope | None = None) -> Self:
        """From a checkpoint file.

        Raises an `InputError` for a file that is no checkpoint of a reranker, or made for other weights of the
        extractor.
        """
        (method,), description = loaded([path])
        return cls(method, description, path, name, scope)

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Answer]:
        """As `ZeroShotModel.rank`, in the order that the reranker gives."""
        context = self._first.context(features)
        every = clause_evidence(self.reader, features, queries)
        found = [query_scores(context, evidence.whole) for evidence in every]
        rankings = []
        for evidence, own, added in zip(every, found, self._added(context, every, found), strict=True):
            scores = own.proposals + added
            decides_shots = self._scope == "everything" or (self._scope == "order" and _order_tells(context, evidence))
            if not decides_shots:
                scores = within_shots(context.proposals, own.proposals, scores)
            rankings.append(ranking(context, evidence.whole, own, scores, top))
        return rankings

    def word_attention(self, features: Features, query: str) -> Attention | None:
        """Which words each step looks at (equation 4); None for a sentence without a word that has a vector.

        Raises an `InputError` for features of another extractor.
        """
        context = self._first.context(features)
        (evidence,) = clause_evidence(self.reader, features, [query])
        steps = step_scores(context, evidence.whole)
        inputs = reranker_inputs(context, evidence, steps, self._measures)
        windows, found = [], []
        for view in views_of(len(features)):
            seen = view.sample(context, inputs, self._sentence(query), 0, _ANY)
            windows.append(seen.window)
            found.append(window_attention(self._method, seen, STEPS))
        return over_time(windows, found, tokenize(query))

    def _added(
        self, context: VideoContext, every: Sequence[ClauseEvidence], found: Sequence[QueryScores]
    ) -> list[FloatArray]:
        """What the reranker adds to the score of each proposal, for each sentence."""
        added = [np.full(len(own.proposals), np.nan) for own in found]
        asked = []
        for i, (evidence, own) in enumerate(zip(every, found, strict=True)):
            inputs = reranker_inputs(context, evidence, own.steps, self._measures)
            words = self._sentence(evidence.query.text)
            asked += [(i, sample, here) for sample, here in samples(context, own, inputs, words, i)]
        for at in range(0, len(asked), _SAMPLES_AT_ONCE):
            some = asked[at : at + _SAMPLES_AT_ONCE]
            judged = self._method.answers([sample for _, sample, _ in some])
            for (i, _, here), scores in zip(some, judged.scores, strict=True):
                added[i][here] = scores[: len(here)] - found[i].proposals[here]
        return [_filled(values) for values in added]

    def _sentence(self, query: str) -> Vector:
        # A sentence of signs alone has no word; the network is shown one that means nothing.
        return self._words.vectors(tokenize(query) or ["the"])


def packaged_default() -> RerankedModel:
    """The reranker that the package ships; an `InputError` when packaged weights are missing."""
    return RerankedModel.load(PACKAGED, "default")


def within_shots(found: Proposals, before: FloatArray, after: FloatArray) -> FloatArray:
    """Scores by which shots compete as ``before``, the windows of each shot as ``after``, all ``(proposals,)``.

    The best window of a shot scores as its best one did; runs of whole shots stay as they were.
    """
    inside = np.flatnonzero(found.inside)
    result = before.copy()
    if len(inside):
        wholes, shot = np.unique(found.wholes[inside], axis=0, return_inverse=True)
        best_before, best_after = (np.full(len(wholes), -np.inf) for _ in range(2))
        np.maximum.at(best_before, shot, before[inside])
        np.maximum.at(best_after, shot, after[inside])
        result[inside] = after[inside] + (best_before - best_after)[shot]
    return result


def _order_tells(context: VideoContext, evidence: ClauseEvidence) -> bool:
    """Whether there is an order to judge by: what an ordinal counts is found twice, or the related clause is likely."""
    clause = evidence.main if evidence.query.ordinal else evidence.related
    if clause is None:
        return False
    own = query_scores(context, clause)
    found = ranking(context, clause, own, own.proposals, 2)
    return len(found.moments) > 1 if evidence.query.ordinal else found.ranked[0].score >= _LIKELY


def _filled(values: FloatArray) -> FloatArray:
    """A proposal that was not judged gets what the judged ones got on average; nothing if none was."""
    known = values[~np.isnan(values)]
    return np.where(np.isnan(values), known.mean() if len(known) else 0.0, values)
