"""The losses that train the classification and the detection models (sections 3.1.2 and 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from asst.nn.sampler import encode_offsets

POSITIVE_IOU = 0.5


def classification_loss(logits: Tensor, clip_mask: Tensor, target: Tensor) -> Tensor:
    """Softmax loss over the clips of a video, mean over the batch.

    Of one score a clip, ``(batch, clips, 1)``, the clips that a video has, ``(batch, clips)``, and the index of the
    true one.
    """
    scores = logits.squeeze(2).float().masked_fill(~clip_mask, float("-inf"))
    return functional.cross_entropy(scores, target)


def span_iou(clips: Tensor, spans: Tensor) -> Tensor:
    """Temporal IoU of every clip ``(..., clips, 2)`` with every span ``(..., spans, 2)``: ``(..., clips, spans)``.

    The batched twin of :func:`asst.moments.iou`.
    """
    a, b = clips[..., :, None, :], spans[..., None, :, :]
    shared = (torch.minimum(a[..., 1], b[..., 1]) - torch.maximum(a[..., 0], b[..., 0])).clamp(min=0)
    union = (a[..., 1] - a[..., 0]) + (b[..., 1] - b[..., 0]) - shared
    return shared / union.clamp(min=torch.finfo(union.dtype).tiny)


@dataclass(frozen=True, slots=True)
class AnchorSample:
    """The anchors that one step of training looks at, each of shape ``(batch, clips)``.

    Those that hold a moment, the sampled others, the index of the moment that one overlaps most, and its IoU with that.
    """

    positive: Tensor
    negative: Tensor
    moment: Tensor
    overlap: Tensor

    @property
    def sampled(self) -> Tensor:
        """The anchors that count, shape ``(batch, clips)``."""
        return self.positive | self.negative

    def foreign(self, mask: Tensor) -> AnchorSample:
        """Where ``mask`` is true, shape ``(batch,)``, the sentence is another video's: the positives are negatives."""
        own = ~mask[:, None]
        negative = torch.where(own, self.negative, self.positive)
        return AnchorSample(self.positive & own, negative, self.moment, self.overlap * own)

    def alone(self, clips: Tensor) -> tuple[AnchorSample, Tensor]:
        """The sampled anchors without the others, and their clips, ``(batch, most, 2)``, of all ``(clips, 2)``.

        There are as many as a sample has at most; one with fewer is filled up by others that do not count.
        """
        most = int(self.sampled.sum(dim=1).amax().clamp(min=1))
        chosen = self.sampled.to(torch.uint8).topk(most, dim=1).indices
        each = (own.gather(1, chosen) for own in (self.positive, self.negative, self.moment, self.overlap))
        return AnchorSample(*each), clips[chosen]


def sample_anchors(
    clips: Tensor,
    clip_mask: Tensor,
    moments: Tensor,
    moment_mask: Tensor,
    ratio: int = 1,
    keys: Tensor | None = None,
    length_matched: float = 0.0,
) -> AnchorSample:
    """Choose the anchors to train on, for the whole batch at once.

    An anchor is positive where its IoU with a moment is at least 0.5; a moment that no anchor reaches so far takes the
    anchor it overlaps most, if it overlaps one. All positives are taken, and ``ratio`` negatives for each, drawn
    without replacement from the other valid anchors of the same sample, as far as there are any. A sample without a
    positive gives ``ratio`` negatives.

    Most anchors are short and most moments are not, so that the length alone tells most negatives from positives. A
    share of ``length_matched`` of the negatives is therefore drawn with the lengths of the sample's positives: as many
    of each length as there are positives, and where there are not so many others, of the nearest lengths.

    Args:
        clips: anchors in steps, shape ``(clips, 2)``.
        clip_mask: anchors to consider, shape ``(batch, clips)``.
        moments: true spans in steps, shape ``(batch, moments, 2)``.
        moment_mask: true for a real span, shape ``(batch, moments)``.
        ratio: negatives for each positive.
        keys: numbers in [0, 1) that decide the draw, those with the smallest are taken, shape ``(batch, clips)``;
            drawn here if None. Given from outside, a sample's draw does not depend on who shares its batch.
        length_matched: as above; zero is the paper's.
    """
    found = span_iou(clips, moments) * (clip_mask[:, :, None] & moment_mask[:, None, :])
    best, anchor = found.max(dim=1)
    stranded = (best > 0) & (best < POSITIVE_IOU)
    chosen = functional.one_hot(anchor, clips.shape[0]).mT.bool() & stranded[:, None, :]
    closest, moment = (found + chosen).max(dim=2)
    overlap = found.gather(2, moment[..., None]).squeeze(2)
    positive = closest >= POSITIVE_IOU

    if keys is None:
        keys = torch.rand(clip_mask.shape, device=clips.device)
    candidate = clip_mask & ~positive
    wanted = ratio * positive.sum(dim=1, keepdim=True).clamp(min=1)
    matched = (wanted * length_matched).ceil().long()
    negative = _first(candidate, _order_by_length(clips, positive, candidate, keys, ratio), matched)
    negative = negative | _first(candidate & ~negative, keys, wanted - matched)
    return AnchorSample(positive, negative, moment, overlap)


