"""MCN, the Moment Context Network (Hendricks et al. 2017): clips and sentences in one space, near if they belong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.methods.base import Loss, Share, Trainable, Widths
from asst.models.methods.clips import ClipKind, SentenceLSTM, clip_grid, clip_slack, clips_or_first, in_context
from asst.nn.losses import POSITIVE_IOU, span_iou
from asst.settings import Counts, Fraction, Numbers, Positive, Weight


class MCNSettings(Widths):
    """Sizes and choices; the defaults are the authors'."""

    clips: ClipKind = "anchors"
    """The candidates, ``pieces`` (DiDeMo) or ``anchors``."""
    streams: Counts = ()
    """Widths of the features that are joined, each of which has a network of its own (late fusion of rgb and flow);
    none stands for a single stream."""
    stream_weights: Numbers = ()
    """What each stream's distance counts by in the answer; none weighs them alike."""
    hidden_channels: Positive = 500
    """Width inside the visual network."""
    channels: Positive = 100
    """Width of the joint space."""
    lstm_channels: Positive = 1000
    """Width of the sentence's state."""
    dropout: Fraction = 0.3
    """Share of the clip's embedding dropped in training; nothing of the sentence's is."""
    margin: Weight = 0.1
    """By which a true pair must be nearer than a false one."""
    intra_weight: Weight = 0.5
    """Of the loss with other clips of the same video."""
    inter_weight: Weight = 0.2
    """Of the loss with the same clip of another video."""
    steps: Positive = 128
    """Of the observed window."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        own = self.stream_weights
        if own and (len(own) != len(self.streams) or min(own) < 0 or not any(own)):
            raise ValueError(f"stream_weights must be {len(self.streams)} numbers, none below 0, not {list(own)}")
        return self


class Tower(nn.Module):
    """The network of one stream: a clip and a sentence to their squared distance in the joint space."""

    def __init__(self, settings: MCNSettings, feature_channels: int) -> None:
        super().__init__()
        self.visual = nn.Sequential(
            nn.Linear(2 * feature_channels + 2, settings.hidden_channels),
            nn.ReLU(),
            nn.Linear(settings.hidden_channels, settings.channels),
            nn.Dropout(settings.dropout),
        )
        self.lstm = SentenceLSTM(settings.word_channels, settings.lstm_channels)
        self.language = nn.Linear(settings.lstm_channels, settings.channels)

    def forward(self, clips: Tensor, words: Tensor, word_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Both sides in the joint space, ``(batch, clips, channels)`` and ``(batch, channels)``."""
        return self.visual(clips), self.language(self.lstm(words, word_mask))


def distance(clips: Tensor, sentence: Tensor) -> Tensor:
    """Squared Euclidean distance of every clip from its sentence, shape ``(batch, clips)``."""
    return (clips - sentence[:, None]).square().sum(dim=2)


def ranking_loss(distances: Tensor, others: Tensor, true: Tensor, held: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """The two ranking losses of each video, intra and inter video, each of ``max(0, D - D' + margin)``.

    ``distances`` are of every clip from the video's own sentence, ``(batch, clips)``; ``others`` of another video's
    clip, at the place of the true one. ``held`` has the clips to tell the true one from, for the first loss, and in the
    last column whether the other video has the clip. Gives the mean over a video's clips, and the loss with the other
    video, zero where there is none; ``(batch,)`` each.
    """
    near = distances.gather(1, true[:, None])
    hinge = functional.relu(near - distances + margin) * held[:, :-1]
    intra = hinge.sum(dim=1) / held[:, :-1].sum(dim=1).clamp(min=1)
    return intra, functional.relu(near.squeeze(1) - others + margin) * held[:, -1]


class MCNMethod(Trainable):
    """Ranks clips by their distance from the sentence, nearest first.

    Of each sample the true clip is the candidate that overlaps its first moment most. It is told from all other clips
    of its video (from those below an IoU of 0.5 where candidates are dense), and from the clip at the same place of the
    next video in the batch, whichever process has it. The authors draw one such clip a step; the mean over all is what
    that comes to. The networks of several streams are trained side by side, each by losses of its own.
    """

    relative = True
    together = "each clip is told from that of the next video"
    clips: Tensor
    _settings: MCNSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = own = MCNSettings.from_dict(settings, "mcn")
        widths = own.streams or (own.feature_channels,)
        if sum(widths) != own.feature_channels:
            raise InputError(f"mcn: streams {list(widths)} must add up to the features' {own.feature_channels}")
        self.towers = nn.ModuleList(Tower(own, width) for width in widths)
        self.register_buffer("clips", clip_grid(own.clips, own.steps), persistent=False)

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Both ranking losses, weighted, each a mean over the videos of all processes that have something to rank."""
        own = self._settings
        kept = self._kept(batch)
        overlap = span_iou(self.clips, batch.moments[:, :1]).squeeze(2).masked_fill(~kept, -1)
        true = overlap.argmax(dim=1)
        threshold = POSITIVE_IOU if own.clips == "anchors" else 1 - 1e-4
        negative = kept & (overlap < threshold)
        negative.scatter_(1, true[:, None], False)
        every = share.gathered(kept.float()) > 0
        following = (share.first + 1 + torch.arange(len(batch), device=kept.device)) % len(every)
        there = every[following].gather(1, true[:, None])
        held = torch.cat([negative, there & (len(every) > 1)], dim=1)
        ranked = torch.stack([negative.any(dim=1).sum(), held[:, -1].sum()]).float()
        counts = share.mean_over_processes(ranked).clamp(min=1)
        intra = batch.features.new_zeros(())
        inter = batch.features.new_zeros(())
        for clips, sentence in self._embedded(batch):
            place = true[:, None, None].expand(-1, 1, clips.shape[2])
            others = distance(share.gathered(clips)[following].gather(1, place), sentence).squeeze(1)
            losses = ranking_loss(distance(clips, sentence), others, true, held, own.margin)
            intra, inter = intra + losses[0].sum() / counts[0], inter + losses[1].sum() / counts[1]
        return Loss(own.intra_weight * intra + own.inter_weight * inter, {"intra": intra, "inter": inter})

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every clip with its negative distance, the weighted mean over streams."""
        kept = self._kept(batch)
        weights = torch.tensor(self._settings.stream_weights or (1.0,) * len(self.towers), device=self.clips.device)
        weights = weights / weights.sum()
        distances = torch.stack([distance(clips, sentence) for clips, sentence in self._embedded(batch)])
        scores = -(distances * weights[:, None, None]).sum(dim=0)
        spans = self.clips.expand(*kept.shape, 2)
        return {"spans": spans, "scores": scores, "kept": kept}

    def _embedded(self, batch: Batch) -> Sequence[tuple[Tensor, Tensor]]:
        widths = self._settings.streams or (self._settings.feature_channels,)
        found = []
        for tower, features in zip(self.towers, torch.split(batch.features, list(widths), dim=2), strict=True):
            seen = in_context(features, batch.feature_mask, self.clips)
            clips, sentence = tower(seen, batch.words, batch.word_mask)
            found.append((clips.float(), sentence.float()))
        return found

    def _kept(self, batch: Batch) -> Tensor:
        return clips_or_first(self.clips, batch.feature_mask, clip_slack(self._settings.clips, self._settings.steps))
