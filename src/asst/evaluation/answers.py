"""What a model answers to a whole split: what is saved as predictions and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asst.data.actions import ActionVideo
from asst.data.record import Record
from asst.features.stores.native import FeatureStore
from asst.models.base import TOP, Model
from asst.models.checkpoint import Description, Origin
from asst.moments import Answer

Progress = Callable[[int, int], None]
"""Called with the number of queries answered, and of all."""


def origin_of(learnt: Description, store: FeatureStore, records: Sequence[Record] | Sequence[ActionVideo]) -> Origin:
    """Whether what is measured on these features is simulated: if they are, or those a model has learnt from were."""
    if learnt.origin == "simulated" or not records:
        return "simulated"
    return "simulated" if store.read(records[0].video).extractor.startswith("simulated") else "real"


def answer_split(
    model: Model,
    records: Sequence[Record],
    store: FeatureStore,
    *,
    top: int | None = TOP,
    overlap: float | None = None,
    progress: Progress | None = None,
) -> list[Answer]:
    """One answer a pair of video and sentence, in the order in which the records name them first.

    ``top`` and ``overlap`` are as `Model.rank_records` takes them, which raises an `InputError` as this does.
    """
    asked = list({(record.video, record.sentence): record for record in reversed(records)}.values())[::-1]
    answers: dict[tuple[str, str], Answer] = {}
    for record, moments in model.rank_records(asked, store, top=top, overlap=overlap):
        pair = record.video, record.sentence
        answers[pair] = Answer(*pair, record.duration_s, model.name, moments)
        if progress is not None:
            progress(len(answers), len(asked))
    return [answers[record.video, record.sentence] for record in asked]
