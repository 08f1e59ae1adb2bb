"""Spans worth scoring: runs of whole shots, and windows inside one shot."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

# A moment of more neighbouring shots than this is found as several.
_SHOTS_MOST = 8
# Windows inside a shot: the longest against the shot's length, each length against the next, steps against the length.
_LENGTH_RATIO = 1.5
_STEPS_A_LENGTH = 4
_TICKS_LEAST = 4
# Lengths are fractions of a tick: a window that overshoots its shot by no more than this fits.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Candidates:
    """Spans in ticks, and for each the whole it belongs to: itself for a run of shots, its shot for a window.

    Attributes:
        spans: first tick and the tick after the last, shape ``(candidates, 2)``.
        wholes: likewise, shape ``(candidates, 2)``.
    """

    spans: IntArray
    wholes: IntArray

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which candidates are windows inside a shot, shape ``(candidates,)``."""
        inside: npt.NDArray[np.bool_] = (self.spans != self.wholes).any(axis=1)
        return inside


def candidates(ticks: int, cuts: npt.ArrayLike) -> Candidates:
    """The candidates of a video.

    Args:
        ticks: the video's length in ticks.
        cuts: ticks at which a new shot begins, ascending.

    >>> found = candidates(8, [3])
    >>> found.spans[~found.inside].tolist()
    [[0, 3], [0, 8], [3, 8]]
    """
    inner = np.asarray(cuts, dtype=np.int64)
    bounds = np.concatenate([[0], inner[(inner > 0) & (inner < ticks)], [ticks]])
    shots = len(bounds) - 1
    rows = [
        (bounds[i], bounds[j], bounds[i], bounds[j])
        for i in range(shots)
        for j in range(i + 1, min(shots, i + _SHOTS_MOST) + 1)
    ]
    for start, end in pairwise(bounds):
        rows.extend((a, b, start, end) for a, b in _windows(int(start), int(end)))
    table = np.unique(np.array(rows, dtype=np.int64), axis=0)
    return Candidates(table[:, :2], table[:, 2:])


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
