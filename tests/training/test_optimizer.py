"""How weights move: rates of parts and over time, and the mean of the weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from asst.errors import InputError
from asst.training.module import average_into, optimizer_of, rate_factor, schedule_of
from asst.training.recipe import Optimizer


def test_the_rate_falls_by_steps_or_along_a_cosine_after_it_has_risen() -> None:
    paper = Optimizer(decay=0.5, decay_steps=3)
    assert [rate_factor(paper, step, 7) for step in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    cosine = Optimizer(schedule="cosine", warmup=4)
    found = [rate_factor(cosine, step, 100) for step in range(101)]
    assert found[:4] == pytest.approx([(i + 1) / 4 * (1 + math.cos(math.pi * i / 100)) / 2 for i in range(4)])
    assert found[50] == pytest.approx(0.5)
    assert found[100] == pytest.approx(0)
    assert found[4:] == sorted(found[4:], reverse=True)


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_a_part_has_a_rate_of_its_own(name: str) -> None:
    module = nn.ModuleDict({"lstm": nn.LSTM(2, 3), "out": nn.Linear(3, 1)})
    settings = Optimizer.model_validate({"name": name, "learning_rate": 0.1, "rates": {"lstm": 10.0}})
    optimizer = optimizer_of(settings, module)
    schedule = schedule_of(settings.model_copy(update={"decay_steps": 1}), optimizer, 10)
    rates = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    assert {rates[id(weight)] for weight in module["lstm"].parameters()} == {1.0}
    assert {rates[id(weight)] for weight in module["out"].parameters()} == {0.1}
    optimizer.step()
    schedule.step()
    assert sorted(group["lr"] for group in optimizer.param_groups) == pytest.approx([0.09, 0.9])
    with pytest.raises(InputError, match="rates names gru, and no parameter"):
        optimizer_of(Optimizer(rates={"gru": 2.0}), module)


def test_the_mean_of_the_weights_follows_them() -> None:
    mean, now = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    with torch.no_grad():
        now.weight.fill_(3.0)
        now.running_mean.fill_(1.0)  # type: ignore[union-attr]
        now.num_batches_tracked.fill_(7)  # type: ignore[union-attr]
    average_into(mean, now, 0.9, step=0)
    assert mean.weight.tolist() == pytest.approx([1 * 0.1 + 3 * 0.9] * 2)
    average_into(mean, now, 0.9, step=1000)
    assert mean.weight.tolist() == pytest.approx([2.8 * 0.9 + 3 * 0.1] * 2)
    assert int(mean.num_batches_tracked) == 7  # type: ignore[arg-type]
