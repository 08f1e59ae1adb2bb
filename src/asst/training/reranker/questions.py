"""What the reranker learns from: sentences, proposals, and how much of the truth each holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from asst.data.record import Record
from asst.features.stores.native import FeatureStore
from asst.models.reranker.inputs import FloatArray, clause_evidence, reranker_inputs
from asst.models.reranker.views import View, facts, judged
from asst.models.zeroshot.model import ZeroShotModel
from asst.models.zeroshot.query_scores import QueryScores, query_scores
from asst.models.zeroshot.video_context import VideoContext
from asst.moments import iou


@dataclass(frozen=True, slots=True, eq=False)
class RerankerQuestion:
    """A sentence and a video, as the reranker sees them.

    Attributes:
        query: the sentence.
        kind: of a question about a tape, as `asst.simulate.tapes.plan.Question`; else ``record``.
        inputs: shape ``(steps, inputs)``.
        clips: proposals in steps, shape ``(proposals, 2)``.
        facts: shape ``(proposals, facts)``.
        overlaps: IoU of each proposal with the truth, shape ``(proposals,)``.
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
    inputs: FloatArray

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
