"""Where one shot ends and the next begins: by ticks, and to the frame.

A cut is known one tick after it: until then thumbnails are kept of all frames that were decoded between the ticks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from asst.moments import Float32Array, FloatArray, IntArray
from asst.video.picture import Pixels

# A frame is compared as this many rows and columns of mean colours: coarse enough to ignore small motion.
_ROWS, _COLUMNS = 9, 16
_ROWS_MOST_IN_16_BITS = 65_535 // 255
# Grey levels that the mean colours must move by, and how many times more than around the cut.
_CHANGE_LEAST = 20.0
_RATIO_LEAST = 2.0
AROUND = 4
"""So many changes on either side tell whether one is a jump."""
# How many ticks a side are compared by what is seen in them.
_TURN_TICKS = 3
_ON_TIME_S = 1e-6
# Shots are mixed for a while where no frame differs by this much of the whole change from the one before.
_AT_ONCE = 0.5
# A cut among motion differs by so much more from the frame before than any other frame around does.
_STANDS_OUT = 1.5
# Frames of two shots that are mixed lie between them: a way over them is longer by no more than this.
_DETOUR = 1.25
# A tick belongs to such a change where it changes by this much of the one that changes most.
_ENOUGH = 0.25


def coarse_colours(pixels: Pixels) -> Float32Array:
    """Mean colours of a coarse grid over RGB frames, in grey levels, ``(frames, rows * columns * 3)``."""
    frames, height, width, _ = pixels.shape
    rows, columns = _cells(height, _ROWS), _cells(width, _COLUMNS)
    # Whole sums of bytes, rows first: each is one pass over neighbouring numbers. Tall cells need the wider type.
    wide = np.uint16 if (rows[0][1] - rows[0][0]) <= _ROWS_MOST_IN_16_BITS else np.uint32
    across = np.stack([pixels[:, first:last].sum(axis=1, dtype=wide) for first, last in rows], axis=1)
    sums = np.stack([across[:, :, first:last].sum(axis=2, dtype=np.float32) for first, last in columns], axis=2)
    area = (rows[0][1] - rows[0][0]) * (columns[0][1] - columns[0][0])
    means: Float32Array = np.divide(sums, area, dtype=np.float32).reshape(frames, -1)
    return means


def _cells(size: int, parts: int) -> list[tuple[int, int]]:
    """First pixel of each of ``parts`` equal cells and the one after its last."""
    # Where the size is no multiple, pixels between the cells are left out; tiny frames repeat pixels.
    each = max(1, size // parts)
    return [(k * size // parts, k * size // parts + each) for k in range(parts)]


def shot_cuts(changes: FloatArray, seen: Callable[[int, int], FloatArray], turn_least: float) -> IntArray:
    """The ticks at which a new shot begins.

    A cut is a peak of change in colour, well above the change around it, across which what is seen also turns. Colour
    alone fires at flashes and quick pans, features alone at an object that comes into view.

    ``changes`` are the mean absolute differences in colour between ticks, ``(ticks - 1,)``; ``seen`` gives unit vectors
    of what is seen from one tick up to another, ``(ticks, channels)``; ``turn_least`` is how far the features before
    and after a cut lie apart, as one minus their cosine.
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


