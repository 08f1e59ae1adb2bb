"""What a model answers to a whole split: what is saved as predictions and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from asst.data.actions import ActionVideo
from asst.data.record import Record
from asst.features.stores.native import FeatureStore, require
from asst.models.base import Model
from asst.models.checkpoint import Origin
from asst.models.reranked import RerankedModel
from asst.models.trained.detector import TrainedDetector
from asst.models.trained.model import TrainedModel
from asst.moments import Answer, Moment, within

TOP = 25
"""Answers a query that validation and evaluation keep."""

Progress = Callable[[int, int], None]
"""Called with the number of queries answered, and of all."""


def origin_of(
    model: TrainedModel | RerankedModel | TrainedDetector,
    store: FeatureStore,
    records: Sequence[Record] | Sequence[ActionVideo],
) -> Origin:
    """Whether what is measured on these features is simulated: if they are, or those the model learnt from were."""
    if model.description.origin == "simulated" or not records:
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

    Of a model with a threshold what it is not convinced of counts too. ``top`` is moments an answer at most, None for
    all of a checkpoint's; ``overlap`` stands in place of its own, the IoU above which the weaker of two is dropped.
    Raises an `InputError` for a video without features or with those of another kind, or a sentence that cannot be
    asked.
    """
    asked = list({(record.video, record.sentence): record for record in reversed(records)}.values())[::-1]
    answers: dict[tuple[str, str], Answer] = {}
    if isinstance(model, TrainedModel):
        found = model.rank_records(asked, store, top=top, overlap=overlap)
    else:
        found = _ranked(model, asked, store, top or TOP)
    for record, moments in found:
        pair = record.video, record.sentence
        answers[pair] = Answer(*pair, record.duration_s, model.name, moments)
        if progress is not None:
            progress(len(answers), len(asked))
    return [answers[record.video, record.sentence] for record in asked]


Found = Iterator[tuple[Record, tuple[Moment, ...]]]


def _ranked(model: Model, asked: Sequence[Record], store: FeatureStore, top: int) -> Found:
    """All sentences of a video together."""
    require(store, (record.video for record in asked))
    by_video: dict[str, list[Record]] = {}
    for record in asked:
        by_video.setdefault(record.video, []).append(record)
    for video, own in by_video.items():
        rankings = model.rank(store.read(video), [record.sentence for record in own], top=top)
        for record, ranking in zip(own, rankings, strict=True):
            yield record, within(ranking.ranked, record.duration_s, video)
