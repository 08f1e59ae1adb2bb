"""Where one shot ends and the next begins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# A picture is compared as this many rows and columns of mean colours: coarse enough to ignore small motion.
_ROWS, _COLUMNS = 9, 16
# Grey levels that the mean colours must move by, and how many times more than around the cut.
_CHANGE_LEAST = 20.0
_RATIO_LEAST = 2.0
_AROUND = 4
# How far the features before and after must lie apart, as one minus their cosine, over this many ticks a side.
_TURN_LEAST = 0.3
_TURN_TICKS = 3


def coarse_colours(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Mean colours of a coarse grid over pictures.

    Args:
        pixels: RGB, shape ``(frames, height, width, 3)``.

    Returns:
        Shape ``(frames, rows * columns * 3)``, in grey levels.
    """
    frames, height, width, _ = pixels.shape
    # Cells of equal size: fewer pixels than a cell are left out between them. Tiny pictures repeat pixels.
    tall = pixels[:, _starts(height, _ROWS)]
    cells = tall[:, :, :, _starts(width, _COLUMNS)]
    means: npt.NDArray[np.float32] = cells.mean(axis=(2, 4), dtype=np.float32).reshape(frames, -1)
    return means


def _starts(size: int, parts: int) -> npt.NDArray[np.int64]:
    """Indices of the pixels of each of ``parts`` equal cells, shape ``(parts, pixels in a cell)``."""
    each = max(1, size // parts)
    starts: npt.NDArray[np.int64] = np.arange(parts)[:, None] * size // parts
    indices: npt.NDArray[np.int64] = np.minimum(starts + np.arange(each), size - 1)
    return indices


def shot_cuts(changes: FloatArray, features: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The ticks at which a new shot begins.

    A cut is a peak of change in colour, well above the change around it, across which what is seen also turns. Colour
    alone fires at flashes and quick pans, features alone at an object that comes into view.

    Args:
        changes: mean absolute difference in colour of each tick to the one before, shape ``(ticks - 1,)``.
        features: unit vectors of what is seen at each tick, shape ``(ticks, channels)``.

    Returns:
        Ticks in ascending order, each greater than zero.
    """
    ticks = len(features)
    sums = np.concatenate([np.zeros((1, features.shape[1])), np.cumsum(features, axis=0, dtype=np.float64)])
    turns = np.array([_turn(sums, tick) for tick in range(1, ticks)])
    cuts = []
    for i, change in enumerate(changes):
        around = np.concatenate([changes[max(0, i - _AROUND) : i], changes[i + 1 : i + 1 + _AROUND]])
        # Of two equal changes in a row the first is the peak, so that no two cuts are neighbours.
        peak = (changes[max(0, i - 1) : i] < change).all() and (changes[i + 1 : i + 2] <= change).all()
        stands_out = around.size == 0 or change >= _RATIO_LEAST * np.median(around)
        turned = turns[max(0, i - 1) : i + 2].max() > _TURN_LEAST
        if change > _CHANGE_LEAST and peak and stands_out and turned:
            cuts.append(i + 1)
    return np.array(cuts, dtype=np.int64)


def _turn(sums: FloatArray, tick: int) -> float:
    """One minus the cosine of the mean features before and after ``tick``."""
    before = sums[tick] - sums[max(0, tick - _TURN_TICKS)]
    after = sums[min(len(sums) - 1, tick + _TURN_TICKS)] - sums[tick]
    norms = float(np.linalg.norm(before) * np.linalg.norm(after))
    return 1.0 - float(before @ after) / norms if norms else 0.0
