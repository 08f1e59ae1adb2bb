"""From scores at steps to how strongly each candidate span answers: means inside, and contrast with the same shot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from asst.features.squares import TICKS_A_STEP
from asst.models.candidates import Candidates

Float64Array = npt.NDArray[np.float64]

# What is seen in a shot changes slowly: where it is sought, scores are means over ticks, near ones weighing more.
_NEAR_TICKS = np.array([1, 2, 3, 2, 1]) / 9
# A short candidate's mean is drawn towards the video's own, as if so many more ticks had been average.
_TICKS_OF_DOUBT = 2.0
# What standing out from its shot is worth to a window, and what it must overcome.
_CONTRAST = 0.75
_INSIDE_COST = 1.0
# A candidate beyond half of the video answers little; all of it loses this much.
_WHOLE_VIDEO_COST = 0.5
_FLAT = 1e-6


def span_strengths(ticks: Float64Array, found: Candidates) -> Float64Array:
    """How strongly each candidate answers, in standard deviations of the score over the video.

    Args:
        ticks: the standardised score at each tick, shape ``(ticks,)``.
        found: the candidates.

    Returns:
        Shape ``(candidates,)``.
    """
    total = len(ticks)
    sums = np.concatenate([[0.0], np.cumsum(ticks)])
    length = np.diff(found.spans, axis=1)[:, 0]
    whole = np.diff(found.wholes, axis=1)[:, 0]
    inner_sum = sums[found.spans[:, 1]] - sums[found.spans[:, 0]]
    whole_sum = sums[found.wholes[:, 1]] - sums[found.wholes[:, 0]]
    strength = whole_sum / (whole + _TICKS_OF_DOUBT)
    # Mean inside against mean in the rest of the shot, weighed by how evenly the window divides the shot: one chance
    # peak of a tick is no moment.
    rest = whole - length
    contrast = inner_sum / length - (whole_sum - inner_sum) / np.maximum(rest, 1)
    evenness = 2.0 * np.sqrt(length * rest) / whole
    strength = strength + np.where(found.inside, _CONTRAST * contrast * evenness - _INSIDE_COST, 0.0)
    result: Float64Array = strength - _WHOLE_VIDEO_COST * np.maximum(0.0, 2.0 * length / total - 1.0)
    return result


def standardised(values: npt.NDArray[np.floating]) -> Float64Array:
    """Mean zero and deviation one over the video; zeros where it is flat."""
    wide = values.astype(np.float64)
    deviation = wide.std()
    return (wide - wide.mean()) / deviation if deviation > _FLAT else np.zeros_like(wide)


def smoothed(ticks: Float64Array, cuts: npt.NDArray[np.int64]) -> Float64Array:
    """Weighted means over near ticks of the same shot; its first and last ticks count again beyond its ends."""
    at = np.arange(len(ticks))
    bounds = np.concatenate([[0], cuts[(cuts > 0) & (cuts < len(ticks))], [len(ticks)]])
    lengths = np.diff(bounds)
    first, last = np.repeat(bounds[:-1], lengths), np.repeat(bounds[1:] - 1, lengths)
    half = len(_NEAR_TICKS) // 2
    near = (np.clip(at + off, first, last) for off in range(-half, half + 1))
    means: Float64Array = np.sum([weight * ticks[own] for weight, own in zip(_NEAR_TICKS, near, strict=True)], axis=0)
    return means


def at_ticks(steps: Float64Array, cuts: npt.NDArray[np.int64]) -> Float64Array:
    """The score at each tick: its step's, or the next step's where a shot begins between the two."""
    ticks = np.repeat(steps, TICKS_A_STEP)
    late = cuts[(cuts % TICKS_A_STEP != 0) & (cuts + 1 < len(ticks))]
    ticks[late] = ticks[late + 1]
    return ticks
