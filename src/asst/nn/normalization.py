"""Batch normalisation that sees real steps only."""

from __future__ import annotations

from torch import Tensor, nn

from asst.nn.steps import ValidSteps


class MaskedBatchNorm(nn.BatchNorm1d):
    """BatchNorm whose statistics are those of the real steps of the batch.

    Counting padding would make a video's output depend on how far it, and its neighbours, are padded. The real steps
    are gathered, normalised and put back, which costs two copies where a batch has padding and nothing where it has
    none. Training needs at least two real steps in the batch, as any BatchNorm does.
    """

    def forward(self, x: Tensor, steps: ValidSteps) -> Tensor:  # type: ignore[override]
        """``(batch, steps, channels)`` to the same, with zeros at padding."""
        return steps.scatter(super().forward(steps.gather(x)))
