"""What the reranker learns from: sentences, candidates, and how much of the truth each holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from asst.data.record import Record
from asst.features.store import FeatureStore
from asst.models.channels import ChannelReader, FloatArray, ask
from asst.models.scored import Scored, Stage, scored
from asst.models.views import View, facts, judged
from asst.models.zeroshot import ZeroShotModel
from asst.moments import iou


@dataclass(frozen=True, slots=True, eq=False)
class RerankerQuestion:
    """A sentence and a video, as the reranker sees them.

    Attributes:
        query: the sentence.
        kind: of a question about a tape, as `asst.data.simulate.tape_plan.Question`; else ``record``.
        channels: shape ``(steps, channels)``.
        clips: candidates in steps, shape ``(candidates, 2)``.
        facts: shape ``(candidates, facts)``.
        overlaps: IoU of each candidate with the truth, shape ``(candidates,)``.
    """

    query: str
    kind: str
    channels: npt.NDArray[np.float16]
    clips: npt.NDArray[np.float32]
    facts: npt.NDArray[np.float32]
    overlaps: npt.NDArray[np.float32]


def questions_about(model: ZeroShotModel, records: Sequence[Record], store: FeatureStore) -> Iterator[RerankerQuestion]:
    """The questions of annotated videos, one a record, on the view of the video that judges the truth.

    A record is left out if no candidate that is judged holds any of the truth.

    Args:
        model: finds the candidates.
        records: sentences and spans; those of a video are read together.
        store: features of the model's extractor.

    Raises:
        InputError: for features of another extractor, or a video without any.
    """
    for video, some in groupby(sorted(records, key=lambda record: record.video), key=lambda record: record.video):
        own_records = list(some)
        features = store.read(video)
        stage = model.stage(features)
        spans_s = stage.seconds(stage.found.spans)
        heard = read_sentences(model, stage, [record.sentence for record in own_records])
        for record, one in zip(own_records, heard, strict=True):
            overlaps = iou(spans_s, np.array(record.moments)).max(axis=1)
            view, here = max(judged(stage, one.own), key=lambda found: overlaps[found[1]].max())
            if overlaps[here].max() > 0:
                yield one.question("record", stage, view, overlaps, here)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A sentence read against a video.

    Attributes:
        query: the sentence.
        own: its scores.
        channels: what the network sees of it, shape ``(steps, channels)``.
    """

    query: str
    own: Scored
    channels: FloatArray

    def question(
        self, kind: str, stage: Stage, view: View, overlaps: npt.NDArray[np.float64], here: npt.NDArray[np.int64]
    ) -> RerankerQuestion:
        """What is learnt from it.

        Args:
            kind: of the question.
            stage: the video.
            view: of the video.
            overlaps: IoU of each of the video's candidates with the truth, shape ``(candidates,)``.
            here: the candidates to choose among.
        """
        return RerankerQuestion(
            self.query,
            kind,
            view.read(self.channels).astype(np.float16),
            view.clips(stage.found.spans[here]),
            facts(stage, self.own)[here],
            overlaps[here].astype(np.float32),
        )


def read_sentences(model: ZeroShotModel, stage: Stage, queries: Sequence[str]) -> Iterator[Heard]:
    """Sentences read against a video, together.

    Args:
        model: reads them.
        stage: the video.
        queries: the sentences.
    """
    evidence, every = ask(model.reader, stage.features, queries)
    read = ChannelReader(stage, evidence)
    for asked in every:
        own = scored(stage, evidence, asked.at, asked.query)
        yield Heard(asked.query, own, read(asked, own.steps))
