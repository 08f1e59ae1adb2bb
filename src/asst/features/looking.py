"""Looking at a video: which pictures go through the network, and several of them at once.

A network on a processor is run as one thread a core, a picture each: two threads that share a picture wait for each
other at every layer, the more so while decoding takes a share of the cores, and a batch outgrows the caches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby, islice, pairwise
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

GROUP_STEPS = 16
"""So many steps are decided on together."""
# Grey levels by which the mean colours of neighbouring steps differ at least where something happens.
_CHANGE_LEAST = 3.0
# Pictures that a graphics card is given at once, and threads that are worth feeding.
_CARD_BATCH = 8
_THREADS_MOST = 8

Pictures = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.float16]


class Step(NamedTuple):
    """A step's picture, ``(height, width, 3)``, and its coarse colours."""

    picture: Pictures
    colours: npt.NDArray[np.float32]


def runs(colours: npt.NDArray[np.float32], most: int) -> list[tuple[int, int]]:
    """A group's steps in runs, one look each: it breaks where neighbouring pictures differ the most.

    Pictures between which next to nothing changes stay together, so a still picture costs one look.

    Args:
        colours: what ``shots.coarse_colours`` says of each step's picture, shape ``(steps, values)``.
        most: how many runs a whole group may have; one of fewer steps has fewer, in proportion.

    Returns:
        The first step of each run and how many it has.
    """
    steps = len(colours)
    changes = np.abs(np.diff(colours, axis=0)).mean(axis=1)
    largest = np.argsort(-changes, kind="stable")[: max(1, round(steps * most / GROUP_STEPS)) - 1]
    starts = [0, *sorted(int(step) + 1 for step in largest if changes[step] > _CHANGE_LEAST), steps]
    return [(start, end - start) for start, end in pairwise(starts)]


class Looking:
    """Threads that look at pictures, for the length of a ``with`` block.

    Args:
        see: the network: pictures of one size ``(pictures, height, width, 3)`` to a row each.
        device: where it runs, ``cpu`` or ``cuda``.
        most: at most so many pictures of a group are looked at.
    """

    def __init__(self, see: Callable[[Pictures], Rows], device: str, most: int) -> None:
        import torch

        self._see = see
        self._most = most
        self._threads_before = torch.get_num_threads()
        on_cpu = device == "cpu"
        self._batch = 1 if on_cpu else _CARD_BATCH
        self._threads = min(_THREADS_MOST, self._threads_before) if on_cpu else 1
        # PyTorch's setting holds for the thread that sets it and for all that start later.
        one_each = torch.set_num_threads if on_cpu else lambda _: None
        self._pool = ThreadPoolExecutor(self._threads, "looking", initializer=one_each, initargs=(1,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        import torch

        self._pool.shutdown(cancel_futures=True)
        torch.set_num_threads(self._threads_before)

    def rows(self, steps: Iterable[Step]) -> Iterator[tuple[Rows, int]]:
        """What is seen, in order: a row, and for how many steps it stands."""
        steps = iter(steps)
        waiting: deque[tuple[Future[Rows], list[int]]] = deque()
        while group := list(islice(steps, GROUP_STEPS)):
            waiting.extend(self._submitted(group))
            while len(waiting) > self._most:
                yield from _taken(waiting)
        while waiting:
            yield from _taken(waiting)

    def _submitted(self, group: Sequence[Step]) -> Iterator[tuple[Future[Rows], list[int]]]:
        # The picture in the middle of a run is clear of the changes at its ends.
        looks = [
            (group[start + (length - 1) // 2].picture, length)
            for start, length in runs(np.stack([step.colours for step in group]), self._most)
        ]
        for _, alike in groupby(looks, key=lambda look: look[0].shape):
            while some := list(islice(alike, self._batch)):
                pictures = np.stack([picture for picture, _ in some])
                yield self._pool.submit(self._see, pictures), [length for _, length in some]


def _taken(waiting: deque[tuple[Future[Rows], list[int]]]) -> Iterator[tuple[Rows, int]]:
    future, lengths = waiting.popleft()
    yield from zip(future.result(), lengths, strict=True)
