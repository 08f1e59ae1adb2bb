"""Views: the stretch of a video that the reranker judges at once, and what it is told of the proposals in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.data.sample import ProposalRows, Sample
from asst.data.windows import Window, firsts
from asst.features.zeroshot.crops import STEP_S, TICKS_A_STEP
from asst.models.reranker.inputs import FloatArray
from asst.models.zeroshot.query_scores import QueryScores
from asst.models.zeroshot.video_context import VideoContext
from asst.text import Vector

STEPS = 64
"""Steps that the network observes."""

VIEW_STEPS = 256
"""Steps of the video that a view shows at most; beyond ``STEPS`` they are means."""

PROPOSALS_MOST = 512
"""Proposals of a video that are judged: those that score highest without the network."""

FACTS = ("strength", "strength below the best", "inside a shot", "length", "share of the video")
"""What is known of a proposal besides what is seen in it, in their order."""

_USUAL_S = 3.0


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

    def read(self, inputs: FloatArray) -> FloatArray:
        """The means of a video's inputs over the network's steps, shape ``(steps, inputs)``."""
        rows = inputs[self.first : self.stop]
        if self.scale == 1:
            return rows
        sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
        at = np.arange(self.steps + 1) * self.scale
        whole = np.minimum(at.astype(np.int64), len(rows))
        part = (at - whole)[:, None]
        bounds = sums[whole] + part * rows[np.minimum(whole, len(rows) - 1)]
        means: FloatArray = (np.diff(bounds, axis=0) / self.scale).astype(np.float32)
        return means

    def clips(self, spans: npt.NDArray[np.int64]) -> FloatArray:
        """Spans in ticks as clips in the network's steps, cut to the view, shape ``(spans, 2)``."""
        clips: FloatArray = ((spans / TICKS_A_STEP - self.first) / self.scale).astype(np.float32)
        return np.clip(clips, 0, self.steps)

    def window(self, start_s: float) -> Window:
        """The same as a window in seconds, where the features start at ``start_s``."""
        return Window(start_s + self.first * STEP_S, self.scale * STEP_S, self.steps)

    def sample(
        self, context: VideoContext, inputs: FloatArray, words: Vector, index: int, rows: ProposalRows | None = None
    ) -> Sample:
        """What the network sees of a sentence here."""
        window = self.window(context.features.start_s)
        return Sample(index, window, self.read(inputs), words, np.zeros((0, 2)), proposals=rows)


def views_of(steps: int) -> list[View]:
    """Views that cover a video, neighbours sharing half.

    >>> [(view.first, view.stop) for view in views_of(500)]
    [(0, 256), (128, 384), (244, 500)]
    """
    return [View(first, min(steps, first + VIEW_STEPS)) for first in firsts(steps, VIEW_STEPS)]


def samples(
    context: VideoContext, own: QueryScores, inputs: FloatArray, words: Vector, index: int
) -> Iterator[tuple[Sample, npt.NDArray[np.int64]]]:
    """What the network is asked about one sentence, a view at a time, and which proposals each view judges."""
    known = facts(context, own)
    for view, here in judged(context, own):
        rows = ProposalRows(view.clips(context.proposals.spans[here]), known[here])
        yield view.sample(context, inputs, words, index, rows), here


def judged(context: VideoContext, own: QueryScores) -> Iterator[tuple[View, npt.NDArray[np.int64]]]:
    """The views of a video that judge proposals, and which.

    A proposal is judged in the view whose middle is nearest to its own. One that is longer than a view is not judged.
    """
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


def facts(context: VideoContext, own: QueryScores) -> FloatArray:
    """What is known of each proposal of a sentence with these scores, shape ``(proposals, len(FACTS))``."""
    scores = own.proposals
    lengths = np.diff(context.proposals.spans, axis=1)[:, 0] / TICKS_A_STEP
    columns = (
        scores,
        scores - scores.max(),
        context.proposals.inside.astype(np.float64),
        np.log(lengths * STEP_S / _USUAL_S),
        lengths / len(context.features),
    )
    return np.stack(columns, axis=1).astype(np.float32)
