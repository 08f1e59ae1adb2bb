"""Moment-DETR (Lei et al. 2021): a transformer over steps and words that a few learnt queries ask for moments.

In training each true moment is given to the query that suits it best, and the others are to say that there is none. The
saliency loss ranks steps inside moments over those outside; its other half needs scores of clips, which batches lack.
"""

from __future__ import annotations

import math
from typing import Any, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional

from asst.data.batch import Batch
from asst.models.methods.base import Loss, Share, Trainable, Widths
from asst.settings import Fraction, Positive, Weight

MOST_MOMENTS = 5
"""True moments of a sample that are learnt from, the first ones."""


class MomentDETRSettings(Widths):
    """Sizes and weights; the defaults are the authors'."""

    queries: Positive = 10
    """Learnt slots, each of which answers with one span."""
    channels: Positive = 256
    """Width of the transformer, which has so many ``heads`` of attention and so many ``layers`` in encoder and decoder;
    ``hidden_channels`` is the width between the two maps of a layer."""
    heads: Positive = 8
    layers: Positive = 2
    hidden_channels: Positive = 1024
    input_dropout: Fraction = 0.5
    """Of features and words; ``dropout`` that inside the transformer."""
    dropout: Fraction = 0.1
    span_weight: Weight = 10.0
    """Of centre and width, in the loss and in the matching, as ``overlap_weight`` is that of the generalised IoU and
    ``label_weight`` that of having a moment; queries with none count ``none_weight`` there."""
    overlap_weight: Weight = 1.0
    label_weight: Weight = 4.0
    none_weight: Weight = 0.1
    saliency_weight: Weight = 1.0
    """Of the saliency loss, whose ``margin`` a step inside a moment is to be ahead by."""
    margin: Weight = 0.2
    steps: Positive = 75
    """Of the observed window."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.channels % (2 * self.heads) or self.queries < MOST_MOMENTS:
            raise ValueError(f"channels must be a multiple of twice the heads, and queries at least {MOST_MOMENTS}")
        return self


class Attention(nn.Module):
    """Attention by several heads; places are added to what asks and to what is asked, not to what is told."""

    def __init__(self, settings: MomentDETRSettings) -> None:
        super().__init__()
        width, self._heads, self._rate = settings.channels, settings.heads, settings.dropout
        self.asks, self.keys, self.values, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor, place: Tensor, seen: Tensor, where: Tensor, padding: Tensor | None) -> Tensor:
        """What each of ``x`` is told by ``seen``, but for its ``padding``; all ``(batch, length, channels)``."""
        parts = self.asks(x + place), self.keys(seen + where), self.values(seen)
        q, k, v = (own.view(*own.shape[:2], self._heads, -1).transpose(1, 2) for own in parts)
        mask = None if padding is None else ~padding[:, None, None]
        told = functional.scaled_dot_product_attention(q, k, v, mask, self._rate if self.training else 0.0)
        out: Tensor = self.out(told.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """A layer of the transformer: one attention, or two in a decoder, whose second asks its memory; and two maps."""

    def __init__(self, settings: MomentDETRSettings, attentions: int) -> None:
        super().__init__()
        width, hidden, drop = settings.channels, settings.hidden_channels, settings.dropout
        self.attentions = nn.ModuleList(Attention(settings) for _ in range(attentions))
        self.maps = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(drop), nn.Linear(hidden, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(attentions + 1))
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor, place: Tensor, *asked: tuple[Tensor, Tensor, Tensor | None]) -> Tensor:
        """``asked`` is for each attention what it asks, with its places and where it is padding."""
        for attention, norm, seen in zip(self.attentions, self.norms, asked, strict=False):
            x = norm(x + self.drop(attention(x, place, *seen)))
        out: Tensor = self.norms[-1](x + self.drop(self.maps(x)))
        return out


class MomentDETRNetwork(nn.Module):
    """Features and words to a span and two logits for each query, and the saliency of each step."""

    def __init__(self, settings: MomentDETRSettings) -> None:
        super().__init__()
        width = settings.channels
        # Features come with where they begin and end, as shares of the window.
        self.video = _projection(settings.feature_channels + 2, width, settings.input_dropout)
        self.words = _projection(settings.word_channels, width, settings.input_dropout)
        self.encoder = nn.ModuleList(Block(settings, attentions=1) for _ in range(settings.layers))
        self.decoder = nn.ModuleList(Block(settings, attentions=2) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.randn(settings.queries, width))
        self.span = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2)
        )
        self.label = nn.Linear(width, 2)
        self.saliency = nn.Linear(width, 1)
        for weight in (*self.encoder.parameters(), *self.decoder.parameters()):
            if weight.ndim > 1:
                nn.init.xavier_uniform_(weight)

    def forward(self, batch: Batch) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Centres and widths of each layer as shares, logits, ``(batch, queries, 2)``, saliency ``(batch, steps)``."""
        mask = batch.feature_mask
        share = mask / mask.sum(dim=1, keepdim=True).to(batch.features.dtype)
        end = share.cumsum(dim=1)
        places = torch.stack([end - share, end], dim=2) * mask[..., None]
        video, words = self.video(torch.cat([batch.features, places], dim=2)), self.words(batch.words)
        x = torch.cat([video, words], dim=1)
        # Sines and cosines in turn, in wavelengths from one window to ten thousand.
        rates = 10000 ** (-torch.arange(0, x.shape[2], 2, device=x.device) / x.shape[2])
        angles = 2 * math.pi * end[..., None] * rates
        sines = torch.stack([angles.sin(), angles.cos()], dim=3).flatten(2)
        where = torch.cat([sines, torch.zeros_like(words)], dim=1)
        padding = ~torch.cat([mask, batch.word_mask], dim=1)
        for layer in self.encoder:
            x = layer(x, where, (x, where, padding))
        asked = self.queries.expand(x.shape[0], -1, -1)
        told, spans, labels = torch.zeros_like(asked), [], []
        for layer in self.decoder:
            told = layer(told, asked, (told, asked, None), (x, where, padding))
            normed = self.norm(told)
            spans.append(self.span(normed).float().sigmoid())
            labels.append(self.label(normed).float())
        return spans, labels, self.saliency(x[:, : mask.shape[1]]).squeeze(2).float()