def _first(candidate: Tensor, keys: Tensor, wanted: Tensor) -> Tensor:
    """The candidates with the smallest keys, as many of each sample as wanted ``(batch, 1)``; ``(batch, clips)``."""
    order = keys.masked_fill(~candidate, float("inf")).argsort(dim=1)
    places = torch.arange(keys.shape[1], device=keys.device).expand_as(order)
    return candidate & (torch.empty_like(order).scatter_(1, order, places) < wanted)


def _order_by_length(clips: Tensor, positive: Tensor, candidate: Tensor, keys: Tensor, ratio: int) -> Tensor:
    """Keys by which negatives with the lengths of positives come first, then those of the nearest lengths."""
    lengths, level = torch.unique((clips[:, 1] - clips[:, 0]).round(decimals=3), return_inverse=True)
    levels = torch.arange(len(lengths), device=clips.device)
    held = [positive & (level == own) for own in levels]
    counts = torch.stack([own.sum(dim=1) for own in held], dim=1)
    fair = torch.zeros_like(positive)
    for own in levels:
        fair |= _first(candidate & (level == own), keys, ratio * counts[:, own, None])
    apart = (levels[:, None] - levels).abs() + len(levels) * (counts == 0)[:, None, :]
    return torch.where(fair, keys, 1 + keys + apart.amin(dim=2)[:, level])


@dataclass(frozen=True, slots=True)
class DetectionLoss:
    """The loss of one batch and its two parts, all scalars; ``total`` is their sum."""

    total: Tensor
    presence: Tensor
    offsets: Tensor


def detection_loss(
    logits: Tensor,
    offsets: Tensor,
    clips: Tensor,
    sample: AnchorSample,
    moments: Tensor,
    labels: Tensor | None = None,
    count: Tensor | None = None,
    scaled: bool = False,
) -> DetectionLoss:
    """Softmax loss of presence and smooth L1 of the offsets of equation 1, over the number of sampled anchors.

    Args:
        logits: shape ``(batch, clips, k)``; index 0 is absence or background.
        offsets: predicted ``d_c`` and ``d_l``, shape ``(batch, clips, 2)``.
        clips: anchors in steps, shape ``(clips, 2)``, or ``(batch, clips, 2)`` where each sample has its own.
        sample: from :func:`sample_anchors`; offsets count for its positives alone.
        moments: true spans in steps, shape ``(batch, moments, 2)``.
        labels: class of each moment, from 1, shape ``(batch, moments)``; None stands for presence, 1.
        count: what to divide by, where the batch is a part of a larger one; its own sampled anchors if None.
        scaled: whether an anchor is present by as much as its IoU with the moment, positive or not, in place of by one
            or zero, the paper's.

    Returns:
        Scalars of 32 bits; zero if no anchor is sampled.
    """
    sampled = sample.sampled
    if count is None:
        count = sampled.sum().clamp(min=1)
    label = torch.ones_like(sample.moment) if labels is None else labels.gather(1, sample.moment)
    present = (sample.overlap if scaled else sample.positive)[sampled].float()[:, None]
    named, absent = (
        functional.one_hot(own, logits.shape[2]) for own in (label[sampled], torch.zeros_like(label[sampled]))
    )
    target = present * named + (1 - present) * absent
    presence = functional.cross_entropy(logits[sampled].float(), target, reduction="sum") / count

    span = moments.gather(1, sample.moment[..., None].expand(-1, -1, 2))[sample.positive]
    anchor = clips.expand(*sample.positive.shape, 2)[sample.positive]
    wanted = encode_offsets(anchor, span)
    shift = functional.smooth_l1_loss(offsets[sample.positive].float(), wanted, reduction="sum") / count
    return DetectionLoss(presence + shift, presence, shift)
