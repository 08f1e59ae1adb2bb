"""When exactly shots change: to the picture, where the clock of ticks says it to a quarter of a second.

A cut is known one tick after it. Until then glimpses are kept of all pictures that were decoded between the ticks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asst.features.zeroshot.shots import AROUND, coarse_colours, is_jump

Pixels = npt.NDArray[np.uint8]
Colours = npt.NDArray[np.float32]

_ON_TIME_S = 1e-6
# Shots are mixed for a while where no picture differs by this much of the whole change from the one before.
_AT_ONCE = 0.5
# A cut among motion differs by so much more from the picture before than any other picture around does.
_STANDS_OUT = 1.5
# Pictures of two shots that are mixed lie between them: a way over them is longer by no more than this.
_DETOUR = 1.25
# A tick belongs to such a change where it changes by this much of the one that changes most.
_ENOUGH = 0.25


class CutTimes:
    """The times of pictures at which colours jump, found while a video goes by."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._glimpses: deque[tuple[float, Pixels]] = deque()
        self._judged = 0
        self._times_s: dict[int, float] = {}

    def glimpse(self, time_s: float, pixels: Pixels) -> None:
        """Take in a picture; may be called by another thread than the others are.

        Args:
            time_s: when it is first shown, in seconds; later than the ones before.
            pixels: its `asst.video.picture.glimpse`.
        """
        self._glimpses.append((time_s, pixels))

    def follow(self, changes: Sequence[float], *, to_the_end: bool = False) -> None:
        """Find the times of new jumps; glimpses that are needed no more are forgotten.

        Args:
            changes: how much colours change at each tick but the first, up to a tick whose pictures have gone by.
            to_the_end: whether there will be no more.
        """
        known = len(changes) if to_the_end else len(changes) - AROUND
        for change in range(self._judged, known):
            first = max(0, change - AROUND)
            near = np.array(changes[first : change + 1 + AROUND])
            if is_jump(near, change - first):
                self._times_s[change + 1] = self._time_s(near, first, change - first)
        self._judged = max(self._judged, known)
        self._forget((self._judged - AROUND - 1) / self._rate)

    def times_s(self, ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """When the shots begin that are seen first at some ticks, shape ``(ticks,)``.

        That of a shot which comes in by and by is the middle of the change.

        Args:
            ticks: ascending, at each of which colours jump.
        """
        times_s = np.array([self._times_s[tick] for tick in ticks.tolist()], dtype=np.float64)
        # Two changes that go on until they meet could be in no order.
        late = np.flatnonzero(np.diff(times_s, prepend=0.0) <= 0)
        times_s[late] = ticks[late] / self._rate
        return times_s

    def _time_s(self, near: npt.NDArray[np.float64], first: int, jump: int) -> float:
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

    def _shown(self, start: int, end: int) -> tuple[list[float], Colours]:
        """The pictures that are shown from one tick on until another, and their colours."""
        until_s = end / self._rate + _ON_TIME_S
        shown = [one for one in list(self._glimpses) if one[0] <= until_s]
        begun = sum(time_s <= start / self._rate + _ON_TIME_S for time_s, _ in shown)
        shown = shown[max(0, begun - 1) :]
        return [time_s for time_s, _ in shown], coarse_colours(np.stack([pixels for _, pixels in shown]))

    def _forget(self, before_s: float) -> None:
        """Forget the pictures that are not shown any more by then."""
        while len(self._glimpses) > 1 and self._glimpses[1][0] <= before_s:
            self._glimpses.popleft()


def _goes_on(near: npt.NDArray[np.float64], jump: int, first: int) -> tuple[int, int]:
    """From which tick on until which colours change about as much as at a jump; arguments as `CutTimes._time_s`."""
    enough = near > _ENOUGH * near[jump]
    start, end = jump, jump + 1
    while start > 0 and enough[start - 1]:
        start -= 1
    while end < len(near) and enough[end]:
        end += 1
    return first + start, first + end


def _apart(colours: Colours, one: Colours) -> Colours:
    """How far pictures are from one of them, or each from another, shape ``(pictures,)``."""
    apart: Colours = np.abs(colours - one).mean(axis=1)
    return apart


def _standing_out(colours: Colours) -> int | None:
    """The picture that differs from the one before more than any other does by far, if there is one."""
    steps = _apart(colours[1:], colours[:-1])
    most = int(steps.argmax())
    others = np.delete(steps, most).max(initial=0.0)
    return most + 1 if steps[most] >= _STANDS_OUT * others else None


def _mixed(colours: Colours) -> bool:
    """Whether the first picture is mixed with the last, by and by more of it."""
    way = _apart(colours, colours[0]) + _apart(colours, colours[-1])
    at_once = _apart(colours[1:], colours[:-1]).max() >= _AT_ONCE * way[0]
    return not at_once and bool(way.mean() <= _DETOUR * way[0])


def turning_point(colours: Colours) -> int:
    """Which of several pictures is the first that goes with the last more than with the first.

    The pictures are parted so that they differ least, all in all, those before from the first and the others from the
    last. A flash on either side counts on one side as on the other.

    Args:
        colours: of the pictures, two at least, shape ``(pictures, numbers)``.

    >>> turning_point(np.array([[0.0], [1.0], [50.0], [0.0], [60.0], [61.0]], dtype=np.float32))
    4
    """
    nearer_first = _apart(colours, colours[0]) - _apart(colours, colours[-1])
    return int(np.argmin(np.cumsum(nearer_first[:-1]))) + 1