class CutTimes:
    """The times of frames at which colours jump, found while a video goes by."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._thumbnails: deque[tuple[float, Pixels]] = deque()
        self._judged = 0
        self._times_s: dict[int, float] = {}

    def thumbnail(self, time_s: float, pixels: Pixels) -> None:
        """Take in a frame's thumbnail, and when it is first shown; may be called by another thread than the others."""
        self._thumbnails.append((time_s, pixels))

    def follow(self, changes: Sequence[float], *, to_the_end: bool = False) -> None:
        """Find the times of new jumps, by the changes at ticks but the first, up to one whose frames have gone by."""
        known = len(changes) if to_the_end else len(changes) - AROUND
        for change in range(self._judged, known):
            first = max(0, change - AROUND)
            near = np.array(changes[first : change + 1 + AROUND])
            if is_jump(near, change - first):
                self._times_s[change + 1] = self._time_s(near, first, change - first)
        self._judged = max(self._judged, known)
        # Frames that are not shown any more by then are forgotten.
        before_s = (self._judged - AROUND - 1) / self._rate
        while len(self._thumbnails) > 1 and self._thumbnails[1][0] <= before_s:
            self._thumbnails.popleft()

    def times_s(self, ticks: IntArray) -> FloatArray:
        """When shots begin that are seen first at some ticks; one that comes in by and by in the middle of it."""
        times_s = np.array([self._times_s[tick] for tick in ticks.tolist()], dtype=np.float64)
        # Two changes that go on until they meet could be in no order.
        late = np.flatnonzero(np.diff(times_s, prepend=0.0) <= 0)
        times_s[late] = ticks[late] / self._rate
        return times_s

    def _time_s(self, near: FloatArray, first: int, jump: int) -> float:
        """When colours jump, by ``near[jump]``; the first of ``near`` is the change at tick ``first + 1``."""
        own_s, own = self._shown(first + jump, first + jump + 1)
        if len(own_s) < 2:
            return (first + jump + 1) / self._rate
        # The greatest change may be of something that moves just before or after the cut.
        for times_s, colours in ((own_s, own), self._shown(max(0, first + jump - 1), first + jump + 2)):
            if (at := _standing_out(colours)) is not None:
                return float(times_s[at])
        times_s, colours = self._shown(*_goes_on(near, jump, first))
        return float(times_s[turning_point(colours)] if _mixed(colours) else own_s[turning_point(own)])

    def _shown(self, start: int, end: int) -> tuple[list[float], Float32Array]:
        """The frames that are shown from one tick on until another, and their colours."""
        until_s = end / self._rate + _ON_TIME_S
        shown = [one for one in list(self._thumbnails) if one[0] <= until_s]
        begun = sum(time_s <= start / self._rate + _ON_TIME_S for time_s, _ in shown)
        shown = shown[max(0, begun - 1) :]
        return [time_s for time_s, _ in shown], coarse_colours(np.stack([pixels for _, pixels in shown]))


def _goes_on(near: FloatArray, jump: int, first: int) -> tuple[int, int]:
    """From which tick on until which colours change about as much as at a jump; arguments as `CutTimes._time_s`."""
    stops = np.flatnonzero(near <= _ENOUGH * near[jump])
    start, end = stops[stops < jump].max(initial=-1) + 1, stops[stops > jump].min(initial=len(near))
    return first + int(start), first + int(end)


def _apart(colours: Float32Array, one: Float32Array) -> Float32Array:
    """How far frames are from one of them, or each from another, shape ``(frames,)``."""
    apart: Float32Array = np.abs(colours - one).mean(axis=1)
    return apart


def _standing_out(colours: Float32Array) -> int | None:
    """The frame that differs from the one before more than any other does by far, if there is one."""
    steps = _apart(colours[1:], colours[:-1])
    most = int(steps.argmax())
    others = np.delete(steps, most).max(initial=0.0)
    return most + 1 if steps[most] >= _STANDS_OUT * others else None


def _mixed(colours: Float32Array) -> bool:
    """Whether the first frame is mixed with the last, by and by more of it."""
    way = _apart(colours, colours[0]) + _apart(colours, colours[-1])
    at_once = _apart(colours[1:], colours[:-1]).max() >= _AT_ONCE * way[0]
    return not at_once and bool(way.mean() <= _DETOUR * way[0])


def turning_point(colours: Float32Array) -> int:
    """Which of several frames, two at least, is the first that goes with the last more than with the first.

    They are parted so that they differ least, all in all, those before from the first and the others from the last.

    >>> turning_point(np.array([[0.0], [1.0], [50.0], [0.0], [60.0], [61.0]], dtype=np.float32))
    4
    """
    nearer_first = _apart(colours, colours[0]) - _apart(colours, colours[-1])
    return int(np.argmin(np.cumsum(nearer_first[:-1]))) + 1
