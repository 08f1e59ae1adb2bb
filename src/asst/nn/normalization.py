"""Batch normalisation that sees real steps only, those of every process that shares a batch."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce

from asst.errors import InputError
from asst.nn.steps import ValidSteps


class MaskedBatchNorm(nn.BatchNorm1d):
    """BatchNorm whose statistics are those of the real steps of the batch.

    Counting padding would make a video's output depend on how far it, and its neighbours, are padded. The real steps
    are gathered, normalised and put back, which costs two copies where a batch has padding and nothing where it has
    none. Training needs at least two real steps in the batch, as any BatchNorm does; one is an `InputError`.

    Where several processes train together, the statistics are those of all their steps, so that the batch may be
    shared out in any way. The library's own synchronised layer does this on GPUs alone.
    """

    def forward(self, x: Tensor, steps: ValidSteps) -> Tensor:  # type: ignore[override]
        """``(batch, steps, channels)`` to the same, with zeros at padding."""
        if not self.training:
            # Nothing is counted, so padding can go through and be silenced after.
            return steps.silence(super().forward(x.flatten(0, 1)).view(x.shape))
        rows = steps.gather(x)
        shared = distributed.is_initialized() and distributed.get_world_size() > 1
        if len(rows) == 1 and not shared:
            raise InputError("batch normalisation learns nothing from one step; raise training.batch, or lower parts")
        return steps.scatter(self._over_processes(rows) if shared else super().forward(rows))

    def _over_processes(self, rows: Tensor) -> Tensor:
        """The layer in training, over the rows of all processes; shape ``(rows, channels)``."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        wide = rows.float()
        count = wide.new_full((1,), float(len(wide)))
        moments = all_reduce(torch.cat([wide.sum(dim=0), count]))  # type: ignore[no-untyped-call]
        total = moments[-1]
        mean = moments[:-1] / total
        # A second pass, as subtracting the squared mean would lose the variance of rows far from zero.
        variance = all_reduce((wide - mean).square().sum(dim=0)) / total  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (total / (total - 1)), self.momentum)
            self.num_batches_tracked.add_(1)
        normal = (wide - mean) * (variance + self.eps).rsqrt()
        scaled: Tensor = normal * self.weight + self.bias
        return scaled.to(rows.dtype)
