"""Proposals: spans worth scoring, which are runs of whole shots and windows inside one shot; and how well each fits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from asst.features.zeroshot.crops import TICKS_A_STEP

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

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


def proposals(ticks: int, cuts: npt.ArrayLike) -> Proposals:
    """The proposals of a video of so many ticks, in which new shots begin at ``cuts``, ascending.

    >>> found = proposals(8, [3])
    >>> found.spans[~found.inside].tolist()
    [[0, 3], [0, 8], [3, 8]]
    """
    bounds = _bounds(ticks, np.asarray(cuts, dtype=np.int64))
    shots = len(bounds) - 1
    rows = [
        (bounds[i], bounds[j], bounds[i], bounds[j])
        for i in range(shots)
        for j in range(i + 1, min(shots, i + _SHOTS_MOST) + 1)
    ]
    for start, end in pairwise(bounds):
        rows.extend((a, b, start, end) for a, b in _windows(int(start), int(end)))
    table = np.unique(np.array(rows, dtype=np.int64), axis=0)
    return Proposals(table[:, :2], table[:, 2:])


def proposal_scores(ticks: Float64Array, found: Proposals) -> Float64Array:
    """How well each proposal fits, in standard deviations of the score over the video, shape ``(proposals,)``.

    ``ticks`` is the standardised score at each tick.
    """
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
    result: Float64Array = score - _WHOLE_VIDEO_COST * np.maximum(0.0, 2.0 * length / len(ticks) - 1.0)
    return result


def standardised(values: npt.NDArray[np.floating]) -> Float64Array:
    """Mean zero and standard deviation one over the video; zeros where it is flat."""
    wide = values.astype(np.float64)
    deviation = wide.std()
    return (wide - wide.mean()) / deviation if deviation > _FLAT else np.zeros_like(wide)


def smoothed(ticks: Float64Array, cuts: IntArray) -> Float64Array:
    """Weighted means over near ticks of the same shot; its first and last ticks count again beyond its ends."""
    at = np.arange(len(ticks))
    bounds = _bounds(len(ticks), cuts)
    lengths = np.diff(bounds)
    first, last = np.repeat(bounds[:-1], lengths), np.repeat(bounds[1:] - 1, lengths)
    half = len(_NEAR_TICKS) // 2
    near = (np.clip(at + off, first, last) for off in range(-half, half + 1))
    means: Float64Array = np.sum([weight * ticks[own] for weight, own in zip(_NEAR_TICKS, near, strict=True)], axis=0)
    return means


def at_ticks(steps: Float64Array, cuts: IntArray) -> Float64Array:
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
