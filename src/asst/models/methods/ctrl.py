"""CTRL, the Cross-modal Temporal Regression Localizer (Gao et al. 2017): sliding windows, scored and moved."""

from __future__ import annotations

from typing import Any, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional

from asst.data.batch import Batch
from asst.models.methods.base import Loss, Share, Trainable, Widths
from asst.models.methods.clips import SentenceLSTM, check_windows, clips_or_first, mean_pooled, sliding_clips
from asst.nn.losses import POSITIVE_IOU, span_iou
from asst.settings import Numbers, Positive, Rate, Weight

MOST_OUTSIDE = 0.15
"""Share of an aligned clip's length that may lie outside its moment."""


class CTRLSettings(Widths):
    """Sizes and choices; the defaults are those of the authors' code, with lengths in steps of 0.25 s."""

    lengths: Numbers = (21.333, 42.667)
    """Of the sliding windows, in steps; the default is 128 and 256 frames at 24 a second."""
    answer_lengths: Numbers = ()
    """Of those that answer, where the others are there to learn from alone; none stands for all."""
    overlap: float = 0.8
    """Share of its length that a window has in common with the next."""
    context: Rate = 21.333
    """Length of the stretch before and of the one after a clip that are seen with it, in steps."""
    unit: Rate = 2.667
    """Steps that an offset of one moves a boundary by; the default is 16 frames."""
    channels: Positive = 1024
    """Width of the joint space."""
    lstm_channels: Positive = 1024
    """Width of the sentence's state."""
    hidden_channels: Positive = 1000
    """Width between fusion and prediction."""
    align_weight: Weight = 1.0
    """``alpha_c``, of true pairs of clip and sentence."""
    mismatch_weight: Weight = 0.0
    """``alpha_w``, of each false pair; zero stands for one over the batch."""
    offset_weight: Weight = 0.01
    """``lambda_r``, of the location regression."""
    objective: Literal["code", "paper"] = "code"
    """``code`` is the published one: alignment is a mean over all pairs of clip and sentence, where a true pair weighs
    ``alpha_c + alpha_w``, and regression the mean distance. ``paper`` is the printed one: alignment is summed over the
    sentences of a clip, and regression a smooth L1. By ``code``, with 56 samples, regression counts 56 times as much
    beside alignment."""
    steps: Positive = 128
    """Of the observed window."""

    @model_validator(mode="after")
    def _slides(self) -> Self:
        check_windows(self.lengths, self.overlap)
        check_windows(self.answer_lengths or self.lengths, self.overlap)
        return self


