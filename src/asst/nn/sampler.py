"""The clip sampler: clips of the final representation to scores and offsets (section 3.1.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from asst.moments import piece_clips
from asst.nn.dropout import Dropout

POINTS = 7
TAPS, STRIDE = 3, 2
WINDOWS = (POINTS - TAPS) // STRIDE + 1


def piece_grid(steps: int, pieces: int) -> Tensor:
    """The clips of `asst.moments.piece_clips` in steps of a window, shape ``(clips, 2)``.

    >>> piece_grid(12, 2).tolist()
    [[0.0, 6.0], [0.0, 12.0], [6.0, 12.0]]
    """
    piece = steps / pieces
    return torch.tensor([(first * piece, (last + 1) * piece) for first, last in piece_clips(pieces)])


def clips_within(clips: Tensor, feature_mask: Tensor, slack: float = 0.0) -> Tensor:
    """Which clips ``(clips, 2)``, in steps, a window of few real steps ``(batch, steps)`` holds: ``(batch, clips)``.

    A clip may reach past the last real step by ``slack`` steps.
    """
    return clips[:, 1] - slack <= feature_mask.sum(dim=1)[:, None] + 1e-4


def encode_offsets(clips: Tensor, targets: Tensor) -> Tensor:
    """``(d_c, d_l)`` that equation 1 turns from ``clips`` into ``targets``, in one unit; all ``(..., 2)``.

    The move of the centre in lengths of the clip, and the log of the ratio of lengths.
    """
    length, wanted = clips[..., 1] - clips[..., 0], targets[..., 1] - targets[..., 0]
    move = (targets.sum(dim=-1) - clips.sum(dim=-1)) / 2
    return torch.stack([move / length, (wanted / length).log()], dim=-1)


def decode_offsets(clips: Tensor, offsets: Tensor) -> Tensor:
    """Equation 1: the spans that ``offsets`` make of ``clips``, all ``(..., 2)``; inverts :func:`encode_offsets`.

    They are in the unit of ``clips`` and may leave the window.
    """
    length = clips[..., 1] - clips[..., 0]
    centre = clips.sum(dim=-1) / 2 + offsets[..., 0] * length
    half = offsets[..., 1].exp() * length / 2
    return torch.stack([centre - half, centre + half], dim=-1)


def pooling_places(clips: Tensor, steps: int) -> Tensor:
    """Where temporal RoI pooling reads a clip, in steps ``(..., 2)``: at the centres of seven equal bins.

    Step ``t`` stands at ``t + 1/2``; before the first centre and after the last the representation is held. Gives
    places among the centres, from 0 to ``steps - 1``, shape ``(..., 7)``.
    """
    bins = (torch.arange(POINTS, device=clips.device, dtype=clips.dtype) + 0.5) / POINTS
    start, end = clips[..., :1], clips[..., 1:]
    return (start + bins * (end - start) - 0.5).clamp(0, steps - 1)


def pooling_matrix(clips: Tensor, steps: int) -> Tensor:
    """Temporal RoI pooling of clips ``(clips, 2)`` with linear interpolation, as a matrix ``(clips * 7, steps)``.

    Its product with a representation ``(steps, channels)`` is the seven points of each clip in turn. Rows sum to one.
    """
    at = pooling_places(clips, steps).flatten()
    grid = torch.arange(steps, device=clips.device, dtype=clips.dtype)
    return (1 - (at[:, None] - grid).abs()).clamp(min=0)


def pooled(x: Tensor, clips: Tensor) -> Tensor:
    """Temporal RoI pooling where each sample has clips of its own, read from the two steps beside each place.

    Of the representation ``(batch, steps, channels)`` and clips in steps ``(batch, clips, 2)``; shape ``(batch, clips *
    7, channels)``.
    """
    at = pooling_places(clips, x.shape[1]).flatten(1)[..., None]
    before = at.detach().floor().clamp(max=x.shape[1] - 2)
    first = before.long().expand(-1, -1, x.shape[2])
    return torch.lerp(x.gather(1, first), x.gather(1, first + 1), (at - before).to(x.dtype))


def hold_last(x: Tensor, mask: Tensor) -> Tensor:
    """Fill the padding behind each sequence with its last real step, so that a clip at the end reads no padding.

    ``x`` is ``(batch, steps, channels)``; the mask, ``(batch, steps)``, is true for real steps, which come first.
    """
    last = (mask.sum(dim=1, keepdim=True) - 1).clamp(min=0)
    source = torch.arange(mask.shape[1], device=mask.device).minimum(last)
    return x.gather(1, source[..., None].expand_as(x))


class ClipSampler(nn.Module):
    """Two convolutions of kernel 3 over the seven points of a clip: seven to three with stride 2, then three to one.

    All clips share its weights. Pooling and the first convolution are both linear, so their order is free: the
    convolution's three taps are applied to each step once, and the interpolation, a third as large, comes after. For
    the paper's 234 clips on 128 steps this needs well under half the arithmetic of pooling first, and gives the same
    numbers. Few clips in training, and each sample's own, are pooled first.
    """

    def __init__(self, in_channels: int, channels: int, outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Conv1d(in_channels, channels, TAPS, stride=STRIDE)
        self.dropout = Dropout(dropout)
        self.second = nn.Linear(WINDOWS * channels, outputs)

    def forward(self, x: Tensor, clips: Tensor) -> Tensor:
        """The representation ``(batch, steps, in_channels)`` and clips in steps to ``(batch, clips, outputs)``.

        Clips are ``(clips, 2)``, or ``(batch, clips, 2)`` where each sample has its own.
        """
        if self.training and clips.dim() == 2 and len(clips) * WINDOWS < x.shape[1]:
            clips = clips.expand(len(x), -1, 2)
        if clips.dim() == 3:
            inner = self.first(pooled(x, clips).view(-1, POINTS, x.shape[2]).transpose(1, 2)).transpose(1, 2)
        else:
            inner = self._all(x, clips)
        inner = self.dropout(functional.relu(inner))
        out: Tensor = self.second(inner.reshape(x.shape[0], -1, self.second.in_features))
        return out

    def _all(self, x: Tensor, clips: Tensor) -> Tensor:
        assert self.first.bias is not None
        # Row (clip, window) times column (step, tap): the weight of that step in the point that this tap reads.
        points = pooling_matrix(clips, x.shape[1]).view(-1, POINTS, x.shape[1])
        windows = [points[:, first : first + TAPS] for first in range(0, POINTS - TAPS + 1, STRIDE)]
        mixing = torch.stack(windows, dim=1).transpose(-2, -1).flatten(0, 1).flatten(1)
        taps = functional.linear(x, self.first.weight.permute(2, 0, 1).flatten(0, 1))
        return mixing.to(taps.dtype) @ taps.view(x.shape[0], -1, self.first.out_channels) + self.first.bias
