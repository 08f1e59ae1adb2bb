"""Which frames of a video go through the network, and several of them at once.

A network on a processor is run as one thread a core, a frame each: two threads that share a frame wait for each
other at every layer, the more so while decoding takes a share of the cores, and a batch outgrows the caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain, groupby, islice, pairwise
from typing import NamedTuple, Self

import numpy as np

from asst.features.prefetch import in_order
from asst.features.runtime import threads
from asst.features.zeroshot.shots import colour_jumps
from asst.moments import Float16Array
from asst.video.picture import Pixels

GROUP_STEPS = 16
"""So many steps are decided on together."""
# Grey levels that the mean colours move by, all in all, in a run in which something happens.
_HAPPENS_LEAST = 6.0
# Threads that are worth feeding.
_THREADS_MOST = 8

# What comes of a call of the network, and which of its rows.
_Seen = tuple[Future[Float16Array], int]


class Step(NamedTuple):
    """A step's frame, one object while it is held, and how much colours change at each tick since the step before."""

    frame: Pixels
    changes: Sequence[float]


def runs(changes: Sequence[Sequence[float]], most: int) -> list[tuple[int, int]]:
    """A group's steps in runs, a sampled frame each: the first step of a run and how many it has.

    A run ends where colours jump, the largest jumps first. What frames are left halve the longest runs, unless next to
    nothing happens in them: a still frame costs one. ``changes`` are how much colours change at each tick since the
    step before, for each step; a whole group may have ``most`` runs, one of fewer steps fewer in proportion.
    """
    steps = len(changes)
    most = max(1, round(steps * most / GROUP_STEPS))
    # The changes that lead to the first step belong to the group before.
    flat = np.array([change for step in changes[1:] for change in step], dtype=np.float64)
    step_of = np.repeat(np.arange(1, steps), [len(step) for step in changes[1:]])
    jumps = sorted(colour_jumps(flat), key=lambda jump: -flat[jump])
    bounds = sorted({0, *(int(step_of[jump]) for jump in jumps[: most - 1]), steps})
    happens = [0.0, *(sum(step) for step in changes[1:])]

    def worth(run: tuple[int, int]) -> int:
        start, end = run
        return end - start if sum(happens[start + 1 : end]) > _HAPPENS_LEAST else 0

    while len(bounds) - 1 < most:
        start, end = max(pairwise(bounds), key=worth)
        if not worth((start, end)):
            break
        bounds = sorted({*bounds, (start + end) // 2})
    return [(start, end - start) for start, end in pairwise(bounds)]


class FrameSampler:
    """Threads that give ``together`` frames of one size at a time to a network, for the length of a ``with`` block.

    At most ``most`` frames of a group are sampled.
    """

    def __init__(self, network: Callable[[Pixels], Float16Array], together: int, most: int) -> None:
        self._network = network
        self._most = most
        self._batch = together
        self._last: Pixels | None = None
        self._last_seen: _Seen | None = None
        # A card is fed by one.
        self._pool = ThreadPoolExecutor(min(_THREADS_MOST, threads()) if together == 1 else 1, "sampling")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def rows(self, steps: Iterable[Step]) -> Iterator[tuple[Float16Array, int]]:
        """What is seen, in order: a row, and for how many steps it stands. A frame that is held is given once."""
        steps = iter(steps)
        groups = iter(lambda: list(islice(steps, GROUP_STEPS)), [])
        return in_order(chain.from_iterable(map(self._submitted, groups)), 2 * self._most)

    def _submitted(self, group: Sequence[Step]) -> Iterator[Callable[[], tuple[Float16Array, int]]]:
        # The frame in the middle of a run is clear of the changes at its ends.
        sampled = [
            (group[start + (length - 1) // 2].frame, length)
            for start, length in runs([step.changes for step in group], self._most)
        ]
        shown = [frame for frame, _ in sampled]
        before = [self._last, *shown[:-1]]
        new = self._given(now for now, last in zip(shown, before, strict=True) if now is not last)
        for frame, length in sampled:
            if frame is not self._last:
                self._last, self._last_seen = frame, next(new)
            assert self._last_seen is not None
            yield partial(_row, *self._last_seen, length)

    def _given(self, frames: Iterable[Pixels]) -> Iterator[_Seen]:
        for _, alike in groupby(frames, key=lambda frame: frame.shape):
            while some := list(islice(alike, self._batch)):
                future = self._pool.submit(self._network, np.stack(some))
                yield from ((future, row) for row in range(len(some)))


def _row(future: Future[Float16Array], row: int, steps: int) -> tuple[Float16Array, int]:
    return future.result()[row], steps