class CTRLNetwork(nn.Module):
    """A clip in its context and a sentence to an alignment score and two boundary offsets."""

    def __init__(self, settings: CTRLSettings) -> None:
        super().__init__()
        width = settings.channels
        self.visual = nn.Linear(3 * settings.feature_channels, width)
        self.lstm = SentenceLSTM(settings.word_channels, settings.lstm_channels)
        self.language = nn.Linear(settings.lstm_channels, width)
        self.together = nn.Linear(2 * width, width)
        self.predict = nn.Sequential(
            nn.Linear(3 * width, settings.hidden_channels), nn.ReLU(), nn.Linear(settings.hidden_channels, 3)
        )

    def forward(self, clips: Tensor, words: Tensor, word_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Both sides in the joint space, at unit length, ``(..., channels)`` and ``(batch, channels)``.

        ``clips`` are means of the stretch before, the clip and the stretch after, ``(..., 3 * feature_channels)``.
        """
        seen = functional.normalize(self.visual(clips), dim=-1)
        said = functional.normalize(self.language(self.lstm(words, word_mask)), dim=-1)
        return seen, said

    def fuse(self, seen: Tensor, said: Tensor) -> Tensor:
        """The multi-modal processing unit, ``(v * s) || (v + s) || FC(v || s)``, and the prediction from it.

        Alignment score, offset of the start and offset of the end in units, shape ``(..., 3)``; the two sides
        broadcast.
        """
        product = seen * said
        both = torch.cat([seen.expand_as(product), said.expand_as(product)], dim=-1)
        predicted: Tensor = self.predict(torch.cat([product, seen + said, self.together(both)], dim=-1))
        return predicted


def alignment_loss(scores: Tensor, align_weight: float, mismatch_weight: float, first: int = 0) -> Tensor:
    """The loss of all pairs of some clips and all sentences of a batch, from scores ``(clips, batch)``.

    ``1/N sum_i (alpha_c log(1 + exp(-s_ii)) + sum_{j != i} alpha_w log(1 + exp(s_ij)))``, where the first clip belongs
    to the sentence of number ``first`` and the next clips to the sentences that follow.
    """
    true = torch.zeros_like(scores, dtype=torch.bool)
    true.diagonal(first).fill_(True)
    signed = torch.where(true, -scores, scores)
    weights = torch.where(true, align_weight, mismatch_weight)
    return (weights * functional.softplus(signed)).sum() / len(scores)


class CTRLMethod(Trainable):
    """Scores every sliding window and moves its ends.

    A training step takes one aligned window of each sample: one with an IoU of at least 0.5 with the first moment, of
    which at most 0.15 lies outside it, drawn among several; where there is none, the one that overlaps most. It is told
    from the sentences of all samples, whichever process has them.
    """

    together = "each clip is told from the other sentences"
    clips: Tensor
    answering: Tensor
    _settings: CTRLSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = own = CTRLSettings.from_dict(settings, "ctrl")
        self.network = CTRLNetwork(own)
        for name, lengths in (("clips", own.lengths), ("answering", own.answer_lengths or own.lengths)):
            self.register_buffer(name, sliding_clips(own.steps, lengths, own.overlap), persistent=False)

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Alignment of this process's clips with all sentences, and the offsets of the true pairs."""
        own = self._settings
        kept = clips_or_first(self.clips, batch.feature_mask)
        chosen = aligned_clips(self.clips, kept, batch.moments[:, 0], share.uniform(len(self.clips)))
        spans = self.clips[chosen]
        seen, said = self.network(self._seen(batch, spans[:, None]).squeeze(1), batch.words, batch.word_mask)
        predicted = self.network.fuse(seen[:, None], share.gathered(said)[None]).float()
        sentences = predicted.shape[1]
        mismatch = own.mismatch_weight or 1 / sentences
        wanted = (batch.moments[:, 0] - spans) / own.unit
        offsets = predicted.diagonal(share.first).mT[:, 1:]
        if own.objective == "code":
            align = alignment_loss(predicted[..., 0], own.align_weight + mismatch, mismatch, share.first) / sentences
            shift = functional.l1_loss(offsets, wanted)
        else:
            align = alignment_loss(predicted[..., 0], own.align_weight, mismatch, share.first)
            shift = functional.smooth_l1_loss(offsets, wanted, reduction="none").sum(dim=1).mean()
        return Loss(align + own.offset_weight * shift, {"alignment": align, "offsets": shift})

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every window, moved, with the probability that it belongs to the sentence."""
        kept = clips_or_first(self.answering, batch.feature_mask)
        seen, said = self.network(self._seen(batch, self.answering), batch.words, batch.word_mask)
        predicted = self.network.fuse(seen, said[:, None]).float()
        spans = self.answering + predicted[..., 1:] * self._settings.unit
        # Boundaries are moved apart from each other and may change places.
        spans = spans.sort(dim=2).values
        return {"spans": spans, "scores": predicted[..., 0].sigmoid(), "kept": kept}

    def _seen(self, batch: Batch, spans: Tensor) -> Tensor:
        """The stretch before, the clip and the stretch after, shape ``(batch, clips, 3 * feature_channels)``."""
        start, end = spans[..., :1], spans[..., 1:]
        context = self._settings.context
        stretches = (torch.cat([start - context, start], -1), spans, torch.cat([end, end + context], -1))
        return torch.cat([mean_pooled(batch.features, batch.feature_mask, own) for own in stretches], dim=2)


def aligned_clips(clips: Tensor, kept: Tensor, moments: Tensor, keys: Tensor) -> Tensor:
    """The index of one clip, of those ``kept``, to align with each moment, ``(batch, 2)`` in steps; ``(batch,)``.

    ``keys``, numbers in [0, 1) of shape ``(batch, clips)``, decide among several.
    """
    overlap = span_iou(clips, moments[:, None]).squeeze(2).masked_fill(~kept, -1)
    shared = torch.minimum(clips[:, 1], moments[:, 1:]) - torch.maximum(clips[:, 0], moments[:, :1])
    outside = 1 - shared.clamp(min=0) / (clips[:, 1] - clips[:, 0])
    fit = (overlap >= POSITIVE_IOU) & (outside <= MOST_OUTSIDE)
    return torch.where(fit.any(dim=1), keys.masked_fill(~fit, -1).argmax(dim=1), overlap.argmax(dim=1))
