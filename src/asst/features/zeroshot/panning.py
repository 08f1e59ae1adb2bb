"""Which way and how fast the camera turns, from one frame to the next: phase correlation (Kuglin and Hines 1975).

When the camera turns to the right all that is seen moves to the left. The shift at which two frames fit each other
best is found over the whole frame at once, so that what moves before the camera hardly counts.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asst.moments import FloatArray, IntArray
from asst.video.picture import Pixels

_ROWS = 36
_COLUMNS_MOST = 256
# A lower peak is chance: the frames do not show the same place.
_PEAK_LEAST = 0.12
_TINY = 1e-9


class Spectrum(NamedTuple):
    """Of a frame in a coarse grid of so many rows and columns."""

    shape: tuple[int, int]
    values: npt.NDArray[np.complex128]


def spectrum(frame: Pixels) -> Spectrum:
    """The spectrum of a frame, ``(height, width, 3)``, whose grid fades towards its sides."""
    height, width, _ = frame.shape
    rows = min(_ROWS, height)
    columns = min(_COLUMNS_MOST, max(1, round(width * rows / height)), width)
    # Of a cell four pixels are enough, and of these the green, which is most of how bright they are.
    at_rows, at_columns = _samples(height, rows), _samples(width, columns)
    green = frame[at_rows[:, None], at_columns, 1]
    cells = green.reshape(rows, 2, columns, 2).mean(axis=(1, 3))
    return Spectrum((rows, columns), np.fft.rfft2((cells - cells.mean()) * _fading(rows, columns)))


def pan(before: Spectrum, after: Spectrum) -> tuple[float, float]:
    """How far the camera turns, right in widths and up in heights of the frame; (0, 0) between different places."""
    if before.shape != after.shape:
        return 0.0, 0.0
    cross = before.values * after.values.conj()
    size = np.abs(cross)
    fit = np.fft.irfft2(cross / (size + 1e-6 * size.max() + _TINY), before.shape)
    row, column = np.unravel_index(fit.argmax(), fit.shape)
    if fit[row, column] < _PEAK_LEAST:
        return 0.0, 0.0
    down = _refined(fit[:, column], int(row)) / before.shape[0]
    right = _refined(fit[row], int(column)) / before.shape[1]
    return right, -down


def _refined(line: FloatArray, peak: int) -> float:
    """Where the top of the parabola through a peak and its neighbours is; negative beyond the half of the line."""
    left, middle, right = line[peak - 1], line[peak], line[(peak + 1) % len(line)]
    bend = left - 2 * middle + right
    top = peak + (0.5 * (left - right) / bend if bend < 0 else 0.0)
    return float(top if top <= len(line) / 2 else top - len(line))


@cache
def _samples(size: int, cells: int) -> IntArray:
    """Two pixels of each of so many equal cells."""
    return ((np.arange(2 * cells) + 0.5) * size / (2 * cells)).astype(np.int64)


@cache
def _fading(rows: int, columns: int) -> FloatArray:
    """One in the middle and nothing at the sides, which show other things in the next frame."""
    return np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1])
