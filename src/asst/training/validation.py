"""How good a method is on the validation split while it learns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from asst.data.actions import ActionVideo
from asst.data.batch import Batch
from asst.data.record import Record
from asst.evaluation.detection import DetectionProtocol, mean_average_precisions
from asst.evaluation.protocol import Protocol
from asst.models.answers import WindowAnswer, query_answers, window_answers
from asst.models.base import TOP
from asst.models.methods.base import Method
from asst.models.trained.detector import A_CLASS, FoundActions, detections_of, video_actions, window_actions


class Validation(ABC):
    """Asks a method batch by batch, and judges in the end what it said; ``headline`` chooses the best checkpoint."""

    headline: str

    @abstractmethod
    def answers(self, method: Any, batch: Any) -> Iterable[Any]:
        """What the method says of each of some windows, as far as it is needed."""

    @abstractmethod
    def metrics(self, method: Any, answers: Iterable[Any]) -> dict[str, float]:
        """In per cent, from the answers to all windows in their order."""


class SentenceValidation(Validation):
    """Sentences with their moments; the weaker of two answers whose IoU exceeds ``overlap`` is dropped."""

    def __init__(self, records: Sequence[Record], protocol: Protocol, overlap: float) -> None:
        self._records, self._protocol, self._overlap, self.headline = records, protocol, overlap, protocol.headline

    def answers(self, method: Method, batch: Batch) -> Iterable[WindowAnswer]:
        """What the method says of every clip."""
        return _answered(method, batch)

    def metrics(self, method: Method, answers: Iterable[WindowAnswer]) -> dict[str, float]:
        """The protocol's metrics."""
        durations_s = [record.duration_s for record in self._records]
        overlap, limit = (1.0, None) if self._protocol.thins else (self._overlap, TOP)
        found = query_answers(answers, durations_s, relative=method.relative, overlap=overlap, limit=limit)
        values = self._protocol.values(self._records, [answer.spans_s for answer in found])
        return {key: 100 * float(own.mean()) for key, own in values.items()}


def _answered(method: Method, batch: Batch) -> Iterator[WindowAnswer]:
    return window_answers([method.answers(batch)], batch.records.tolist(), batch.windows)


class ActionValidation(Validation):
    """Videos with labelled spans; the weaker of two detections of a class whose IoU exceeds ``overlap`` is dropped."""

    def __init__(self, videos: Sequence[ActionVideo], protocol: DetectionProtocol, overlap: float) -> None:
        self._videos, self._protocol, self._overlap, self.headline = videos, protocol, overlap, protocol.headline

    def answers(self, method: Method, batch: Batch) -> Iterable[FoundActions]:
        """The best detections of every window."""
        for answer in _answered(method, batch):
            yield window_actions(answer, self._videos[answer.record].duration_s)

    def metrics(self, method: Method, answers: Iterable[FoundActions]) -> dict[str, float]:
        """Mean average precision at the protocol's IoUs."""
        found = [
            detections_of(own, method.labels, self._videos[own.record].video)
            for own in video_actions(answers, len(method.labels), overlap=self._overlap, a_class=A_CLASS)
        ]
        means = mean_average_precisions(self._videos, found, self._protocol)
        return {key: 100 * value for key, value in means.items()}
