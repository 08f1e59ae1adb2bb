"""How good a method is on the validation split while it learns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from asst.data.actions import ActionVideo
from asst.data.batch import Batch
from asst.data.record import Record
from asst.evaluation.answers import TOP
from asst.evaluation.detection import DetectionProtocol, mean_average_precisions
from asst.evaluation.protocol import Protocol as SentenceProtocol
from asst.models.methods.base import Method
from asst.models.trained.answering import WindowAnswer, query_answers, window_answers
from asst.models.trained.detector import A_CLASS
from asst.models.trained.suppression import FoundActions, detections_of, video_actions, window_actions


class Validation(Protocol):
    """Asks a method batch by batch, and judges in the end what it said."""

    @property
    def headline(self) -> str:
        """The metric that the best checkpoint is chosen by."""

    def answers(self, method: Method, batch: Batch) -> Iterable[Any]:
        """What the method says of each of some windows, as far as it is needed."""

    def metrics(self, method: Method, answers: Iterable[Any]) -> dict[str, float]:
        """In per cent, from the answers to all windows in their order."""


@dataclass(frozen=True, slots=True)
class SentenceValidation:
    """Sentences with their moments; the weaker of two answers whose IoU exceeds ``overlap`` is dropped."""

    records: Sequence[Record]
    protocol: SentenceProtocol
    overlap: float

    @property
    def headline(self) -> str:
        """The protocol's."""
        return self.protocol.headline

    def answers(self, method: Method, batch: Batch) -> Iterable[WindowAnswer]:
        """What the method says of every clip."""
        return _answered(method, batch)

    def metrics(self, method: Method, answers: Iterable[WindowAnswer]) -> dict[str, float]:
        """The protocol's metrics."""
        durations_s = [record.duration_s for record in self.records]
        overlap, limit = (1.0, None) if self.protocol.thins else (self.overlap, TOP)
        found = query_answers(answers, durations_s, relative=method.relative, overlap=overlap, limit=limit)
        values = self.protocol.values(self.records, [answer.spans_s for answer in found])
        return {key: 100 * float(own.mean()) for key, own in values.items()}


def _answered(method: Method, batch: Batch) -> Iterator[WindowAnswer]:
    return window_answers([method.answers(batch)], batch.records.tolist(), batch.windows)


@dataclass(frozen=True, slots=True)
class ActionValidation:
    """Videos with labelled spans; the weaker of two detections of a class whose IoU exceeds ``overlap`` is dropped."""

    videos: Sequence[ActionVideo]
    protocol: DetectionProtocol
    overlap: float

    @property
    def headline(self) -> str:
        """The protocol's."""
        return self.protocol.headline

    def answers(self, method: Method, batch: Batch) -> Iterable[FoundActions]:
        """The best detections of every window."""
        for answer in _answered(method, batch):
            yield window_actions(answer, self.videos[answer.record].duration_s)

    def metrics(self, method: Method, answers: Iterable[FoundActions]) -> dict[str, float]:
        """Mean average precision at the protocol's IoUs."""
        found = [
            detections_of(own, method.labels, self.videos[own.record].video)
            for own in video_actions(answers, len(method.labels), overlap=self.overlap, a_class=A_CLASS)
        ]
        means = mean_average_precisions(self.videos, found, self.protocol)
        return {key: 100 * value for key, value in means.items()}
