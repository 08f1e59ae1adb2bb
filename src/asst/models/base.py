"""What every model that ranks moments does, whatever it is made of, and a whole split asked of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from asst.data.record import Record
from asst.features.extractor import Extractor
from asst.features.stores.native import FeatureStore, require
from asst.features.values import Features
from asst.moments import Answer, Attention, Moment, within

Found = Iterator[tuple[Record, tuple[Moment, ...]]]
"""Records with the moments that answer them, best first, in any order."""

TOP = 25
"""Answers a query that validation and evaluation keep."""
RANKED_LEAST = 20
"""Moments that a model is asked for at least, so that enough are left when those that overlap are one."""


class Model(Protocol):
    """Ranks the moments of a video, given as features, by how well a sentence describes them."""

    @property
    def name(self) -> str:
        """What ``--model`` calls it."""
        ...

    @property
    def extractor(self) -> Extractor:
        """Makes the features that this model reads."""
        ...

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Answer]:
        """The best moments of each sentence, found or weaker, at most ``top``, in the order of the sentences.

        Raises an `InputError` for features of another extractor.
        """
        ...

    def rank_records(
        self, records: Sequence[Record], store: FeatureStore, *, top: int | None, overlap: float | None = None
    ) -> Found:
        """The best moments of each record's sentence, as they are found; ``top`` at most, None for all there are.

        ``overlap`` stands in place of the model's own IoU above which the weaker of two moments is dropped, where a
        checkpoint has one. Raises an `InputError` for a video without features or with those of another kind, or a
        sentence that cannot be asked.
        """
        ...


class RanksByVideo:
    """Asks a model that keeps what it knows of a video all sentences about it together."""

    def rank_records(
        self: Model, records: Sequence[Record], store: FeatureStore, *, top: int | None, overlap: float | None = None
    ) -> Found:
        """See `Model`; `TOP` moments if all are asked for, and what the model is not convinced of counts too."""
        require(store, (record.video for record in records))
        by_video: dict[str, list[Record]] = {}
        for record in records:
            by_video.setdefault(record.video, []).append(record)
        for video, own in by_video.items():
            rankings = self.rank(store.read(video), [record.sentence for record in own], top=top or TOP)
            for record, ranking in zip(own, rankings, strict=True):
                yield record, within(ranking.ranked, record.duration_s, video)


@runtime_checkable
class Attentive(Protocol):
    """A model that can say which words of a sentence it looked at."""

    def word_attention(self, features: Features, query: str) -> Attention | None:
        """The words it looks at over the video; None where no layer attends to words.

        Raises an `InputError` for features of another extractor, or a sentence without a word.
        """
        ...


@runtime_checkable
class Embedding(Protocol):
    """A model that compares pictures and sentences in one space."""

    def embed_frames(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `asst.localizer.Localizer.embed_frames`."""
        ...

    def embed_sentences(self, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        """See `asst.localizer.Localizer.embed_sentences`."""
        ...


def answer_split(
    model: Model,
    records: Sequence[Record],
    store: FeatureStore,
    *,
    top: int | None = TOP,
    overlap: float | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[Answer]:
    """One answer a pair of video and sentence, in the order in which the records name them first.

    ``progress`` is told how many queries are answered, and of how many; the rest is as `Model.rank_records` takes it,
    which raises an `InputError` as this does.
    """
    asked = list({(record.video, record.sentence): record for record in reversed(records)}.values())[::-1]
    answers: dict[tuple[str, str], Answer] = {}
    for record, moments in model.rank_records(asked, store, top=top, overlap=overlap):
        pair = record.video, record.sentence
        answers[pair] = Answer(*pair, record.duration_s, model.name, moments)
        progress(len(answers), len(asked))
    return [answers[record.video, record.sentence] for record in asked]
