"""Losses that look across a batch are, over processes, what one process alone would have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from asst.data.batch import Batch, Collate
from asst.data.sample import Sample
from asst.models.methods.base import Share, Trainable
from asst.models.methods.ctrl import CTRLMethod
from asst.models.methods.mcn import MCNMethod
from tests.models.methods.test_ctrl import SETTINGS as CTRL
from tests.models.methods.test_mcn import SETTINGS as MCN

KEYS = torch.rand(4, 1000, generator=torch.Generator().manual_seed(5))


def half(batch: Batch, rank: int) -> Batch:
    """Two of the four samples, padded as they are."""
    rows = slice(2 * rank, 2 * rank + 2)
    samples = [
        Sample(
            index,
            batch.windows[index],
            batch.features[index, : batch.windows[index].steps].numpy(),
            batch.words[index, batch.word_mask[index]].numpy(),
            batch.moments[index].numpy(),
        )
        for index in range(4)[rows]
    ]
    return Collate(batch.features.shape[1])(samples)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (CTRLMethod, CTRL),
        (CTRLMethod, {**CTRL, "objective": "paper"}),
        (MCNMethod, {**MCN, "margin": 0.4}),
        (MCNMethod, {**MCN, "margin": 0.4, "clips": "pieces", "streams": [3, 1]}),
    ],
)
def test_two_processes_have_the_gradient_of_one(
    seen: Batch, kind: Callable[[dict[str, Any]], Trainable], settings: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    method = kind(settings).train()
    halves = [half(seen, rank) for rank in range(2)]
    counts: list[list[torch.Tensor]] = [[], []]
    rows: list[list[torch.Tensor]] = [[], []]

    def noting(rank: int) -> Share:
        """Notes what would be sent; nothing in a loss decides by it what is sent next."""

        def gathered(own: torch.Tensor) -> torch.Tensor:
            rows[rank].append(own)
            return torch.cat([own, own])

        def mean(value: torch.Tensor) -> torch.Tensor:
            counts[rank].append(value)
            return value

        return Share(lambda width: KEYS[2 * rank : 2 * rank + 2, :width], mean, gathered, 2 * rank)

    for rank in range(2):
        method.loss(halves[rank], noting(rank))

    def shared(rank: int) -> Share:
        sent = [torch.cat(pair) for pair in zip(*rows, strict=True)]
        means = [sum(pair) / 2 for pair in zip(*counts, strict=True)]
        answers, found = iter(sent), iter(means)
        return Share(
            lambda width: KEYS[2 * rank : 2 * rank + 2, :width],
            lambda _: next(found),
            lambda _: next(answers),
            2 * rank,
        )

    alone = method.loss(seen, Share(lambda width: KEYS[:, :width], lambda value: value)).total
    # What DDP does is to average over processes.
    together = torch.stack([method.loss(halves[rank], shared(rank)).total for rank in range(2)]).mean()
    assert together.item() == pytest.approx(alone.item(), rel=1e-5)
    weights = list(method.parameters())
    for ours, theirs in zip(torch.autograd.grad(together, weights), torch.autograd.grad(alone, weights), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
