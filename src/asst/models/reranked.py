"""Candidates that are found without training, put in order by a reranker.

One that was trained on tapes of pictures alone decides which window of a shot is meant. Which shot, it decides only for
a sentence that tells order: for others tapes mislead it on real videos (``docs/training.md``). One that was trained on
real videos decides everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from asst.data.sample import CandidateRows
from asst.errors import InputError
from asst.features.squares import SquaresExtractor
from asst.features.values import Features
from asst.models.answers import Answerer
from asst.models.candidates import Candidates
from asst.models.channels import Asked, ChannelReader, ask
from asst.models.checkpoint import Description, load_checkpoint, read_description
from asst.models.evidence import Evidence, EvidenceReader
from asst.models.exported import SUFFIX, ExportedMethod
from asst.models.loading import loaded
from asst.models.model import Ranking
from asst.models.scored import THRESHOLD, Float64Array, Scored, Stage, ranking, scored, step_scores
from asst.models.trained import word_vectors
from asst.models.views import FACTS, STEPS, samples, views_of
from asst.models.word_attention import of_window, over_time
from asst.models.zeroshot import ZeroShotModel, zeroshot_of
from asst.moments import Attention
from asst.text import Vector, WordVectors, tokenize

PACKAGED = Path(__file__).with_name("default.safetensors")
"""The checkpoint that the package ships."""
GRAPH = PACKAGED.with_suffix(SUFFIX)
"""Its network without weights, which serves every checkpoint of the same settings; ``scripts/build_graphs.py`` writes
it."""

METHOD = "reranker"
"""What checkpoints call it."""

Scope = Literal["windows", "order", "everything"]
"""What a reranker decides: which window of a shot is meant; which shot too, if the sentence tells order; or all."""

_SAMPLES_AT_ONCE = 16
# Stands for the candidates where words are looked at, whose weights do not depend on them.
_ANY = CandidateRows(np.zeros((1, 2), dtype=np.float32), np.zeros((1, len(FACTS)), dtype=np.float32))
# From this probability on it is likely that what another moment is told by is in the video.
_LIKELY = 0.5


class RerankedModel:
    """A reranker on top of a model that needs no training.

    Attributes:
        name: for messages and answers.
        description: of the checkpoint.

    Args:
        method: with its weights.
        description: as above.
        first: finds and scores candidates.
        name: as above.
        scope: what the reranker decides; that of its kind if not given.
    """

    def __init__(
        self,
        method: Answerer,
        description: Description,
        first: ZeroShotModel,
        name: str,
        scope: Scope | None = None,
    ) -> None:
        self.name = name
        self.description = description
        self._method = method
        self._first = first
        self._words: WordVectors = word_vectors(description.words)
        self._scope: Scope = scope or ("everything" if description.origin == "real" else "order")

    @classmethod
    def load(cls, path: Path, name: str | None = None, scope: Scope | None = None) -> Self:
        """From a checkpoint file.

        Raises:
            InputError: for a file that is no checkpoint of a reranker, or made for other weights of the extractor.
        """
        method, description = _method(path)
        name = name or path.name
        first = zeroshot_of(description.features.extractor, name)
        description.features.check_extractor(first.extractor, name)
        return cls(method, description, first, name, scope)

    @property
    def reader(self) -> EvidenceReader:
        """Measures what its features say of sentences."""
        return self._first.reader

    @property
    def base(self) -> str:
        """See `asst.models.zeroshot.ZeroShotModel`."""
        return self._first.base

    @property
    def extractor(self) -> SquaresExtractor:
        """Makes the features it reads."""
        return self._first.extractor

    def embed_frames(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `asst.localizer.Localizer.embed_frames`."""
        return self._first.embed_frames(frames)

    def embed_sentences(self, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        """See `asst.localizer.Localizer.embed_sentences`."""
        return self._first.embed_sentences(sentences)

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Ranking]:
        """The best moments of each sentence; a moment's score is explained in ``docs/models.md``.

        Raises:
            InputError: for features of another extractor, or on steps of another length.
        """
        stage = self._first.stage(features)
        evidence, asked = ask(self._first.reader, features, queries)
        found = [scored(stage, evidence, one.at, one.query) for one in asked]
        rankings = []
        for one, own, added in zip(asked, found, self._added(stage, evidence, asked, found), strict=True):
            strengths = own.strengths + added
            if not self._decides_shots(stage, evidence, one):
                strengths = within_shots(stage.found, own.strengths, strengths)
            rankings.append(ranking(stage, one.query, own, strengths, evidence, one.at, top))
        return rankings

    def word_attention(self, features: Features, query: str) -> Attention | None:
        """Which words each step looks at (equation 4); None for a sentence without a word that has a vector.

        Raises:
            InputError: for features of another extractor.
        """
        stage = self._first.stage(features)
        evidence, (asked,) = ask(self._first.reader, features, [query])
        channels = ChannelReader(stage, evidence)(asked, step_scores(stage, evidence, asked.at, query))
        windows, found = [], []
        for view in views_of(len(features)):
            seen = view.sample(stage, channels, self._sentence(query), 0, _ANY)
            windows.append(seen.window)
            found.append(of_window(self._method.attention([seen]), seen.window, STEPS))
        return over_time(windows, found, tokenize(query))

    def _added(
        self, stage: Stage, evidence: Evidence, asked: Sequence[Asked], found: Sequence[Scored]
    ) -> list[Float64Array]:
        """What the reranker adds to the strength of each candidate, for each sentence."""
        added = [np.full(len(own.strengths), np.nan) for own in found]
        read = ChannelReader(stage, evidence)
        every = [
            (i, sample, here)
            for i, (one, own) in enumerate(zip(asked, found, strict=True))
            for sample, here in samples(stage, own, read(one, own.steps), self._sentence(one.query), i)
        ]
        for at in range(0, len(every), _SAMPLES_AT_ONCE):
            some = every[at : at + _SAMPLES_AT_ONCE]
            judged = self._method.answers([sample for _, sample, _ in some])
            for (i, _, here), scores in zip(some, judged.scores, strict=True):
                added[i][here] = scores[: len(here)] - found[i].strengths[here]
        return [_filled(values) for values in added]

    def _decides_shots(self, stage: Stage, evidence: Evidence, asked: Asked) -> bool:
        return self._scope == "everything" or (self._scope == "order" and _order_tells(stage, evidence, asked))

    def _sentence(self, query: str) -> Vector:
        # A sentence of signs alone has no word; the network is shown one that means nothing.
        return self._words.vectors(tokenize(query) or ["the"])


