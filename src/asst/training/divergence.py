"""A training of which something is not finite any more: it ends there, and nothing of it is kept or judged."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from asst.errors import InputError


class DivergedError(InputError):
    """Says after which step what was not finite."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(
            f"the training diverged after step {step}: {what}, which is not finite; try smaller "
            "rates under optimizer or training.precision=float32, or smaller features"
        )


def require_finite_figures(figures: Mapping[str, float], step: int) -> None:
    """Looks at losses and metrics; a `DivergedError` names the first that is not finite."""
    for name, value in figures.items():
        if not math.isfinite(value):
            raise DivergedError(step, f"{name} is {value}")


def require_finite_weights(weights: Mapping[str, Tensor], step: int) -> None:
    """Looks through what a method has learnt; a `DivergedError` names the first that is not finite."""
    for name, own in weights.items():
        if not torch.isfinite(own).all():
            raise DivergedError(step, f"{name} holds a NaN or an infinity")
