"""What the reranker sees of a video and a sentence: some numbers for each step, none of them a feature.

It is told how well each step fits the sentence and its clauses, not what is seen, so that it can learn from tapes and
judge real videos. How fast frames change is kept from it: tapes change too evenly, which misled it on real videos.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asst.data.sample import ProposalRows, Sample, Window, firsts
from asst.features.values import Features
from asst.features.zeroshot.crops import STEP_S, TICKS_A_STEP
from asst.models.zeroshot.evidence import Evidence, EvidenceReader
from asst.models.zeroshot.model import QueryScores, step_scores
from asst.models.zeroshot.proposals import VideoContext, standardised
from asst.models.zeroshot.query import ORDINALS, ParsedQuery, parse
from asst.moments import Float32Array, FloatArray, IntArray
from asst.text import Vector

_ORDERS, _COUNTS = ("before", "after"), (*ORDINALS, "again")
_INPUTS = (
    *("all measures", "log-ratio"),
    *("main clause", "log-ratio of the main clause", "main clause before"),
    *("related clause", "log-ratio of the related clause", "related clause before"),
    *(f"asks for {word}" for word in (*_ORDERS, *_COUNTS)),
    *("cut", "position", "length"),
)

# A clause happens where it fits better than so many standard deviations above the mean of the video.
_HAPPENS = 0.5
_LOG_RATIO_MOST = 6.0
_USUAL_S = 20.0

STEPS = 64
"""Steps that the network observes."""
VIEW_STEPS = 256
"""Steps of the video that a view shows at most; beyond ``STEPS`` they are means."""
PROPOSALS_MOST = 512
"""Proposals of a video that are judged: those that score highest without the network."""
FACTS = ("strength", "strength below the best", "inside a shot", "length", "share of the video")
"""What is known of a proposal besides what is seen in it, in their order."""
_USUAL_MOMENT_S = 3.0


def input_names(measures: Sequence[str]) -> tuple[str, ...]:
    """Of the inputs, in their order."""
    return (*measures, *_INPUTS)


@dataclass(frozen=True, slots=True, eq=False)
class ClauseEvidence:
    """What the frames say of a sentence and its clauses."""

    whole: Evidence
    main: Evidence
    related: Evidence | None

    @property
    def query(self) -> ParsedQuery:
        """The sentence."""
        return self.whole.query


def clause_evidence(reader: EvidenceReader, features: Features, queries: Sequence[str]) -> list[ClauseEvidence]:
    """What the frames say of some sentences and their clauses."""
    parsed = [parse(query) for query in queries]
    texts = list(dict.fromkeys([*queries, *(text for own in parsed for text in (own.main, own.related) if text)]))
    of = dict(zip(texts, reader(features, texts), strict=True))
    return [ClauseEvidence(of[own.text], of[own.main], of[own.related] if own.related else None) for own in parsed]


def reranker_inputs(
    context: VideoContext, evidence: ClauseEvidence, steps: FloatArray, measures: Sequence[str]
) -> Float32Array:
    """Shape ``(steps, inputs)``, as `input_names` names them."""
    query, count = evidence.query, len(steps)
    main = steps if evidence.main is evidence.whole else step_scores(context, evidence.main)
    related = [np.zeros(count)] * 3
    if evidence.related is not None:
        found = step_scores(context, evidence.related)
        related = [found, _log_ratios(evidence.related), _share_before(found)]
    cut = np.zeros(count)
    cut[context.first_of_shot[context.first_of_shot < count]] = 1
    rows = [
        *(standardised(evidence.whole.scores[name]) for name in measures),
        *(steps, _log_ratios(evidence.whole)),
        *(main, _log_ratios(evidence.main), _share_before(main)),
        *related,
        *(np.full(count, float(query.order == order)) for order in _ORDERS),
        *(np.full(count, float(query.ordinal == ordinal)) for ordinal in _COUNTS),
        *(cut, (np.arange(count) + 0.5) / count, np.full(count, np.log(count * STEP_S / _USUAL_S))),
    ]
    return np.stack(rows, axis=1).astype(np.float32)


def _log_ratios(evidence: Evidence) -> FloatArray:
    clipped: FloatArray = np.clip(evidence.log_ratios().astype(np.float64), -_LOG_RATIO_MOST, _LOG_RATIO_MOST)
    return clipped / 2


def _share_before(steps: FloatArray) -> FloatArray:
    """How much of what fits lies before the middle of each step, from 0 to 1; a half throughout if nothing does."""
    mass = np.maximum(steps - _HAPPENS, 0)
    total = mass.sum()
    return (np.cumsum(mass) - mass / 2) / total if total > 0 else np.full(len(steps), 0.5)


@dataclass(frozen=True, slots=True)
class View:
    """Steps of a video from ``first`` up to ``stop``."""

    first: int
    stop: int

    @property
    def steps(self) -> int:
        """Of the network, at most ``STEPS``."""
        return min(STEPS, self.stop - self.first)

    @property
    def scale(self) -> float:
        """Steps of the video in one of the network's."""
        return (self.stop - self.first) / self.steps

    def read(self, inputs: Float32Array) -> Float32Array:
        """The means of a video's inputs over the network's steps, shape ``(steps, inputs)``."""
        rows = inputs[self.first : self.stop]
        if self.scale == 1:
            return rows
        sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
        at = np.arange(self.steps + 1) * self.scale
        whole = np.minimum(at.astype(np.int64), len(rows))
        part = (at - whole)[:, None]
        bounds = sums[whole] + part * rows[np.minimum(whole, len(rows) - 1)]
        means: Float32Array = (np.diff(bounds, axis=0) / self.scale).astype(np.float32)
        return means

    def clips(self, spans: IntArray) -> Float32Array:
        """Spans in ticks as clips in the network's steps, cut to the view, shape ``(spans, 2)``."""
        clips: Float32Array = ((spans / TICKS_A_STEP - self.first) / self.scale).astype(np.float32)
        return np.clip(clips, 0, self.steps)

    def sample(
        self, context: VideoContext, inputs: Float32Array, words: Vector, index: int, rows: ProposalRows | None = None
    ) -> Sample:
        """What the network sees of a sentence here."""
        window = Window(context.features.start_s + self.first * STEP_S, self.scale * STEP_S, self.steps)
        return Sample(index, window, self.read(inputs), words, np.zeros((0, 2)), proposals=rows)


