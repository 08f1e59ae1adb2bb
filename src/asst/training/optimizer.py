"""How weights move: the optimiser of a recipe, its rate over the steps, and the mean of the weights."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from asst.errors import InputError
from asst.training.recipe import Optimizer


def optimizer_of(settings: Optimizer, module: nn.Module) -> torch.optim.Optimizer:
    """Adam or SGD over what a module learns, each parameter at its own rate.

    Raises an `InputError` for a part in ``rates`` that no parameter belongs to.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    unused = set(settings.rates)
    for name, weight in module.named_parameters():
        if weight.requires_grad:
            parts = settings.rates.keys() & set(name.split("."))
            unused -= parts
            groups.setdefault(math.prod(settings.rates[part] for part in parts), []).append(weight)
    if unused:
        raise InputError(f"optimizer.rates names {min(unused)}, and no parameter that learns is part of one")
    each = [{"params": weights, "lr": factor * settings.learning_rate} for factor, weights in groups.items()]
    if settings.name == "adam":
        return torch.optim.Adam(each, settings.learning_rate, fused=True)
    return torch.optim.SGD(each, settings.learning_rate, settings.momentum, fused=True)


def schedule_of(settings: Optimizer, optimizer: torch.optim.Optimizer, steps: int) -> LambdaLR:
    """The rates of an optimiser over a training of so many steps."""
    return LambdaLR(optimizer, lambda step: rate_factor(settings, step, steps))


def rate_factor(settings: Optimizer, step: int, steps: int) -> float:
    """What the learning rate is multiplied by at a step, from zero.

    >>> [round(rate_factor(Optimizer(schedule="cosine", warmup=2), step, 4), 3) for step in range(4)]
    [0.5, 0.854, 0.5, 0.146]
    """
    risen = min(1.0, (step + 1) / max(settings.warmup, 1))
    if settings.schedule == "cosine":
        return risen * (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2
    return float(risen * settings.decay ** (step // settings.decay_steps))


@torch.no_grad()
def average_into(mean: nn.Module, now: nn.Module, decay: float, step: int) -> None:
    """Moves the mean of the weights towards those of now, faster in the first steps, of which ``step`` are done.

    ``mean`` is a copy of ``now`` from before the first; what is counted in ``now`` is copied. In the end it keeps
    ``decay`` of itself.
    """
    stays = min(decay, (1 + step) / (10 + step))
    for own, new in zip(mean.state_dict().values(), now.state_dict().values(), strict=True):
        if own.is_floating_point():
            own.lerp_(new, 1 - stays)
        else:
            own.copy_(new)
