"""A classifier of single steps and the grouping of its answers: what a detector of actions is measured against.

Each step is classified by itself. Runs of steps whose smoothed probability reaches a threshold, of several thresholds,
are the spans of a class; runs that are close are merged. A span is scored by its mean probability, half of it where the
window cuts the span off.
"""

from __future__ import annotations

from typing import Any, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.methods.base import Loss, Share
from asst.models.methods.detector import ActionMethod, Classes
from asst.settings import Fraction, Natural, Numbers, Positive


class FrameClassifierSettings(Classes):
    """Sizes and the grouping."""

    feature_channels: Positive
    """Width of the features."""
    steps: Positive = 128
    """Of the observed window."""
    hidden_channels: Positive = 256
    """Width of the one hidden layer."""
    smoothing: Positive = 5
    """Steps that a probability is averaged over, an odd number."""
    gap: Natural = 1
    """Runs no further apart than so many steps are merged."""
    thresholds: Numbers = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    """Probabilities that a run reaches, each giving spans of its own."""
    dropout: Fraction = 0.2
    """Share of the hidden layer dropped in training."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.smoothing % 2 == 0:
            raise ValueError(f"smoothing must be odd, so that a step stands in its middle, not {self.smoothing}")
        if not self.thresholds or not all(0 < threshold < 1 for threshold in self.thresholds):
            raise ValueError(f"thresholds lie between 0 and 1, not {list(self.thresholds)}")
        return self


class FrameClassifierMethod(ActionMethod):
    """The class of each step by a network that sees this step alone; spans by grouping."""

    averages = False
    _settings: FrameClassifierSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = FrameClassifierSettings.from_dict(settings, "frames")
        self.take_classes(self._settings)
        width = self._settings.hidden_channels
        self.classify = nn.Sequential(
            nn.Linear(self._settings.feature_channels, width),
            nn.ReLU(),
            nn.Dropout(self._settings.dropout),
            nn.Linear(width, len(self.labels) + 1),
        )

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Softmax loss of the steps that are action or background; raises as `step_labels`."""
        targets = step_labels(batch)
        counted = batch.feature_mask & (targets >= 0)
        count = share.mean_over_processes(counted.sum().float()).clamp(min=1)
        logits = self.classify(batch.features)[counted].float()
        return Loss(functional.cross_entropy(logits, targets[counted], reduction="sum") / count, {})

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """``values``: how much each class goes on at each step, shape ``(windows, classes, steps)``."""
        shares = self.classify(batch.features).float().softmax(dim=2)[..., 1:] @ self.inclusion
        shares = shares * batch.feature_mask[..., None]
        kernel = self._settings.smoothing
        return {
            "values": functional.avg_pool1d(shares.transpose(1, 2), kernel, 1, kernel // 2, count_include_pad=False)
        }


def step_labels(batch: Batch) -> Tensor:
    """The class of each step by the action around its middle, 0 for background, -1 for neither; ``(batch, steps)``.

    Where several actions go on the last one counts. Moments without classes are an `InputError`.
    """
    if batch.labels is None:
        raise InputError("a classifier of steps learns from labelled spans; these samples have none")
    middles = torch.arange(batch.features.shape[1], device=batch.features.device) + 0.5
    found = torch.zeros(batch.features.shape[:2], dtype=torch.long, device=batch.features.device)
    for place in range(batch.moments.shape[1]):
        span, label = batch.moments[:, place], batch.labels[:, place, None]
        inside = (middles >= span[:, :1]) & (middles < span[:, 1:]) & (label != 0)
        found = torch.where(inside, label, found)
    return found
