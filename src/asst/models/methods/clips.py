"""What methods read: the clips that they rank in a window, what is in each, and sentences."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from asst.data.readers.didemo import MOST_PIECES
from asst.errors import InputError
from asst.moments import anchor_grid
from asst.nn.sampler import clips_within, piece_grid

ClipKind = Literal["pieces", "anchors"]


def clip_grid(kind: ClipKind, steps: int) -> Tensor:
    """The candidates of a window in steps, ``(clips, 2)``: every run of DiDeMo's pieces, or ASST's anchors.

    >>> len(clip_grid("pieces", 128)), len(clip_grid("anchors", 128))
    (21, 234)
    """
    if kind == "pieces":
        return piece_grid(steps, MOST_PIECES)
    return torch.tensor(anchor_grid(steps), dtype=torch.float32)


def clip_slack(kind: ClipKind, steps: int) -> float:
    """Steps by which a clip may reach past the last real one: half a piece, so that a short last piece counts."""
    return steps / MOST_PIECES / 2 if kind == "pieces" else 0.0


def check_windows(lengths: tuple[float, ...], overlap: float) -> None:
    """Refuses what `sliding_clips` cannot slide, with an `InputError`."""
    if not lengths or min(lengths) <= 0 or not 0 <= overlap < 1:
        raise InputError(f"windows need positive lengths and an overlap in [0, 1), not {list(lengths)} and {overlap}")


def sliding_clips(steps: int, lengths: tuple[float, ...], overlap: float) -> Tensor:
    """Windows of several lengths, in steps, slid over the steps; shorter lengths first, shape ``(clips, 2)``.

    A length that is longer than the window gives no clip. ``overlap`` is the share of its length, in [0, 1), that a
    clip has in common with the next.

    >>> sliding_clips(10, (4.0,), 0.5).tolist()
    [[0.0, 4.0], [2.0, 6.0], [4.0, 8.0], [6.0, 10.0]]
    """
    grids = []
    for length in sorted(lengths):
        if length <= steps:
            count = int((steps - length) / (length * (1 - overlap)) + 1e-6) + 1
            starts = torch.arange(count) * (length * (1 - overlap))
            grids.append(torch.stack([starts, starts + length], dim=1))
    return torch.cat(grids) if grids else torch.tensor([[0.0, float(steps)]])


def clips_or_first(clips: Tensor, feature_mask: Tensor, slack: float = 0.0) -> Tensor:
    """As `clips_within`, ``(batch, clips)``; in a window that holds no clip the first one stands for what there is."""
    held = clips_within(clips, feature_mask, slack)
    alone = ~held.any(dim=1)
    held[alone, 0] = True
    return held


def mean_pooled(features: Tensor, feature_mask: Tensor, spans: Tensor) -> Tensor:
    """The mean of the features in each span; a step counts by the share of it that lies inside.

    ``spans`` are in steps, ``(clips, 2)``, or ``(batch, clips, 2)`` where each sample has its own. Shape ``(batch,
    clips, channels)``; zero where no real step is inside.
    """
    first = torch.arange(features.shape[1], device=features.device, dtype=spans.dtype)
    inside = torch.minimum(spans[..., 1:], first + 1) - torch.maximum(spans[..., :1], first)
    weights = inside.clamp(min=0) * feature_mask[:, None, :]
    weights = weights / weights.sum(dim=2, keepdim=True).clamp(min=1e-6)
    return weights.to(features.dtype) @ features


def endpoints(feature_mask: Tensor, spans: Tensor) -> Tensor:
    """The temporal endpoint feature: start and end of spans as shares of the real steps, ``(batch, clips, 2)``."""
    length = feature_mask.sum(dim=1).view(-1, 1, 1).to(spans.dtype)
    return (spans / length).clamp(0, 1)


def in_context(features: Tensor, feature_mask: Tensor, spans: Tensor) -> Tensor:
    """What Hendricks et al. (2017) see of a clip: itself, the whole and its place.

    The mean inside the span and the mean of all real steps, each scaled to unit length, and the `endpoints`; shape
    ``(batch, clips, 2 * channels + 2)``.
    """
    whole = torch.zeros_like(spans[..., :1, :])
    whole[..., 1] = features.shape[1]
    inside = functional.normalize(mean_pooled(features, feature_mask, spans), dim=2)
    around = functional.normalize(mean_pooled(features, feature_mask, whole), dim=2)
    return torch.cat([inside, around.expand_as(inside), endpoints(feature_mask, spans)], dim=2)


def sentence_mean(words: Tensor, word_mask: Tensor) -> Tensor:
    """The mean word vector of each sentence, shape ``(batch, word_channels)``."""
    real = word_mask[..., None].to(words.dtype)
    return (words * real).sum(dim=1) / real.sum(dim=1)


class SentenceLSTM(nn.Module):
    """Reads words in order, in several layers; padding comes after the state that is taken."""

    def __init__(self, word_channels: int, channels: int, layers: int = 1) -> None:
        super().__init__()
        self.lstm = nn.LSTM(word_channels, channels, layers, batch_first=True)

    def forward(self, words: Tensor, word_mask: Tensor) -> Tensor:
        """The state after each sentence's last word, ``(batch, channels)``."""
        states, _ = self.lstm(words)
        last = (word_mask.sum(dim=1) - 1).view(-1, 1, 1).expand(-1, 1, states.shape[2])
        state: Tensor = states.gather(1, last).squeeze(1)
        return state