def _method(path: Path) -> tuple[Answerer, Description]:
    """What computes the reranker of a file: the graph that ships, if it has the settings of that."""
    if path.suffix == SUFFIX:
        (method,), description = loaded([path])
    else:
        description = read_description(path)
        if description.method == METHOD and description.settings == read_description(PACKAGED).settings:
            method = ExportedMethod.of_graph(GRAPH, load_checkpoint(path)[1], description)
        else:
            (method,), description = loaded([path])
    if description.method != METHOD:
        raise InputError(f"{path} holds {description.method}, which is no reranker")
    return method, description


def packaged_default() -> RerankedModel:
    """The reranker that the package ships.

    Raises:
        InputError: when packaged weights are missing.
    """
    return RerankedModel.load(PACKAGED, "default")


def within_shots(found: Candidates, before: Float64Array, after: Float64Array) -> Float64Array:
    """Strengths in which the windows of each shot are ordered anew, and shots compete as they did before.

    The best window of a shot is as strong as its best one was; runs of whole shots stay as they were.

    Args:
        found: the candidates.
        before: strengths that shots compete by, shape ``(candidates,)``.
        after: strengths that the windows of a shot compete by, likewise.
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


def _order_tells(stage: Stage, evidence: Evidence, asked: Asked) -> bool:
    """Whether there is an order to judge by: what an ordinal counts is found twice, or the related clause is likely."""
    if asked.clauses.ordinal:
        return len(_found(stage, evidence, asked.main, asked.clauses.main, 2).convincing(THRESHOLD)) > 1
    if asked.related is None:
        return False
    return bool(_found(stage, evidence, asked.related, asked.clauses.related, 1).convincing(_LIKELY))


def _found(stage: Stage, evidence: Evidence, i: int, query: str, top: int) -> Ranking:
    own = scored(stage, evidence, i, query)
    return ranking(stage, query, own, own.strengths, evidence, i, top)


def _filled(values: Float64Array) -> Float64Array:
    """A candidate that was not judged gets what the judged ones got on average; nothing if none was."""
    known = values[~np.isnan(values)]
    filled: Float64Array = np.where(np.isnan(values), known.mean() if len(known) else 0.0, values)
    return filled
