"""2D-TAN, the 2D Temporal Adjacent Network (Zhang et al. 2020): moments as a map of starts and ends, seen together.

The video is cut into ``clips`` equal stretches. Place ``(i, j)`` of the map stands for the moment from stretch ``i``
through stretch ``j``; short moments are all there, longer ones in coarser steps. Convolutions over the map let each
moment see those that begin or end near it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from asst.data.batch import Batch
from asst.models.methods.base import Loss, Share, Trainable, Widths
from asst.models.methods.clips import SentenceLSTM
from asst.nn.losses import span_iou
from asst.nn.sampler import clips_within
from asst.settings import Counts, Positive


class TAN2DSettings(Widths):
    """Sizes and choices; the defaults are the authors' on Charades-STA."""

    clips: Positive = 16
    """Stretches that the observed window is cut into; divides ``steps``."""
    scales: Annotated[Counts, Field(min_length=1)] = (16,)
    """Lengths of moments. The first number counts those of every length from one stretch on, at every start; each
    further one counts those of steps twice as coarse as the one before, at starts as coarse."""
    channels: Positive = 512
    """Width of the map."""
    lstm_channels: Positive = 512
    """Width of the sentence's state."""
    lstm_layers: Positive = 3
    """Depth of the sentence's LSTM."""
    layers: Positive = 8
    """Convolutions over the map."""
    kernel: Positive = 5
    """Their width, odd."""
    least_iou: float = 0.5
    """IoU with the moment up to which a place is wrong."""
    most_iou: float = 1.0
    """IoU from which on it is right; between the two it is so in proportion."""
    steps: Positive = 256
    """Of the observed window."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.steps % self.clips or self.kernel % 2 == 0:
            raise ValueError(
                f"steps must be a multiple of clips and kernel odd, not {self.steps}, {self.clips}, {self.kernel}"
            )
        if not 0 <= self.least_iou < self.most_iou <= 1:
            raise ValueError(f"IoUs must rise within 0 to 1, not {self.least_iou} to {self.most_iou}")
        return self


def scale_lengths(clips: int, scales: Sequence[int]) -> list[tuple[int, int]]:
    """The lengths of moments and the distance of their starts, in stretches, as far as they fit.

    >>> scale_lengths(8, (4, 2))
    [(1, 1), (2, 1), (3, 1), (4, 1), (6, 2), (8, 2)]
    """
    found, length, stride = [], 0, 1
    for count in scales:
        for _ in range(count):
            length += stride
            found.append((length, stride))
        stride *= 2
    return [(length, stride) for length, stride in found if length <= clips]


class TAN2DNetwork(nn.Module):
    """Features and a sentence to a score for each moment of the map."""

    place: Tensor
    spans: Tensor

    def __init__(self, settings: TAN2DSettings) -> None:
        super().__init__()
        width = settings.channels
        self._clips, self._pooled = settings.clips, settings.steps // settings.clips
        self._lengths = scale_lengths(settings.clips, settings.scales)
        spans = [(i, i + n) for n, stride in self._lengths for i in range(0, settings.clips - n + 1, stride)]
        # Where each place of the map takes its feature from; those that stand for no moment, from a last one of zeros.
        place = torch.full((settings.clips, settings.clips), len(spans))
        for index, (start, end) in enumerate(spans):
            place[start, end - 1] = index
        self.register_buffer("place", place.flatten(), persistent=False)
        self.register_buffer("spans", torch.tensor(spans, dtype=torch.float32), persistent=False)
        self.clip = nn.Conv1d(settings.feature_channels, width, 1)
        self.lstm = SentenceLSTM(settings.word_channels, settings.lstm_channels, settings.lstm_layers)
        self.sentence = nn.Linear(settings.lstm_channels, width)
        self.moment = nn.Conv2d(width, width, 1)
        self.neighbours = nn.ModuleList(
            nn.Conv2d(width, width, settings.kernel, padding=settings.kernel // 2) for _ in range(settings.layers)
        )
        self.score = nn.Conv2d(width, 1, 1)

    def forward(self, features: Tensor, words: Tensor, word_mask: Tensor) -> Tensor:
        """The logit of each moment of ``spans``, shape ``(batch, moments)``."""
        clips = functional.avg_pool1d(self.clip(features.transpose(1, 2)).relu(), self._pooled)
        moments = self._longest(clips)
        nothing = torch.zeros_like(moments[..., :1])
        seen = torch.cat([moments, nothing], dim=2)[..., self.place]
        seen = seen.view(*seen.shape[:2], self._clips, self._clips)
        there = (self.place < len(self.spans)).view(self._clips, self._clips).to(seen.dtype)
        said = self.sentence(self.lstm(words, word_mask))[..., None, None]
        x = functional.normalize(self.moment(seen) * said, dim=1) * there
        for layer in self.neighbours:
            x = layer(x).relu() * there
        scores: Tensor = self.score(x).flatten(1)
        start, end = self.spans.long().unbind(1)
        return scores[:, start * self._clips + end - 1]

    def _longest(self, clips: Tensor) -> Tensor:
        """The greatest value inside each moment, one length after the other, shape ``(batch, channels, moments)``."""
        own, parts, before = clips, [], 1
        for length, stride in self._lengths:
            if stride != before:
                # Of three neighbours, every second: one stretch of the new length longer.
                own = functional.max_pool1d(own, 3, 2)
            elif length > 1:
                own = functional.max_pool1d(own, 2, 1)
            before = stride
            parts.append(own)
        return torch.cat(parts, dim=2)


class TAN2DMethod(Trainable):
    """Scores every moment of the map by how well it overlaps what is meant."""

    clips: Tensor
    together = "the loss is a mean over the moments of their windows"
    _settings: TAN2DSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = TAN2DSettings.from_dict(settings, "2d-tan")
        self.network = TAN2DNetwork(self._settings)
        self._stretch = self._settings.steps // self._settings.clips
        self.register_buffer("clips", self.network.spans * self._stretch, persistent=False)

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Cross-entropy of each moment's score with its scaled IoU, the mean over all that the windows hold."""
        own = self._settings
        kept = self._kept(batch)
        logits = self.network(batch.features, batch.words, batch.word_mask).float()
        overlap = span_iou(self.clips, batch.moments).masked_fill(~batch.moment_mask[:, None], 0).amax(dim=2)
        wanted = ((overlap - own.least_iou) / (own.most_iou - own.least_iou)).clamp(0, 1)
        each = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        count = share.mean_over_processes(kept.sum().float()).clamp(min=1)
        return Loss((each * kept).sum() / count, {})

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every moment of the map with its score in [0, 1]."""
        scores = self.network(batch.features, batch.words, batch.word_mask).float().sigmoid()
        kept = self._kept(batch)
        return {"spans": self.clips.expand(*kept.shape, 2), "scores": scores, "kept": kept}

    def _kept(self, batch: Batch) -> Tensor:
        """The moments that the windows hold; a last stretch counts that holds one step."""
        return clips_within(self.clips, batch.feature_mask, self._stretch - 1)
