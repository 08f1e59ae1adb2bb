"""Views: the stretch of a video that the reranker judges at once, and what it is told of the candidates in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.data.sample import CandidateRows, Sample
from asst.data.windows import Window, firsts
from asst.features.squares import STEP_S, TICKS_A_STEP
from asst.models.channels import FloatArray
from asst.models.scored import Scored, Stage
from asst.text import Vector

STEPS = 64
"""Steps that the network observes."""

VIEW_STEPS = 256
"""Steps of the video that a view shows at most; beyond ``STEPS`` they are means."""

CANDIDATES_MOST = 512
"""Candidates of a video that are judged: those that are strongest without the network."""

FACTS = ("strength", "strength below the best", "inside a shot", "length", "share of the video")
"""What is known of a candidate besides what is seen in it, in their order."""

_USUAL_S = 3.0


@dataclass(frozen=True, slots=True)
class View:
    """Some steps of a video.

    Attributes:
        first: the first.
        stop: the one after the last.
    """

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

    def read(self, channels: FloatArray) -> FloatArray:
        """The means of a video's channels over the network's steps, shape ``(steps, channels)``."""
        rows = channels[self.first : self.stop]
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
        self, stage: Stage, channels: FloatArray, words: Vector, index: int, rows: CandidateRows | None = None
    ) -> Sample:
        """What the network sees of a sentence here.

        Args:
            stage: the video.
            channels: of the sentence on all of it, shape ``(steps, channels)``.
            words: the sentence's vectors.
            index: of the sentence.
            rows: candidates to be judged.
        """
        window = self.window(stage.features.start_s)
        return Sample(index, window, self.read(channels), words, np.zeros((0, 2)), candidates=rows)


def views_of(steps: int) -> list[View]:
    """Views that cover a video, neighbours sharing half.

    >>> [(view.first, view.stop) for view in views_of(500)]
    [(0, 256), (128, 384), (244, 500)]
    """
    return [View(first, min(steps, first + VIEW_STEPS)) for first in firsts(steps, VIEW_STEPS)]


def samples(
    stage: Stage, own: Scored, channels: FloatArray, words: Vector, index: int
) -> Iterator[tuple[Sample, npt.NDArray[np.int64]]]:
    """What the network is asked about one sentence, a view at a time, and which candidates each view judges.

    Args:
        stage: the video.
        own: the sentence's scores.
        channels: of the sentence, shape ``(steps, channels)``.
        words: its words' vectors.
        index: of the sentence.
    """
    known = facts(stage, own)
    for view, here in judged(stage, own):
        rows = CandidateRows(view.clips(stage.found.spans[here]), known[here])
        yield view.sample(stage, channels, words, index, rows), here


def judged(stage: Stage, own: Scored) -> Iterator[tuple[View, npt.NDArray[np.int64]]]:
    """The views of a video that judge candidates, and which.

    A candidate is judged in the view whose middle is nearest to its own. One that is longer than a view is not judged.

    Args:
        stage: the video.
        own: the sentence's scores.
    """
    views, spans = views_of(len(stage.features)), stage.found.spans
    strongest = np.argsort(-own.strengths, kind="stable")[:CANDIDATES_MOST]
    strongest = strongest[np.diff(spans[strongest], axis=1)[:, 0] <= VIEW_STEPS * TICKS_A_STEP]
    middles = spans[strongest].mean(axis=1) / TICKS_A_STEP
    view_middles = np.array([(view.first + view.stop) / 2 for view in views])
    nearest = np.abs(middles[:, None] - view_middles).argmin(axis=1)
    for k, view in enumerate(views):
        here = strongest[nearest == k]
        if len(here):
            yield view, here


def facts(stage: Stage, own: Scored) -> FloatArray:
    """What is known of each candidate of a sentence with these scores, shape ``(candidates, len(FACTS))``."""
    strengths = own.strengths
    lengths = np.diff(stage.found.spans, axis=1)[:, 0] / TICKS_A_STEP
    columns = (
        strengths,
        strengths - strengths.max(),
        stage.found.inside.astype(np.float64),
        np.log(lengths * STEP_S / _USUAL_S),
        lengths / len(stage.features),
    )
    return np.stack(columns, axis=1).astype(np.float32)
