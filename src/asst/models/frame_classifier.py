"""A classifier of single steps and the grouping of its answers: what a detector of actions is measured against.

Each step is classified by itself. Runs of steps whose smoothed probability reaches a threshold, of several thresholds,
are the spans of a class; runs that are close are merged. A span is scored by its mean probability, half of it where the
window cuts the span off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.classes import inclusion, taken_classes
from asst.models.method import Answers, Loss, Share, Trainable
from asst.moments import FloatArray
from asst.settings import Settings

IntArray = npt.NDArray[np.int64]


CUT_OFF = 0.5
"""Factor of the score of a run that touches an edge of its window: the window beside it sees more of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameClassifierSettings(Settings):
    """Sizes and the grouping.

    Attributes:
        feature_channels: width of the features.
        steps: of the observed window.
        hidden_channels: width of the one hidden layer.
        smoothing: steps that a probability is averaged over, an odd number.
        gap: runs no further apart than so many steps are merged.
        thresholds: probabilities that a run reaches, each giving spans of its own.
        dropout: share of the hidden layer dropped in training.
    """

    feature_channels: int
    steps: int = 128
    hidden_channels: int = 256
    smoothing: int = 5
    gap: int = field(default=1, metadata={"least": 0})
    thresholds: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if self.smoothing % 2 == 0:
            raise InputError(f"smoothing must be odd, so that a step stands in its middle, not {self.smoothing}")
        if not self.thresholds or not all(0 < threshold < 1 for threshold in self.thresholds):
            raise InputError(f"thresholds lie between 0 and 1, not {list(self.thresholds)}")


class FrameClassifierMethod(Trainable):
    """The class of each step by a network that sees this step alone; spans by grouping.

    Args:
        settings: those of `FrameClassifierSettings` and of `asst.models.classes`.

    Raises:
        InputError: for settings it cannot have.
    """

    averages = False
    finds_actions = True
    inclusion: Tensor

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self.labels, self._includes, values = taken_classes(settings)
        self._settings = FrameClassifierSettings.from_dict(values, "frames")
        width = self._settings.hidden_channels
        self.classify = nn.Sequential(
            nn.Linear(self._settings.feature_channels, width),
            nn.ReLU(),
            nn.Dropout(self._settings.dropout),
            nn.Linear(width, len(self.labels) + 1),
        )
        self.register_buffer("inclusion", inclusion(self.labels, self._includes), persistent=False)

    @property
    def settings(self) -> dict[str, Any]:
        """What the method is built from."""
        return {**self._settings.to_dict(), "labels": list(self.labels), "includes": self._includes}

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Softmax loss of the steps that are action or background.

        Raises:
            InputError: if the batch's moments have no classes.
        """
        targets = step_labels(batch)
        counted = batch.feature_mask & (targets >= 0)
        count = share.mean_over_processes(counted.sum().float()).clamp(min=1)
        logits = self.classify(batch.features)[counted].float()
        return Loss(functional.cross_entropy(logits, targets[counted], reduction="sum") / count, {})

    @torch.no_grad()
    def answers(self, batch: Batch) -> Answers:
        """The runs of each window; windows with fewer than the most are filled up with clips that are not kept."""
        shares = self.classify(batch.features).float().softmax(dim=2)[..., 1:] @ self.inclusion
        shares = shares * batch.feature_mask[..., None]
        kernel = self._settings.smoothing
        smooth = functional.avg_pool1d(shares.mT, kernel, 1, kernel // 2, count_include_pad=False)
        values = smooth.double().cpu().numpy()
        return padded_runs(
            values, [runs(values, threshold, self._settings.gap) for threshold in self._settings.thresholds]
        )


def step_labels(batch: Batch) -> Tensor:
    """The class of each step by the action around its middle, 0 for background, -1 for neither.

    Where several actions go on the last one counts.

    Returns:
        Shape ``(batch, steps)``.

    Raises:
        InputError: if the batch's moments have no classes.
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


def runs(values: FloatArray, threshold: float, gap: int) -> IntArray:
    """Where values reach a threshold.

    Args:
        values: shape ``(windows, classes, steps)``.
        threshold: to be reached.
        gap: runs no further apart than so many steps are one.

    Returns:
        Window, class, first step and the step after the last of each run, shape ``(runs, 4)``.

    >>> runs(np.array([[[0.9, 0.1, 0.9, 0.1, 0.1, 0.9]]]), 0.5, 1).tolist()
    [[0, 0, 0, 3], [0, 0, 5, 6]]
    """
    reached = np.pad((values >= threshold).astype(np.int8), ((0, 0), (0, 0), (1, 1)))
    changes = np.diff(reached, axis=2)
    starts, ends = np.argwhere(changes == 1), np.argwhere(changes == -1)
    found = np.concatenate([starts, ends[:, 2:]], axis=1)
    if len(found) < 2:
        return found
    near = (found[1:, :2] == found[:-1, :2]).all(axis=1) & (found[1:, 2] - found[:-1, 3] <= gap)
    merged: IntArray = found[np.concatenate([[True], ~near])]
    merged[:, 3] = found[np.concatenate([~near, [True]]), 3]
    return merged


def padded_runs(values: FloatArray, found: list[IntArray]) -> Answers:
    """Runs as the answers of windows, scored by their mean values.

    Args:
        values: shape ``(windows, classes, steps)``.
        found: of `runs`, one a threshold.
    """
    together = np.unique(np.concatenate(found), axis=0)
    window, label, start, end = together.T
    sums = np.pad(np.cumsum(values, axis=2), ((0, 0), (0, 0), (1, 0)))
    means = (sums[window, label, end] - sums[window, label, start]) / np.maximum(end - start, 1)
    means = np.where((start == 0) | (end == values.shape[2]), CUT_OFF * means, means)
    counts = np.bincount(window, minlength=len(values))
    column = np.arange(len(together)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = len(values), int(counts.max(initial=0))
    spans, scores = np.zeros((*shape, 2)), np.zeros(shape)
    labels, kept = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    spans[window, column] = together[:, 2:]
    scores[window, column], labels[window, column], kept[window, column] = means, label, True
    return Answers(spans, scores, kept, labels)
