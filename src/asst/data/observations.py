"""What the network observes of a video: the drawn window of a training step, and the windows that answer a query."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from asst.data.readers.didemo import DURATION_S, MOST_PIECES, span_clip
from asst.data.record import Record
from asst.data.sample import Window, sliding_windows, whole_steps
from asst.errors import InputError
from asst.features.values import Features
from asst.moments import FloatArray, piece_clips
from asst.settings import Positive, Rate

_CHECKED = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
LEAST_VISIBLE = 0.5
"""Share of a moment that must lie in the window for its visible part to count."""


class Observed(NamedTuple):
    """A window and what is true in it.

    ``moments`` are true spans in steps, inside the window, shape ``(moments, 2)``, at least one; ``target`` is the
    index of the true clip among the candidates of a classification, None for a detection.
    """

    window: Window
    moments: FloatArray
    target: int | None = None


class Observation(Protocol):
    """How a data set's videos are observed."""

    @property
    def steps(self) -> int:
        """Length of the network's window."""

    def draw(self, record: Record, features: Features, generator: np.random.Generator) -> Observed:
        """What one training step sees of a record; an `InputError` if its moments cannot be observed so."""

    def windows(self, duration_s: float, features: Features) -> tuple[Window, ...]:
        """The windows that together answer a sentence about a video."""


@dataclass(frozen=True, slots=True, config=_CHECKED)
class PieceObservation:
    """DiDeMo: the whole video in one window of 30 s, and one annotation drawn for each iteration (section 4.2).

    The paper's frame rate 128/30 gives 128 ``steps``. Real ones are those of the record's length, so that features a
    little longer or shorter do not change which clips a video has.
    """

    steps: Positive = 128

    @property
    def step_s(self) -> float:
        """Length of a step in seconds."""
        return DURATION_S / self.steps

    def draw(self, record: Record, features: Features, generator: np.random.Generator) -> Observed:
        """The window, and one of the agreeing annotations, each as likely, equal ones too."""
        window = self.windows(record.duration_s, features)[0]
        moment = record.moments[generator.integers(len(record.moments))]
        clip = span_clip(moment)
        clips = piece_clips()
        if clip not in clips:
            raise InputError(f"record {record.id}: {moment} is no clip of {MOST_PIECES} pieces; observe it by crops")
        return Observed(window, window.to_steps([moment]).clip(0, window.steps), clips.index(clip))

    def windows(self, duration_s: float, features: Features) -> tuple[Window, ...]:
        """One window from zero, or of a video longer than DiDeMo has, sliding ones; ``features`` play no part."""
        return sliding_windows(0.0, duration_s, self.step_s, self.steps)


@dataclass(frozen=True, slots=True, config=_CHECKED)
class CropObservation:
    """Charades-STA: the features stretched by a random factor and cropped at a random time (section 4.2).

    The factor is uniform on a logarithmic scale, from ``least`` to ``most``; 1.25 shows a video at 5 steps a second. A
    video that is then no longer than the window is seen whole. Of a longer one a moment is drawn, and the crop's start
    uniformly among those that have all of the moment inside; for a moment longer than the window, among those that lie
    inside the moment. ``step_s`` is before stretching; the paper's frame rate is 4.
    """

    steps: Positive = 128
    step_s: Rate = 0.25
    least: Rate = 0.8
    most: Rate = 1.25

    def __post_init__(self) -> None:
        if self.least > self.most:
            raise ValueError(f"least ({self.least:g}) must not be more than most ({self.most:g})")

    def drawn_step_s(self, generator: np.random.Generator) -> float:
        """Length of a step after stretching by a random factor, uniform on a logarithmic scale."""
        return self.step_s / math.exp(generator.uniform(math.log(self.least), math.log(self.most)))

    def draw(self, record: Record, features: Features, generator: np.random.Generator) -> Observed:
        """A crop and the moments in it, first the drawn one, then others of which at least half is inside."""
        step_s = self.drawn_step_s(generator)
        chosen = int(generator.integers(len(record.moments)))
        order = [chosen, *(index for index in range(len(record.moments)) if index != chosen)]
        spans_s = np.array([record.moments[index] for index in order])
        start_s, end_s = spans_s[0].clip(features.start_s, features.end_s)
        if end_s <= start_s:
            raise InputError(
                f"record {record.id}: its moment {record.moments[chosen]} s lies outside the features of "
                f"{record.video}, {features.start_s:.7g}-{features.end_s:.7g} s; extract them again or leave it out"
            )
        steps = whole_steps(features.duration_s, step_s)
        first_s = features.start_s
        if steps > self.steps:
            length_s, last_s = self.steps * step_s, features.end_s - self.steps * step_s
            bounds_s = np.sort([start_s, end_s - length_s]).clip(features.start_s, last_s)
            first_s = float(generator.uniform(*bounds_s))
        window = Window(first_s, step_s, min(steps, self.steps))
        spans = window.to_steps(spans_s)
        inside = spans.clip(0, window.steps)
        visible = (inside[:, 1] - inside[:, 0]) / (spans[:, 1] - spans[:, 0])
        counted = visible >= LEAST_VISIBLE
        counted[0] = True
        return Observed(window, inside[counted])

    def windows(self, duration_s: float, features: Features) -> tuple[Window, ...]:
        """Sliding windows over the features, not stretched."""
        return sliding_windows(features.start_s, features.duration_s, self.step_s, self.steps)


@dataclass(frozen=True, slots=True, config=_CHECKED)
class WholeObservation:
    """The whole video in one window, whose steps are as long as that takes; positions in it are shares of the video."""

    steps: Positive = 128

    def draw(self, record: Record, features: Features, generator: np.random.Generator) -> Observed:
        """The window and all moments of the record; nothing is drawn."""
        (window,) = self.windows(record.duration_s, features)
        return Observed(window, window.to_steps(record.moments).clip(0, window.steps))

    def windows(self, duration_s: float, features: Features) -> tuple[Window, ...]:
        """One window from zero to the video's end; ``features`` play no part."""
        return (Window(0.0, duration_s / self.steps, self.steps),)


OBSERVATIONS: dict[str, type[PieceObservation] | type[CropObservation] | type[WholeObservation]] = {
    "pieces": PieceObservation,
    "crops": CropObservation,
    "whole": WholeObservation,
}
"""What a recipe and a checkpoint call them."""
