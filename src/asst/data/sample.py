"""A window on a video's features, and what it shows with one sentence, before that becomes part of a batch.

A window is the stretch of time that the network observes at once. It divides time into steps of its own, so that
stretching, cropping and sliding are one thing: to read a video's features at the centres of the window's steps.
Positions in steps count from the window's start; step ``t`` reaches from ``t`` to ``t + 1``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.features.values import SAME_CLOCK, Features
from asst.moments import Array, Float32Array, FloatArray, IntArray
from asst.text import Vector

NO_WORDS: Vector = np.zeros((0, 1), dtype=np.float32)
"""Of a sample for a method that reads no sentence."""


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


@dataclass(frozen=True, slots=True, eq=False)
class ProposalRows:
    """Clips that a sample brings with it, for a method that chooses among given ones.

    ``clips`` are in steps of the window, ``(proposals, 2)``; ``facts`` what else is known of each, ``(proposals,
    facts)``; ``overlaps`` the IoU of each with the truth, ``(proposals,)``, None where a query is to be answered.
    """

    clips: Float32Array
    facts: Float32Array
    overlaps: Float32Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One window of a video with one sentence.

    Attributes:
        record: index of the record it was made of.
        features: shape ``(window.steps, dimension)``.
        words: one vector a word, shape ``(words, word dimension)``.
        moments: true spans in steps, shape ``(moments, 2)``; none where a query is to be answered.
        target: index of the true clip, if the task is a classification with a truth.
        labels: class of each moment, from 1, or -1 for what is neither action nor background; None without classes.
        proposals: the clips to choose among; None where the method has its own.
        foreign: whether the words are those of another video's record, so that nothing here is what they say.
    """

    record: int
    window: Window
    features: Float32Array
    words: Vector
    moments: FloatArray
    target: int | None = None
    labels: IntArray | None = None
    proposals: ProposalRows | None = None
    foreign: bool = False


def network_inputs(samples: Sequence[Sample], steps: int) -> dict[str, Array]:
    """Samples side by side, as every method reads them; padding is zero, and false in the masks.

    ``features`` of shape ``(batch, steps, dimension)``, ``words`` of ``(batch, most words, word dimension)`` and, where
    every sample brings proposals, ``clips`` of ``(batch, most proposals, 2)`` and ``facts``, with masks. Raises a
    ValueError for no sample, or one longer than the window.
    """
    features, feature_mask = padded([sample.features for sample in samples], steps)
    words, word_mask = padded([sample.words for sample in samples])
    inputs = {"features": features, "feature_mask": feature_mask, "words": words, "word_mask": word_mask}
    proposals = [sample.proposals for sample in samples if sample.proposals is not None]
    if len(proposals) == len(samples):
        inputs["clips"], inputs["clip_mask"] = padded([own.clips for own in proposals])
        inputs["facts"], _ = padded([own.facts for own in proposals])
    return inputs


def padded(rows: Sequence[Float32Array], length: int | None = None) -> tuple[Float32Array, npt.NDArray[np.bool_]]:
    """Arrays ``(own length, width)`` in one, ``(batch, length, width)``, and which of its rows are real.

    ``length`` is the greatest own length if None. Raises a ValueError for no array, or one longer than that.
    """
    if not rows:
        raise ValueError("nothing to pad")
    lengths = np.array([len(row) for row in rows])
    most = int(lengths.max())
    if length is not None and most > length:
        raise ValueError(f"{most} rows do not fit into {length}")
    together = np.zeros((len(rows), most if length is None else length, rows[0].shape[1]), dtype=np.float32)
    for place, row in zip(together, rows, strict=True):
        place[: len(row)] = row
    return together, np.arange(together.shape[1]) < lengths[:, None]
