"""The reranker's questions as torch data sets, and how the answers to them are judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Dataset

from asst.data.batch import Batch
from asst.data.sample import ProposalRows, Sample
from asst.data.samples import Key, SentenceVectors
from asst.data.windows import Window
from asst.features.zeroshot.crops import STEP_S
from asst.models.methods.base import Method
from asst.models.reranker.views import STEPS
from asst.text import WordVectors
from asst.training.reranker.questions import RerankerQuestion

_CANDIDATES_MOST = 192


@dataclass(frozen=True, slots=True)
class ViewObservation:
    """A question is about one view, which the network sees whole, in so many steps."""

    steps: int = STEPS


class _Questions:
    """Questions with their proposals as samples; ``words`` is asked once."""

    observation = ViewObservation()

    def __init__(self, questions: Sequence[RerankerQuestion], words: WordVectors) -> None:
        self.questions = questions
        self._sentences = SentenceVectors((("a question", question.query) for question in questions), words)

    def __len__(self) -> int:
        return len(self.questions)

    def sample(self, index: int) -> Sample:
        """A question with its strongest proposals, and all that hold the truth."""
        question = self.questions[index]
        kept = np.argsort(-question.facts[:, 0], kind="stable")[:_CANDIDATES_MOST]
        if question.overlaps[kept].max() < question.overlaps.max():
            kept[-1] = question.overlaps.argmax()
        rows = ProposalRows(question.clips[kept], question.facts[kept], question.overlaps[kept])
        window = Window(0.0, STEP_S, len(question.inputs))
        channels = question.inputs.astype(np.float32)
        return Sample(index, window, channels, self._sentences[index], np.zeros((0, 2)), proposals=rows)


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


@dataclass(frozen=True, slots=True)
class Chosen:
    """The IoU with the truth of the proposal that a method puts first, and the kind of the question."""

    overlap: float
    kind: str


@dataclass(frozen=True, slots=True)
class RerankerValidation:
    """Questions in their order, judged by the proposal that is put first."""

    questions: Sequence[RerankerQuestion]
    headline: str = "R@1,IoU=0.5"

    def answers(self, method: Method, batch: Batch) -> Iterator[Chosen]:
        """What the method puts first, for each question of a batch."""
        found = method.answers(batch)
        assert batch.proposals is not None
        assert batch.proposals.overlaps is not None
        overlaps = batch.proposals.overlaps.cpu().numpy()
        best = np.where(found.kept, found.scores, -np.inf).argmax(axis=1)
        for row, record in enumerate(batch.records.tolist()):
            yield Chosen(float(overlaps[row, best[row]]), self.questions[record].kind)

    def metrics(self, method: Method, answers: Iterable[Chosen]) -> dict[str, float]:
        """Recall of the first at IoU 0.5 and 0.7, and at 0.5 by kind of question, in per cent."""
        chosen = list(answers)
        recalls = {f"R@1,IoU={iou}": _recall(chosen, iou) for iou in (0.5, 0.7)}
        kinds = sorted({own.kind for own in chosen})
        by_kind = {kind: [own for own in chosen if own.kind == kind] for kind in kinds}
        return recalls | {f"{kind},IoU=0.5": _recall(own, 0.5) for kind, own in by_kind.items()}


def _recall(chosen: Sequence[Chosen], iou: float) -> float:
    return 100 * sum(own.overlap >= iou for own in chosen) / len(chosen)
