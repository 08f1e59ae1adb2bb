"""The reranker's questions: how they are made of annotated videos, read as torch data sets, and judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from asst.data.batch import Batch
from asst.data.observations import WholeObservation
from asst.data.record import Record
from asst.data.sample import ProposalRows, Sample, Window
from asst.data.samples import Key, SentenceVectors
from asst.features.stores.native import FeatureStore
from asst.features.zeroshot.crops import STEP_S
from asst.models.methods.base import Method
from asst.models.reranker_inputs import STEPS, View, clause_evidence, facts, judged, reranker_inputs
from asst.models.zeroshot.model import QueryScores, ZeroShotModel, query_scores
from asst.models.zeroshot.proposals import VideoContext
from asst.moments import Float32Array, iou
from asst.text import WordVectors
from asst.training.validation import Validation

_PROPOSALS_MOST = 192
Chosen = tuple[float, str]
"""The IoU with the truth of the proposal that a method puts first, and the kind of the question."""


@dataclass(frozen=True, slots=True, eq=False)
class RerankerQuestion:
    """A sentence and a video, as the reranker sees them, with the IoU of each proposal with the truth.

    ``kind`` is that of `asst.simulate.tapes.plan.Question`, or ``record``; ``inputs`` have shape ``(steps, inputs)``,
    ``clips``, in steps, ``(proposals, 2)``, ``facts`` ``(proposals, facts)`` and ``overlaps`` ``(proposals,)``.
    """

    query: str
    kind: str
    inputs: npt.NDArray[np.float16]
    clips: npt.NDArray[np.float32]
    facts: npt.NDArray[np.float32]
    overlaps: npt.NDArray[np.float32]


def questions_about(model: ZeroShotModel, records: Sequence[Record], store: FeatureStore) -> Iterator[RerankerQuestion]:
    """The questions of annotated videos, one a record, on the view of the video that judges the truth.

    A record is left out if no proposal that is judged holds any of the truth; those of a video are read together.
    Raises an `InputError` for features of another extractor, or a video without any.
    """
    for video, some in groupby(sorted(records, key=lambda record: record.video), key=lambda record: record.video):
        own_records = list(some)
        features = store.read(video)
        context = model.context(features)
        spans_s = context.seconds(context.proposals.spans)
        read = read_sentences(model, context, [record.sentence for record in own_records])
        for record, one in zip(own_records, read, strict=True):
            overlaps = iou(spans_s, np.array(record.moments)).max(axis=1)
            view, here = max(judged(context, one.own), key=lambda found: overlaps[found[1]].max())
            if overlaps[here].max() > 0:
                yield one.question("record", context, view, overlaps, here)


@dataclass(frozen=True, slots=True, eq=False)
class ReadSentence:
    """A sentence read against a video: its scores, and what the network sees of it, shape ``(steps, inputs)``."""

    query: str
    own: QueryScores
    inputs: Float32Array

    def question(
        self,
        kind: str,
        context: VideoContext,
        view: View,
        overlaps: npt.NDArray[np.float64],
        here: npt.NDArray[np.int64],
    ) -> RerankerQuestion:
        """What is learnt from it in a view of the video, by the IoU of each proposal with the truth, ``(proposals,)``.

        ``here`` are the proposals to choose among.
        """
        return RerankerQuestion(
            self.query,
            kind,
            view.read(self.inputs).astype(np.float16),
            view.clips(context.proposals.spans[here]),
            facts(context, self.own)[here],
            overlaps[here].astype(np.float32),
        )


def read_sentences(model: ZeroShotModel, context: VideoContext, queries: Sequence[str]) -> Iterator[ReadSentence]:
    """Sentences read against a video, together."""
    measures = model.reader.sentences.measures
    for evidence in clause_evidence(model.reader, context.features, queries):
        own = query_scores(context, evidence.whole)
        yield ReadSentence(evidence.query.text, own, reranker_inputs(context, evidence, own.steps, measures))


class _Questions:
    """Questions with their proposals as samples; ``words`` is asked once."""

    observation = WholeObservation(STEPS)

    def __init__(self, questions: Sequence[RerankerQuestion], words: WordVectors) -> None:
        self.questions = questions
        self._sentences = SentenceVectors((("a question", question.query) for question in questions), words)

    def __len__(self) -> int:
        return len(self.questions)

    def sample(self, index: int) -> Sample:
        """A question with its strongest proposals, and all that hold the truth."""
        question = self.questions[index]
        kept = np.argsort(-question.facts[:, 0], kind="stable")[:_PROPOSALS_MOST]
        if question.overlaps[kept].max() < question.overlaps.max():
            kept[-1] = question.overlaps.argmax()
        rows = ProposalRows(question.clips[kept], question.facts[kept], question.overlaps[kept])
        window = Window(0.0, STEP_S, len(question.inputs))
        inputs = question.inputs.astype(np.float32)
        return Sample(index, window, inputs, self._sentences[index], np.zeros((0, 2)), proposals=rows)


class RerankerSamples(_Questions, Dataset[Sample]):
    """What is learnt from; a map from ``(epoch, index)`` to a sample that is the same in every epoch."""

    def __getitem__(self, key: Key) -> Sample:
        """The sample of a question."""
        return self.sample(key[1])


class RerankerQueries(_Questions, Dataset[tuple[Sample, ...]]):
    """What is asked to see how good the method is."""

    def __getitem__(self, index: int) -> tuple[Sample, ...]:
        """The one sample of a question."""
        return (self.sample(index),)


class RerankerValidation(Validation):
    """Questions in their order, judged by the proposal that is put first."""

    headline = "R@1,IoU=0.5"

    def __init__(self, questions: Sequence[RerankerQuestion]) -> None:
        self.questions = questions

    def answers(self, method: Method, batch: Batch) -> Iterator[Chosen]:
        """What the method puts first, for each question of a batch."""
        found = method.answers(batch)
        assert batch.proposals is not None
        assert batch.proposals.overlaps is not None
        overlaps = batch.proposals.overlaps.cpu().numpy()
        best = np.where(found.kept, found.scores, -np.inf).argmax(axis=1)
        for row, record in enumerate(batch.records.tolist()):
            yield float(overlaps[row, best[row]]), self.questions[record].kind

    def metrics(self, method: Method, answers: Iterable[Chosen]) -> dict[str, float]:
        """Recall of the first at IoU 0.5 and 0.7, and at 0.5 by kind of question, in per cent."""
        chosen = list(answers)
        recalls = {f"R@1,IoU={iou}": _recall(chosen, iou) for iou in (0.5, 0.7)}
        for kind in sorted({kind for _, kind in chosen}):
            recalls[f"{kind},IoU=0.5"] = _recall([own for own in chosen if own[1] == kind], 0.5)
        return recalls


def _recall(chosen: Sequence[Chosen], iou: float) -> float:
    return 100 * sum(overlap >= iou for overlap, _ in chosen) / len(chosen)