def _projection(inputs: int, width: int, dropout: float) -> nn.Sequential:
    first = [nn.LayerNorm(inputs), nn.Dropout(dropout), nn.Linear(inputs, width), nn.ReLU()]
    return nn.Sequential(*first, nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, width))


@torch.no_grad()
def best_matching(cost: Tensor) -> Tensor:
    """Gives every moment a query of its own so that the costs ``(batch, queries, moments)`` sum to the least.

    All sets of moments are tried, query after query, so these must be few. Gives the index of each query's moment, -1
    for none, ``(batch, queries)``.
    """
    samples, queries, moments = cost.shape
    sets = torch.arange(2**moments, device=cost.device)
    least = torch.full((samples, len(sets)), torch.inf, device=cost.device)
    least[:, 0] = 0
    choices = []
    for query in range(queries):
        ways = [least]
        for moment in range(moments):
            taken = least[:, sets ^ (1 << moment)] + cost[:, query, moment, None]
            ways.append(taken.masked_fill((sets >> moment) % 2 == 0, torch.inf))
        least, choice = torch.stack(ways).min(dim=0)
        choices.append(choice)
    state = torch.full((samples, 1), len(sets) - 1, device=cost.device)
    found: list[Tensor] = []
    for choice in reversed(choices):
        own = choice.gather(1, state) - 1
        found.insert(0, own)
        state = torch.where(own >= 0, state ^ (1 << own.clamp(min=0)), state)
    return torch.cat(found, dim=1)


