"""Which samples a step sees does not depend on interruptions or on how its batch is shared out."""

from __future__ import annotations

from itertools import chain

import pytest
import torch

from asst.training.schedule import IntervalBatches, share_of

LENGTH, BATCH, SEED = 10, 4, 3


def steps(first: int, count: int, **sharing: int) -> list[list[tuple[int, int]]]:
    return list(IntervalBatches(LENGTH, seed=SEED, first=first, steps=count, batch=BATCH, **sharing))


def test_intervals_in_a_row_are_one_long_interval_and_show_every_sample_once_an_epoch() -> None:
    whole = steps(0, 15)
    assert [*steps(0, 4), *steps(4, 5), *steps(9, 6)] == whole
    keys = list(chain.from_iterable(whole))
    assert [epoch for epoch, _ in keys] == sorted(epoch for epoch, _ in keys)
    for epoch in range(6):
        assert sorted(index for own, index in keys if own == epoch) == list(range(LENGTH))
    assert [index for epoch, index in keys if epoch == 0] != [index for epoch, index in keys if epoch == 1]


@pytest.mark.parametrize(("parts", "processes"), [(1, 2), (2, 1), (2, 2)])
def test_shares_together_are_the_batch(parts: int, processes: int) -> None:
    shared = [steps(2, 3, parts=parts, rank=rank, processes=processes) for rank in range(processes)]
    together = [
        [key for part in range(parts) for rank in range(processes) for key in shared[rank][step * parts + part]]
        for step in range(3)
    ]
    assert together == steps(2, 3)


def test_draws_of_a_sample_do_not_depend_on_the_shares() -> None:
    alone = share_of(7, 6, seed=SEED).uniform(5)
    halves = [share_of(7, 3, seed=SEED, rank=rank, processes=2).uniform(5) for rank in range(2)]
    assert torch.equal(torch.cat(halves), alone)
    assert not torch.equal(share_of(8, 6, seed=SEED).uniform(5), alone)
    assert not torch.equal(share_of(7, 6, seed=SEED + 1).uniform(5), alone)


def test_rows_of_all_processes_stand_in_the_order_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asst.training.schedule.all_reduce", lambda rows: rows)
    sent: list[torch.Tensor] = []
    rows = torch.arange(24.0).view(6, 2, 2)
    for rank in range(3):
        share = share_of(0, 2, seed=SEED, rank=rank, processes=3)
        sent.append(share.gathered(rows[2 * rank : 2 * rank + 2]))
        assert share.first == 2 * rank
    assert torch.equal(torch.stack(sent).sum(dim=0), rows)
    assert share_of(0, 6, seed=SEED).gathered(rows) is rows
