"""What the reranker sees of a video and a sentence: some numbers a step, none of them a feature.

It is told how well each step fits the sentence and its clauses, not what is seen, so that it can learn from tapes of
pictures and judge real videos. How fast the picture changes is kept from it: what is made changes too evenly, and what
a reranker learnt from that misled it on real videos.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.features.squares import STEP_S
from asst.features.values import Features
from asst.models.clauses import ORDINALS, Clauses, read_clauses
from asst.models.evidence import Evidence, EvidenceReader
from asst.models.scored import Float64Array, Stage, step_scores
from asst.models.strength import standardised

FloatArray = npt.NDArray[np.float32]

_ASKED = (
    *("all measures", "clearness"),
    *("main clause", "clearness of the main clause", "main clause before"),
    *("related clause", "clearness of the related clause", "related clause before"),
    *("asks for before", "asks for after"),
    *(f"asks for {ordinal}" for ordinal in (*ORDINALS, "again")),
    *("cut", "position", "length"),
)

# A clause happens where it fits better than so many standard deviations above the mean of the video.
_HAPPENS = 0.5
_CLEAREST = 4.0
_USUAL_S = 20.0


def channel_names(measures: Sequence[str]) -> tuple[str, ...]:
    """Of the channels, in their order.

    Args:
        measures: of `asst.features.reading.SentenceReader`.
    """
    return (*measures, *_ASKED)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A sentence and what it is made of.

    Attributes:
        query: the sentence.
        clauses: its parts.
        at: index of the sentence in the evidence.
        main: likewise of its main clause.
        related: likewise of its related clause; None if it has none.
    """

    query: str
    clauses: Clauses
    at: int
    main: int
    related: int | None


def ask(reader: EvidenceReader, features: Features, queries: Sequence[str]) -> tuple[Evidence, list[Asked]]:
    """What the pictures say of some sentences and their clauses.

    Args:
        reader: measures it.
        features: of the video.
        queries: sentences.
    """
    clauses = [read_clauses(query) for query in queries]
    texts = list(dict.fromkeys([*queries, *(text for own in clauses for text in (own.main, own.related) if text)]))
    index = {text: i for i, text in enumerate(texts)}
    asked = [
        Asked(query, own, index[query], index[own.main], index[own.related] if own.related else None)
        for query, own in zip(queries, clauses, strict=True)
    ]
    return reader(features, texts), asked


class ChannelReader:
    """The channels of sentences on one video.

    Args:
        stage: the video.
        evidence: of the sentences and their clauses.
    """

    def __init__(self, stage: Stage, evidence: Evidence) -> None:
        self._stage = stage
        self._evidence = evidence
        self._around = _around(stage)

    def __call__(self, asked: Asked, steps: Float64Array) -> FloatArray:
        """Shape ``(steps, channels)``, as `channel_names` names them.

        Args:
            asked: the sentence.
            steps: how well each step fits it.
        """
        stage, evidence, i = self._stage, self._evidence, asked.at
        main = steps if asked.main == i else step_scores(stage, evidence, asked.main, asked.clauses.main)
        rows = [
            *(standardised(values) for values in (evidence.matches[:, i], *evidence.classes[:, :, i])),
            *(steps, self._clearness(i)),
            *(main, self._clearness(asked.main), _share_before(main)),
            *self._related(asked),
            *_flags(asked.clauses, len(steps)),
            *self._around,
        ]
        return np.stack(rows, axis=1).astype(np.float32)

    def _related(self, asked: Asked) -> tuple[Float64Array, ...]:
        if asked.related is None:
            nothing = np.zeros(len(self._stage.features))
            return nothing, nothing, nothing
        related = step_scores(self._stage, self._evidence, asked.related, asked.clauses.related)
        return related, self._clearness(asked.related), _share_before(related)

    def _clearness(self, i: int) -> Float64Array:
        evidence = self._evidence
        clear = (evidence.matches[:, i] - evidence.mean) / evidence.spread
        clipped: Float64Array = np.clip(clear.astype(np.float64), -_CLEAREST, _CLEAREST)
        return clipped / 2


def _share_before(steps: Float64Array) -> Float64Array:
    """How much of what fits lies before the middle of each step, from 0 to 1; a half throughout if nothing does."""
    mass = np.maximum(steps - _HAPPENS, 0)
    total = mass.sum()
    share: Float64Array = (np.cumsum(mass) - mass / 2) / total if total > 0 else np.full(len(steps), 0.5)
    return share


def _flags(clauses: Clauses, steps: int) -> Iterator[Float64Array]:
    for order in ("before", "after"):
        yield np.full(steps, float(clauses.order == order))
    for ordinal in (*ORDINALS, "again"):
        yield np.full(steps, float(clauses.ordinal == ordinal))


def _around(stage: Stage) -> tuple[Float64Array, ...]:
    """What does not depend on the sentence: cuts, position and length."""
    steps = len(stage.features)
    cut = np.zeros(steps)
    cut[stage.first_of_shot[stage.first_of_shot < steps]] = 1
    return cut, (np.arange(steps) + 0.5) / steps, np.full(steps, np.log(steps * STEP_S / _USUAL_S))
