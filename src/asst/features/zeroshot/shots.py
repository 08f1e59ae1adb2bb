"""Where one shot ends and the next begins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# A picture is compared as this many rows and columns of mean colours: coarse enough to ignore small motion.
_ROWS, _COLUMNS = 9, 16
_ROWS_MOST_IN_16_BITS = 65_535 // 255
# Grey levels that the mean colours must move by, and how many times more than around the cut.
_CHANGE_LEAST = 20.0
_RATIO_LEAST = 2.0
AROUND = 4
"""So many changes on either side tell whether one is a jump."""
# How many ticks a side are compared by what is seen in them.
_TURN_TICKS = 3


def coarse_colours(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Mean colours of a coarse grid over pictures.

    Args:
        pixels: RGB, shape ``(frames, height, width, 3)``.

    Returns:
        Shape ``(frames, rows * columns * 3)``, in grey levels.
    """
    frames, height, width, _ = pixels.shape
    rows, columns = _cells(height, _ROWS), _cells(width, _COLUMNS)
    # Whole sums of bytes, rows first: each is one pass over neighbouring numbers. Tall cells need the wider type.
    wide = np.uint16 if (rows[0][1] - rows[0][0]) <= _ROWS_MOST_IN_16_BITS else np.uint32
    across = np.stack([pixels[:, first:last].sum(axis=1, dtype=wide) for first, last in rows], axis=1)
    sums = np.stack([across[:, :, first:last].sum(axis=2, dtype=np.float32) for first, last in columns], axis=2)
    area = (rows[0][1] - rows[0][0]) * (columns[0][1] - columns[0][0])
    means: npt.NDArray[np.float32] = np.divide(sums, area, dtype=np.float32).reshape(frames, -1)
    return means


def _cells(size: int, parts: int) -> list[tuple[int, int]]:
    """First pixel of each of ``parts`` equal cells and the one after its last.

    Where the size is no multiple, pixels between the cells are left out; tiny pictures repeat pixels.
    """
    each = max(1, size // parts)
    return [(k * size // parts, k * size // parts + each) for k in range(parts)]


def shot_cuts(changes: FloatArray, seen: Callable[[int, int], FloatArray], turn_least: float) -> npt.NDArray[np.int64]:
    """The ticks at which a new shot begins.

    A cut is a peak of change in colour, well above the change around it, across which what is seen also turns. Colour
    alone fires at flashes and quick pans, features alone at an object that comes into view.

    Args:
        changes: mean absolute difference in colour of each tick to the one before, shape ``(ticks - 1,)``.
        seen: unit vectors of what is seen from one tick up to another, shape ``(ticks, channels)``; asked for a few
            ticks around each jump in colour.
        turn_least: how far the features before and after a cut lie apart, as one minus their cosine.

    Returns:
        Ticks in ascending order, each greater than zero.
    """
    ticks = len(changes) + 1
    cuts = [jump + 1 for jump in colour_jumps(changes) if _turn(seen, jump + 1, ticks) > turn_least]
    return np.array(cuts, dtype=np.int64)


def colour_jumps(changes: FloatArray) -> list[int]:
    """Indices of the changes that are peaks, well above those around them: where a shot may begin."""
    return [change for change in np.flatnonzero(changes > _CHANGE_LEAST).tolist() if is_jump(changes, change)]


def is_jump(changes: FloatArray, i: int) -> bool:
    """Whether one of the changes is such a peak; `AROUND` on either side of it decide."""
    change = changes[i]
    around = np.concatenate([changes[max(0, i - AROUND) : i], changes[i + 1 : i + 1 + AROUND]])
    # Of two equal changes in a row the first is the peak, so that no two jumps are neighbours.
    peak = (changes[max(0, i - 1) : i] < change).all() and (changes[i + 1 : i + 2] <= change).all()
    return bool(change > _CHANGE_LEAST and peak and (around.size == 0 or change >= _RATIO_LEAST * np.median(around)))


def _turn(seen: Callable[[int, int], FloatArray], cut: int, ticks: int) -> float:
    """How far the mean features before and after a tick, or one next to it, lie apart."""
    first, last = max(0, cut - 1 - _TURN_TICKS), min(ticks, cut + 1 + _TURN_TICKS)
    near = seen(first, last)

    def turn(tick: int) -> float:
        before = near[max(0, tick - _TURN_TICKS - first) : tick - first].sum(axis=0)
        after = near[tick - first : tick + _TURN_TICKS - first].sum(axis=0)
        norms = float(np.linalg.norm(before) * np.linalg.norm(after))
        return 1.0 - float(before @ after) / norms if norms else 0.0

    return max(turn(tick) for tick in range(max(1, cut - 1), min(ticks, cut + 2)))
