"""How good a method is on the validation split while it learns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asst.data.record import Record
from asst.evaluation.answers import TOP
from asst.evaluation.protocol import Protocol
from asst.models.answering import WindowAnswer, query_answers


def validation_metrics(
    answers: Iterable[WindowAnswer], records: Sequence[Record], protocol: Protocol, *, relative: bool, overlap: float
) -> dict[str, float]:
    """The protocol's metrics in per cent.

    Args:
        answers: of all windows of the records, in order.
        records: of the validation split.
        protocol: of its data set.
        relative: whether scores are logits that compete within a query.
        overlap: IoU above which the weaker of two answers is dropped.
    """
    durations_s = [record.duration_s for record in records]
    found = query_answers(answers, durations_s, relative=relative, overlap=overlap, limit=TOP)
    values = protocol.values(records, [answer.spans_s for answer in found])
    return {key: 100 * float(own.mean()) for key, own in values.items()}
