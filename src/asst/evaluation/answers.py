"""What a model that has learnt answers to a whole split: what is saved as predictions and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asst.data.actions import ActionVideo
from asst.data.record import Record
from asst.features.store import FeatureStore
from asst.models.checkpoint import Origin
from asst.models.trained import TrainedModel
from asst.models.trained_detector import TrainedDetector
from asst.moments import Answer, Moment

TOP = 25
"""Answers a query that validation and evaluation keep."""

Progress = Callable[[int, int], None]
"""Called with the number of queries answered, and of all."""


def origin_of(
    model: TrainedModel | TrainedDetector, store: FeatureStore, records: Sequence[Record] | Sequence[ActionVideo]
) -> Origin:
    """Whether what is measured on these features is simulated: if they are, or those the model learnt from were."""
    if model.description.origin == "simulated" or not records:
        return "simulated"
    return "simulated" if store.read(records[0].video).extractor.startswith("simulated") else "real"


def answer_split(
    model: TrainedModel,
    records: Sequence[Record],
    store: FeatureStore,
    *,
    top: int = TOP,
    progress: Progress | None = None,
) -> list[Answer]:
    """One answer a pair of video and sentence, in the order in which the records name them first.

    Args:
        model: answers.
        records: of one data set.
        store: holds the features of their videos.
        top: moments an answer at most.
        progress: told how far it is.

    Raises:
        InputError: as `TrainedModel.answer_records`.
    """
    asked = list({(record.video, record.sentence): record for record in reversed(records)}.values())[::-1]
    answers = []
    for record, found in zip(asked, model.answer_records(asked, store, top), strict=True):
        moments = tuple(
            Moment(float(start_s), float(end_s), float(score), record.sentence, record.video)
            for (start_s, end_s), score in zip(found.spans_s, found.scores, strict=True)
        )
        answers.append(Answer(record.video, record.sentence, record.duration_s, model.name, moments))
        if progress is not None:
            progress(len(answers), len(asked))
    return answers