def views_of(steps: int) -> list[View]:
    """Views that cover a video, neighbours sharing half.

    >>> [(view.first, view.stop) for view in views_of(500)]
    [(0, 256), (128, 384), (244, 500)]
    """
    return [View(first, min(steps, first + VIEW_STEPS)) for first in firsts(steps, VIEW_STEPS)]


def samples(
    context: VideoContext, own: QueryScores, inputs: Float32Array, words: Vector, index: int
) -> Iterator[tuple[Sample, IntArray]]:
    """What the network is asked about one sentence, a view at a time, and which proposals each view judges."""
    known = facts(context, own)
    for view, here in judged(context, own):
        rows = ProposalRows(view.clips(context.proposals.spans[here]), known[here])
        yield view.sample(context, inputs, words, index, rows), here


def judged(context: VideoContext, own: QueryScores) -> Iterator[tuple[View, IntArray]]:
    """The views of a video, and which proposals each judges: those nearest to its middle, none longer than a view."""
    views, spans = views_of(len(context.features)), context.proposals.spans
    strongest = np.argsort(-own.proposals, kind="stable")[:PROPOSALS_MOST]
    strongest = strongest[np.diff(spans[strongest], axis=1)[:, 0] <= VIEW_STEPS * TICKS_A_STEP]
    middles = spans[strongest].mean(axis=1) / TICKS_A_STEP
    view_middles = np.array([(view.first + view.stop) / 2 for view in views])
    nearest = np.abs(middles[:, None] - view_middles).argmin(axis=1)
    for k, view in enumerate(views):
        here = strongest[nearest == k]
        if len(here):
            yield view, here


def facts(context: VideoContext, own: QueryScores) -> Float32Array:
    """What is known of each proposal of a sentence with these scores, shape ``(proposals, len(FACTS))``."""
    scores, inside = own.proposals, context.proposals.inside.astype(np.float64)
    lengths = np.diff(context.proposals.spans, axis=1)[:, 0] / TICKS_A_STEP
    said = np.log(lengths * STEP_S / _USUAL_MOMENT_S), lengths / len(context.features)
    return np.stack([scores, scores - scores.max(), inside, *said], axis=1).astype(np.float32)
