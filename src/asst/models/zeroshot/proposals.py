"""What a video offers to every sentence: proposals, runs of whole shots and windows inside one; how well each fits."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.values import SAME_CLOCK, Features
from asst.features.zeroshot.crops import STEP_S, TICK_RATE, TICKS_A_STEP
from asst.features.zeroshot.space import Space
from asst.moments import FloatArray, IntArray

T = TypeVar("T")

HALF = 2.17
"""The log-ratio with a probability of a half; see `asst.models.zeroshot.model.SLOPE`."""

# Ticks: times are floats, and a cut within this of a tick is on it.
_ON_TIME = 1e-5
# A moment of more neighbouring shots than this is found as several.
_SHOTS_MOST = 8
# Windows inside a shot: the longest against the shot's length, each length against the next, steps against the length.
_LENGTH_RATIO = 1.5
_STEPS_A_LENGTH = 4
_TICKS_LEAST = 4
# Lengths are fractions of a tick: a window that overshoots its shot by no more than this fits.
_ROUNDING = 1e-9
# What is seen in a shot changes slowly: where it is sought, scores are means over ticks, near ones weighing more.
_NEAR_TICKS = np.array([1, 2, 3, 2, 1]) / 9
# A short proposal's mean is drawn towards the video's own, as if so many more ticks had been average.
_TICKS_OF_DOUBT = 2.0
# What standing out from its shot is worth to a window, and what it must overcome.
_CONTRAST = 0.75
_INSIDE_COST = 1.0
# A proposal beyond half of the video answers little; all of it loses this much.
_WHOLE_VIDEO_COST = 0.5
_FLAT = 1e-6


@dataclass(frozen=True, slots=True)
class Proposals:
    """Spans in ticks, ``(proposals, 2)``, and the whole of each: itself for a run of shots, its shot for a window."""

    spans: IntArray
    wholes: IntArray

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which proposals are windows inside a shot, shape ``(proposals,)``."""
        inside: npt.NDArray[np.bool_] = (self.spans != self.wholes).any(axis=1)
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class VideoContext:
    """A video as every sentence finds it.

    ``cuts`` are the ticks at which new shots begin, none the first of all; ``half`` is the log-ratio of a score of a
    half.
    """

    features: Features
    cuts: IntArray
    proposals: Proposals
    half: float = HALF

    @property
    def first_of_shot(self) -> IntArray:
        """The first whole step of each shot but the first, ascending."""
        return -(-self.cuts // TICKS_A_STEP)

    def seconds(self, spans: IntArray) -> FloatArray:
        """Spans in ticks, ``(spans, 2)``, as seconds: exact where an end is a cut, else as the ticks lie."""
        start_s, ticks = self.features.start_s, len(self.features) * TICKS_A_STEP
        bounds_s: FloatArray = start_s + np.arange(ticks + 1) / TICK_RATE
        cuts = _first_ticks(self.features)
        inside = (cuts >= 0) & (cuts < len(bounds_s))
        bounds_s[cuts[inside]] = self.features.cuts_s[inside]
        return bounds_s[spans]


class LastVideo(Generic[T]):
    """Keeps what was made of the last features, in which they must not be held: they go when nobody else holds them."""

    def __init__(self, make: Callable[[Features], T]) -> None:
        self._make = make
        self._kept: tuple[weakref.ref[Features], T] | None = None

    def __call__(self, features: Features) -> T:
        """What is made of some features; made anew for others than the last. Threads may ask at once."""
        # Read once and returned from here: another thread may keep another video's in between.
        kept = self._kept
        if kept is not None and kept[0]() is features:
            return kept[1]
        made = self._make(features)
        self._kept = (weakref.ref(features), made)
        return made


def cuts_and_proposals(features: Features) -> tuple[IntArray, Proposals]:
    """What a context has besides the features."""
    cuts, ticks = _first_ticks(features), len(features) * TICKS_A_STEP
    inner = cuts[(cuts > 0) & (cuts < ticks)]
    return inner, proposals(ticks, inner)


def check_features(features: Features, space: Space, reader: str) -> None:
    """Refuses features of another extractor or version of it, or on steps of another length, with an `InputError`."""
    wanted = space.extractor
    if features.extractor != wanted:
        fault = f"reads features of {wanted}, not of {features.extractor}"
    elif features.dimension != space.dimension:
        fault = f"reads {wanted} of dimension {space.dimension}, not {features.dimension} as another version of it made"
    elif abs(features.step_s - STEP_S) > SAME_CLOCK * STEP_S:
        fault = f"reads a vector every {STEP_S:g} s, not every {features.step_s:g} s"
    else:
        return
    raise InputError(f"{reader} {fault}; extract them again")


def _first_ticks(features: Features) -> IntArray:
    """The ticks that new shots are seen at first, one a cut."""
    return np.ceil((features.cuts_s - features.start_s) * TICK_RATE - _ON_TIME).astype(np.int64)


def proposals(ticks: int, cuts: npt.ArrayLike) -> Proposals:
    """The proposals of a video of so many ticks, in which new shots begin at ``cuts``, ascending.

    >>> found = proposals(8, [3])
    >>> found.spans[~found.inside].tolist()
    [[0, 3], [0, 8], [3, 8]]
    """
    bounds = _bounds(ticks, np.asarray(cuts, dtype=np.int64))
    shots = len(bounds) - 1
    runs = [(i, j) for i in range(shots) for j in range(i + 1, min(shots, i + _SHOTS_MOST) + 1)]
    rows = [(bounds[i], bounds[j], bounds[i], bounds[j]) for i, j in runs]
    for start, end in pairwise(bounds):
        rows.extend((a, b, start, end) for a, b in _windows(int(start), int(end)))
    table = np.unique(np.array(rows, dtype=np.int64), axis=0)
    return Proposals(table[:, :2], table[:, 2:])


def proposal_scores(ticks: FloatArray, found: Proposals) -> FloatArray:
    """How well each proposal fits, shape ``(proposals,)``, by the standardised score at each tick."""
    sums = np.concatenate([[0.0], np.cumsum(ticks)])
    length = np.diff(found.spans, axis=1)[:, 0]
    whole = np.diff(found.wholes, axis=1)[:, 0]
    inner_sum = sums[found.spans[:, 1]] - sums[found.spans[:, 0]]
    whole_sum = sums[found.wholes[:, 1]] - sums[found.wholes[:, 0]]
    score = whole_sum / (whole + _TICKS_OF_DOUBT)
    # Mean inside against mean in the rest of the shot, weighed by how evenly the window divides the shot: one chance
    # peak of a tick is no moment.
    rest = whole - length
    contrast = inner_sum / length - (whole_sum - inner_sum) / np.maximum(rest, 1)
    evenness = 2.0 * np.sqrt(length * rest) / whole
    score = score + np.where(found.inside, _CONTRAST * contrast * evenness - _INSIDE_COST, 0.0)
    result: FloatArray = score - _WHOLE_VIDEO_COST * np.maximum(0.0, 2.0 * length / len(ticks) - 1.0)
    return result


def standardised(values: npt.NDArray[np.floating]) -> FloatArray:
    """Mean zero and standard deviation one over the video; zeros where it is flat."""
    wide = values.astype(np.float64)
    deviation = wide.std()
    return (wide - wide.mean()) / deviation if deviation > _FLAT else np.zeros_like(wide)


def smoothed(ticks: FloatArray, cuts: IntArray) -> FloatArray:
    """Weighted means over near ticks of the same shot; its first and last ticks count again beyond its ends."""
    at = np.arange(len(ticks))
    bounds = _bounds(len(ticks), cuts)
    lengths = np.diff(bounds)
    first, last = np.repeat(bounds[:-1], lengths), np.repeat(bounds[1:] - 1, lengths)
    half = len(_NEAR_TICKS) // 2
    near = (np.clip(at + off, first, last) for off in range(-half, half + 1))
    means: FloatArray = np.sum([weight * ticks[own] for weight, own in zip(_NEAR_TICKS, near, strict=True)], axis=0)
    return means


def at_ticks(steps: FloatArray, cuts: IntArray) -> FloatArray:
    """The score at each tick: its step's, or the next step's where a shot begins between the two."""
    ticks = np.repeat(steps, TICKS_A_STEP)
    late = cuts[(cuts % TICKS_A_STEP != 0) & (cuts + 1 < len(ticks))]
    ticks[late] = ticks[late + 1]
    return ticks


def _bounds(ticks: int, cuts: IntArray) -> IntArray:
    return np.concatenate([[0], cuts[(cuts > 0) & (cuts < ticks)], [ticks]])


def _windows(start: int, end: int) -> list[tuple[int, int]]:
    """Windows of falling length inside ``[start, end)``, none of them the whole."""
    ticks = end - start
    spans: list[tuple[int, int]] = []
    length = ticks / _LENGTH_RATIO
    while length >= _TICKS_LEAST:
        step = max(1.0, length / _STEPS_A_LENGTH)
        starts = [start + k * step for k in range(int((ticks - length) / step + _ROUNDING) + 1)]
        spans.extend((round(first), min(end, round(first + length))) for first in starts)
        length /= _LENGTH_RATIO
    return spans