class MomentDETRMethod(Trainable):
    """Answers with the span of each query, scored by how sure it is of having one; takes `MomentDETRSettings`."""

    averages = False
    together = "losses of spans are means over their moments"
    _settings: MomentDETRSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = MomentDETRSettings.from_dict(settings, "moment-detr")
        self.network = MomentDETRNetwork(self._settings)

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Spans and labels of every layer of the decoder after its own matching, and saliency."""
        own = self._settings
        layers_spans, layers_labels, saliency = self.network(batch)
        mask = batch.moment_mask[:, :MOST_MOMENTS]
        true = batch.moments[:, :MOST_MOMENTS] / batch.feature_mask.sum(dim=1).view(-1, 1, 1)
        parts = dict.fromkeys(("spans", "overlap", "labels"), saliency.new_zeros(()))
        for spans, labels in zip(layers_spans, layers_labels, strict=True):
            far, apart = distances(spans[:, :, None], true[:, None])
            sure = labels.softmax(dim=2)[..., :1]
            cost = own.span_weight * far + own.overlap_weight * apart - own.label_weight * sure
            found = best_matching(cost.masked_fill(~mask[:, None], 0))
            index = found.clamp(min=0)[..., None]
            matched = (found >= 0) & mask.gather(1, found.clamp(min=0))
            count = share.mean_over_processes(matched.sum().float()).clamp(min=1)
            for name, each in (("spans", far / 2), ("overlap", apart)):
                parts[name] = parts[name] + (each.gather(2, index).squeeze(2) * matched).sum() / count
            right = functional.cross_entropy(labels.mT, (~matched).long(), reduction="none")
            parts["labels"] = parts["labels"] + (right * torch.where(matched, 1.0, own.none_weight)).mean()
        parts["saliency"] = self._saliency(batch, saliency, share)
        weights = (own.span_weight, own.overlap_weight, own.label_weight, own.saliency_weight)
        total = torch.stack([weight * part for weight, part in zip(weights, parts.values(), strict=True)]).sum()
        return Loss(total, parts)

    def _saliency(self, batch: Batch, saliency: Tensor, share: Share) -> Tensor:
        """How far a drawn step outside all moments is not less salient, by the margin, than one drawn inside."""
        centres = torch.arange(saliency.shape[1], device=saliency.device) + 0.5
        start, end = (batch.moments[..., k, None] for k in (0, 1))
        inside = ((start <= centres) & (centres < end) & batch.moment_mask[..., None]).any(dim=1) & batch.feature_mask
        outside = ~inside & batch.feature_mask
        keys = share.uniform(saliency.shape[1])
        drawn = [saliency.gather(1, keys.masked_fill(~of, -1).argmax(dim=1, keepdim=True)) for of in (inside, outside)]
        short = (self._settings.margin + drawn[1] - drawn[0]).clamp(min=0).squeeze(1)
        return (short * (inside.any(dim=1) & outside.any(dim=1))).mean()

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """The span of every query, cut to the window, and the probability that it is a moment."""
        spans, labels, _ = self.network(batch)
        centre, half = spans[-1][..., 0], spans[-1][..., 1] / 2
        ends = torch.stack([centre - half, centre + half], dim=2).clamp(0, 1)
        ends = ends * batch.feature_mask.sum(dim=1).view(-1, 1, 1)
        return {"spans": ends, "scores": labels[-1].softmax(dim=2)[..., 0], "kept": torch.ones_like(half).bool()}


def distances(spans: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """How far centres and widths are off in sum, and one less the generalised IoU, of true starts and ends."""
    (centre, width), (start, end) = spans.unbind(dim=-1), true.unbind(dim=-1)
    far = (centre - (start + end) / 2).abs() + (width - (end - start)).abs()
    first, last = centre - width / 2, centre + width / 2
    shared = (torch.minimum(last, end) - torch.maximum(first, start)).clamp(min=0)
    union = (width + end - start - shared).clamp(min=1e-6)
    hull = (torch.maximum(last, end) - torch.minimum(first, start)).clamp(min=1e-6)
    return far, 1 - shared / union + (hull - union) / hull
