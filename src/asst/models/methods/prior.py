"""The moment frequency prior (Hendricks et al. 2017): where moments lie in general, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from asst.data.batch import Batch
from asst.data.record import Record
from asst.models.frequency import clip_frequency, grid_spans, hit_share, span_density
from asst.models.methods.base import Fitted
from asst.models.methods.clips import clip_grid, clip_slack
from asst.nn.sampler import clips_within
from asst.settings import Positive, Rate, Settings


class PriorSettings(Settings):
    """What is counted."""

    clips: Literal["pieces", "density"] = "density"
    """``pieces`` counts how often each of DiDeMo's clips was annotated; ``density`` is for data without fixed clips: a
    kernel density over start and end as shares of the video."""
    kernel: Literal["hits", "gaussian"] = "hits"
    """Of a density. ``hits`` is the metric's own: a span counts the moments that it overlaps by an IoU of 0.5 or more,
    so that its score is the share of moments that it hits. ``gaussian`` is smooth in start and end."""
    grid: Positive = 32
    """The spans of a density start and end at the multiples of ``1 / grid``."""
    bandwidth: Rate = 0.05
    """Standard deviation of the Gaussian kernel, in shares of the video."""
    steps: Positive = 128
    """Of the observed window."""
    feature_channels: Positive = 1
    """Width of the features, which are not looked at."""
    word_channels: Positive = 50
    """Width of the word vectors, which are not looked at."""


class PriorMethod(Fitted):
    """Gives every sentence the same ranking: the most frequent places of moments first."""

    looks = False
    clips: Tensor
    frequency: Tensor
    _settings: PriorSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = PriorSettings.from_dict(settings, "prior")
        steps = self._settings.steps
        if self._settings.clips == "pieces":
            clips, self._slack = clip_grid("pieces", steps), clip_slack("pieces", steps)
        else:
            clips = torch.tensor(grid_spans(self._settings.grid), dtype=torch.float32) * steps
            self._slack = 0.0
        self.register_buffer("clips", clips, persistent=False)
        self.register_buffer("frequency", torch.zeros(len(clips), dtype=torch.float64))

    def fit(self, records: Sequence[Record], batches: Iterable[Batch]) -> None:
        """Count; an `InputError` if ``pieces`` are asked of records that are not annotated in DiDeMo's."""
        if self._settings.clips == "pieces":
            found = clip_frequency(records)
        else:
            shares = np.concatenate([np.array(record.moments) / record.duration_s for record in records])
            at = grid_spans(self._settings.grid)
            hits = self._settings.kernel == "hits"
            found = hit_share(shares, at) if hits else span_density(shares, at, self._settings.bandwidth)
        self.frequency.copy_(torch.from_numpy(found))

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every clip with its frequency."""
        kept = clips_within(self.clips, batch.feature_mask, self._slack)
        spans = self.clips.expand(*kept.shape, 2)
        return {"spans": spans, "scores": self.frequency.expand(kept.shape), "kept": kept}
