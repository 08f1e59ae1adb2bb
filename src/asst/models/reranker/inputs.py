"""What the reranker sees of a video and a sentence: some numbers for each step, none of them a feature.

It is told how well each step fits the sentence and its clauses, not what is seen, so that it can learn from tapes of
pictures and judge real videos. How fast the picture changes is kept from it: what is made changes too evenly, and what
a reranker learnt from that misled it on real videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.features.values import Features
from asst.features.zeroshot.crops import STEP_S
from asst.models.zeroshot.evidence import Evidence, EvidenceReader
from asst.models.zeroshot.proposals import Float64Array, standardised
from asst.models.zeroshot.query import ORDINALS, ParsedQuery, parse
from asst.models.zeroshot.query_scores import step_scores
from asst.models.zeroshot.video_context import VideoContext

FloatArray = npt.NDArray[np.float32]

_ORDERS, _COUNTS = ("before", "after"), (*ORDINALS, "again")
_INPUTS = (
    *("all measures", "z-score"),
    *("main clause", "z-score of the main clause", "main clause before"),
    *("related clause", "z-score of the related clause", "related clause before"),
    *(f"asks for {word}" for word in (*_ORDERS, *_COUNTS)),
    *("cut", "position", "length"),
)

# A clause happens where it fits better than so many standard deviations above the mean of the video.
_HAPPENS = 0.5
_Z_SCORE_MOST = 4.0
_USUAL_S = 20.0


def input_names(measures: Sequence[str]) -> tuple[str, ...]:
    """Of the inputs, in their order."""
    return (*measures, *_INPUTS)


@dataclass(frozen=True, slots=True, eq=False)
class ClauseEvidence:
    """What the pictures say of a sentence and its clauses."""

    whole: Evidence
    main: Evidence
    related: Evidence | None

    @property
    def query(self) -> ParsedQuery:
        """The sentence."""
        return self.whole.query


def clause_evidence(reader: EvidenceReader, features: Features, queries: Sequence[str]) -> list[ClauseEvidence]:
    """What the pictures say of some sentences and their clauses."""
    parsed = [parse(query) for query in queries]
    texts = list(dict.fromkeys([*queries, *(text for own in parsed for text in (own.main, own.related) if text)]))
    of = dict(zip(texts, reader(features, texts), strict=True))
    return [ClauseEvidence(of[own.text], of[own.main], of[own.related] if own.related else None) for own in parsed]


def reranker_inputs(
    context: VideoContext, evidence: ClauseEvidence, steps: Float64Array, measures: Sequence[str]
) -> FloatArray:
    """Shape ``(steps, inputs)``, as `input_names` names them."""
    query, count = evidence.query, len(steps)
    main = steps if evidence.main is evidence.whole else step_scores(context, evidence.main)
    related = [np.zeros(count)] * 3
    if evidence.related is not None:
        found = step_scores(context, evidence.related)
        related = [found, _z_scores(evidence.related), _share_before(found)]
    cut = np.zeros(count)
    cut[context.first_of_shot[context.first_of_shot < count]] = 1
    rows = [
        *(standardised(evidence.whole.scores[name]) for name in measures),
        *(steps, _z_scores(evidence.whole)),
        *(main, _z_scores(evidence.main), _share_before(main)),
        *related,
        *(np.full(count, float(query.order == order)) for order in _ORDERS),
        *(np.full(count, float(query.ordinal == ordinal)) for ordinal in _COUNTS),
        *(cut, (np.arange(count) + 0.5) / count, np.full(count, np.log(count * STEP_S / _USUAL_S))),
    ]
    return np.stack(rows, axis=1).astype(np.float32)


def _z_scores(evidence: Evidence) -> Float64Array:
    clipped: Float64Array = np.clip(evidence.z_scores().astype(np.float64), -_Z_SCORE_MOST, _Z_SCORE_MOST)
    return clipped / 2


def _share_before(steps: Float64Array) -> Float64Array:
    """How much of what fits lies before the middle of each step, from 0 to 1; a half throughout if nothing does."""
    mass = np.maximum(steps - _HAPPENS, 0)
    total = mass.sum()
    share: Float64Array = (np.cumsum(mass) - mass / 2) / total if total > 0 else np.full(len(steps), 0.5)
    return share
