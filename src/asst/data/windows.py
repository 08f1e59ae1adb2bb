"""Windows on a video's features: the stretch of time that the network observes at once.

A window divides time into steps of its own, so that stretching, cropping and sliding are one thing: to read a video's
features at the centres of the window's steps. Positions in steps count from the window's start; step ``t`` reaches from
``t`` to ``t + 1``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.features.values import SAME_CLOCK, Features
from asst.moments import Float32Array, FloatArray


@dataclass(frozen=True, slots=True)
class Window:
    """Some steps of equal length from ``start_s`` of the video on, all of them real: padding is the batch's."""

    start_s: float
    step_s: float
    steps: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.step_s) and self.step_s > 0 and self.steps >= 1):
            raise ValueError(f"no window: {self.steps} steps of {self.step_s} s from {self.start_s} s")

    @property
    def end_s(self) -> float:
        """Where the last step ends, in seconds."""
        return self.start_s + self.steps * self.step_s

    def to_steps(self, spans_s: npt.ArrayLike) -> FloatArray:
        """Times in seconds as positions in steps, of any shape; they may lie outside the window."""
        return (np.asarray(spans_s, dtype=np.float64) - self.start_s) / self.step_s

    def to_seconds(self, spans: npt.ArrayLike) -> FloatArray:
        """Positions in steps as times in seconds: the inverse of `to_steps`."""
        return self.start_s + np.asarray(spans, dtype=np.float64) * self.step_s

    def read(self, features: Features) -> Float32Array:
        """The features at the centres of the steps, by linear interpolation, shape ``(steps, dimension)``.

        Before the first centre of the features and after the last their vectors hold, as in `Features.resampled`.

        >>> ramp = Features(np.array([[0.0], [2.0], [4.0]], dtype=np.float32), 0.0, 1.0, "ramp")
        >>> Window(1.0, 0.5, 3).read(ramp).ravel().tolist()
        [1.5, 2.5, 3.5]
        """
        return features.at(self.start_s + (np.arange(self.steps) + 0.5) * self.step_s)


def whole_steps(duration_s: float, step_s: float) -> int:
    """The fewest steps that cover a time, at least one; the last may reach past its end.

    >>> whole_steps(2.0, 0.25), whole_steps(2.1, 0.25)
    (8, 9)
    """
    return max(1, math.ceil(duration_s / step_s - SAME_CLOCK))


def sliding_windows(start_s: float, duration_s: float, step_s: float, most: int) -> tuple[Window, ...]:
    """Windows that cover a video, neighbours overlapping by half, the last ending where the video does (section 4.2).

    The network observes ``most`` steps; a shorter video has one window of its own length.

    >>> [(window.start_s, window.steps) for window in sliding_windows(0.0, 9.0, 1.0, 4)]
    [(0.0, 4), (2.0, 4), (4.0, 4), (5.0, 4)]
    """
    steps = whole_steps(duration_s, step_s)
    return tuple(Window(start_s + first * step_s, step_s, min(steps, most)) for first in firsts(steps, most))


def firsts(steps: int, most: int) -> tuple[int, ...]:
    """Where the windows that cover so many steps start, neighbours sharing half of the ``most`` that one may have.

    >>> firsts(9, 4), firsts(3, 4)
    ((0, 2, 4, 5), (0,))
    """
    if steps <= most:
        return (0,)
    return (*range(0, steps - most, max(1, most // 2)), steps - most)


def placed(
    windows: Sequence[Window], spans: npt.ArrayLike, scores: npt.ArrayLike, kept: npt.ArrayLike, duration_s: float
) -> tuple[FloatArray, FloatArray]:
    """What several windows say of one video, in seconds and in their order: spans, ``(n, 2)``, and scores, ``(n,)``.

    ``spans`` are in steps, ``(windows, clips, 2)``; ``kept`` is true for an answer to consider, ``(windows, clips)``.
    Spans are cut to the video; one that lies outside it is dropped.
    """
    answers = np.asarray(spans, dtype=np.float64)
    in_seconds = np.stack([window.to_seconds(own) for window, own in zip(windows, answers, strict=True)])
    chosen = np.asarray(kept, dtype=bool).ravel()
    flat = np.clip(in_seconds.reshape(-1, 2), 0.0, duration_s)
    chosen &= flat[:, 1] > flat[:, 0]
    return flat[chosen], np.asarray(scores, dtype=np.float64).ravel()[chosen]
