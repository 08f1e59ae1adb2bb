"""Which samples a process sees in an interval of steps: a function of seed and step alone.

A run that is resumed, and a run that is shared out over processes, sees what an unbroken run of one process would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch.distributed.nn.functional import all_reduce
from torch.nn import functional
from torch.utils.data import Sampler

from asst.data.samples import EpochOrder, Key
from asst.models.methods.base import Share

ANCHORS, DROPOUT = 3, 4
"""Set apart the uses of a seed, with those of `asst.data.samples`."""


def torch_seed(*key: int) -> int:
    """A seed for torch from several numbers; its processor source takes no more than 32 bits of what it is given."""
    return int(np.random.SeedSequence(key).generate_state(1)[0])


def interval_steps(done: int, *, interval: int, steps: int) -> int:
    """How many steps the interval has that begins after ``done`` steps: to the next multiple, or to the end.

    >>> [interval_steps(done, interval=500, steps=1200) for done in (0, 60, 1000)]
    [500, 440, 200]
    """
    return min(interval - done % interval, steps - done)


@dataclass(frozen=True)
class IntervalBatches(Sampler[list[Key]]):
    """The parts of batches that one process passes in one interval, which begins at the step ``first``, from zero.

    Steps take the samples of epoch after epoch in turn, ``length`` an epoch; a step may end one epoch and begin the
    next. Its ``batch``, of all processes together, is passed in so many ``parts``.
    """

    length: int
    seed: int
    first: int
    steps: int
    batch: int
    parts: int = 1
    rank: int = 0
    processes: int = 1

    def __len__(self) -> int:
        return self.steps * self.parts

    def __iter__(self) -> Iterator[list[Key]]:
        keys = self._keys()
        own = self.batch // self.parts // self.processes
        for _ in range(len(self)):
            part = [next(keys) for _ in range(own * self.processes)]
            yield part[self.rank * own : (self.rank + 1) * own]

    def _keys(self) -> Iterator[Key]:
        order = EpochOrder(self.length, self.seed)
        epoch, seen = divmod(self.first * self.batch, self.length)
        while True:
            order.set_epoch(epoch, seen)
            yield from order
            epoch, seen = epoch + 1, 0


def share_of(part: int, size: int, *, seed: int, rank: int = 0, processes: int = 1) -> Share:
    """What a process draws for its share of one part of a batch, and how it agrees with the others.

    ``part`` is the number of the part since the training began; this process has ``size`` samples of it.
    """

    def uniform(width: int) -> torch.Tensor:
        source = torch.Generator().manual_seed(torch_seed(ANCHORS, seed, part))
        drawn = torch.rand(size * processes, width, generator=source)
        return drawn[rank * size : (rank + 1) * size]

    def mean_over_processes(value: torch.Tensor) -> torch.Tensor:
        if processes > 1:
            value = value.clone()
            torch.distributed.all_reduce(value)
            value /= processes
        return value

    def gathered(rows: torch.Tensor) -> torch.Tensor:
        if processes == 1:
            return rows
        before, after = rank * size, (processes - 1 - rank) * size
        spread = functional.pad(rows, (0, 0) * (rows.dim() - 1) + (before, after))
        return cast("torch.Tensor", all_reduce(spread))  # type: ignore[no-untyped-call]

    return Share(uniform, mean_over_processes, gathered, rank * size)
