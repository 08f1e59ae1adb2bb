"""The video subnet: dilation, squeezing and expansion (section 3.1.1), with or without language."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from asst.errors import InputError
from asst.nn.attention import CrossModalAttention
from asst.nn.config import ASSTConfig
from asst.nn.convolution import TemporalConvolution
from asst.nn.dropout import Dropout
from asst.nn.normalization import MaskedBatchNorm
from asst.nn.steps import ValidSteps


class VisualLayer(nn.Module):
    """One layer: ``v`` from a temporal convolution, ``u`` from ``v`` and the words, then BatchNorm, ReLU and dropout.

    A layer that is not ``fed`` words passes ``v`` straight to BatchNorm (the ablations of Tables 5 and 6).
    """

    def __init__(self, convolution: nn.Module, channels: int, config: ASSTConfig, fed: bool) -> None:
        super().__init__()
        self.convolution = convolution
        self.attention = (
            CrossModalAttention(channels, config.language_channels, config.attention_channels, config.attention_scale)
            if fed
            else None
        )
        self.norm = MaskedBatchNorm(channels)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, x: Tensor, steps: ValidSteps, words: Tensor | None, word_mask: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Run the layer; ``steps`` are those of its result.

        Gives the layer's map, zero at padding, ``(batch, steps, channels)``, and its attention weights, ``(batch,
        words, steps)``, or None where it gets no language.
        """
        u: Tensor = self.convolution(x)
        weights: Tensor | None = None
        if self.attention is not None:
            u, weights = self.attention(u, words, word_mask)
        return self.dropout(functional.relu(self.norm(u, steps))), weights


def expand(x: Tensor, steps: ValidSteps) -> Tensor:
    """Twice the resolution by linear interpolation: ``(batch, steps, channels)`` to ``(batch, 2 * steps, channels)``.

    Each step becomes two, a quarter of a step before and after its centre. A neighbour that is padding, or beyond an
    end, is replaced by the step itself, so that the result is that of the same video without padding.
    """
    before, after = x.roll(1, dims=1), x.roll(-1, dims=1)
    has_before, has_after = steps.mask.roll(1, dims=1), steps.mask.roll(-1, dims=1)
    has_before[:, 0] = False
    has_after[:, -1] = False
    before = torch.where(has_before[..., None], before, x)
    after = torch.where(has_after[..., None], after, x)
    return torch.stack([torch.lerp(x, before, 0.25), torch.lerp(x, after, 0.25)], dim=2).flatten(1, 2)


def endpoints(mask: Tensor) -> Tensor:
    """The temporal endpoint feature of section 4.4.3, of a mask ``(batch, steps)`` whose real steps come first.

    Start and end of each step over the valid length, zero at padding, shape ``(batch, steps, 2)``.
    """
    starts = torch.arange(mask.shape[1], device=mask.device)
    length = mask.sum(dim=1).clamp(min=1)[:, None, None]
    return torch.stack([starts, starts + 1], dim=1) / length * mask[..., None]


class VideoSubnet(nn.Module):
    """Features to the final representation ``x'`` of the same length.

    The input is dropped out and projected by a kernel-1 convolution to the width of the dilation layers, so that every
    shortcut is an identity. Dilation layer ``l`` gives ``h_l = h_{l-1} + ReLU(BN(u_l))``; a squeezing layer gives
    ``ReLU(BN(u))`` at half the length. A kernel-3 convolution joins squeezing to expansion. Each expansion doubles the
    length by linear interpolation and adds a kernel-1 convolution of the map of that length: a squeezing map or, at
    last, the last dilation map. The join and these lateral convolutions are linear, with neither norm nor activation.

    Padding is zero at every resolution, exactly as the margin of a convolution is, and enters no statistic: a video
    gives the same representation however far it is padded.
    """

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, config: ASSTConfig) -> None:
        super().__init__()
        wide, width, fed = config.dilation_channels, config.channels, config.fed_layers
        self.fed_layers = fed
        self.standardizes = config.standardize
        if self.standardizes:
            self.register_buffer("feature_mean", torch.zeros(config.feature_channels))
            self.register_buffer("feature_scale", torch.ones(config.feature_channels))
        self.input_dropout = Dropout(config.input_dropout)
        self.projection = nn.Linear(config.feature_channels, wide)
        self.dilation = nn.ModuleList(
            VisualLayer(TemporalConvolution(wide, wide, dilation=2**i), wide, config, f"dilation{i + 1}" in fed)
            for i in range(config.dilation_layers)
        )
        self.squeezing = nn.ModuleList(
            VisualLayer(
                TemporalConvolution(width if i else wide, width, stride=2), width, config, f"squeezing{i + 1}" in fed
            )
            for i in range(config.squeezing_layers)
        )
        self.join = TemporalConvolution(width, width)
        self.laterals = nn.ModuleList(nn.Linear(width, width) for _ in range(config.squeezing_layers - 1))
        self.laterals.append(nn.Linear(wide, width))
        self.final = VisualLayer(nn.Identity(), width, config, fed=True) if "final" in fed else None
        self.endpoint_feature = config.endpoint_feature
        self.out_channels = width + (2 if config.endpoint_feature else 0)

    def fit_features(self, features: Iterable[npt.NDArray[np.float32]]) -> None:
        """Finds the statistics that features are standardised by, of each video's, ``(steps, feature_channels)``."""
        if not self.standardizes:
            return
        count, total, square = 0, np.zeros(len(self.feature_mean)), np.zeros(len(self.feature_mean))
        for own in features:
            wide = own.astype(np.float64)
            count, total, square = count + len(wide), total + wide.sum(axis=0), square + (wide**2).sum(axis=0)
        mean = total / count
        variance = square / count - mean**2
        self.feature_mean.copy_(torch.from_numpy(mean))
        self.feature_scale.copy_(torch.from_numpy(np.where(variance > 1e-12, variance, 1.0) ** -0.5))

    def forward(
        self, features: Tensor, feature_mask: Tensor, words: Tensor | None = None, word_mask: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Represent a batch of windows.

        Args:
            features: shape ``(batch, steps, feature_channels)``; what stands at padding is ignored.
            feature_mask: true for a real step; those come first, shape ``(batch, steps)``.
            words: ``w^p``, shape ``(batch, words, language_channels)``; None where no layer is fed.
            word_mask: true for a real word, shape ``(batch, words)``.

        Returns:
            ``x'``, shape ``(batch, steps, out_channels)``, zero at padding, and the attention weights of each fed layer
            by its name, shape ``(batch, words, steps of the layer)``.

        Raises:
            InputError: if the steps cannot be halved as often as there are squeezing layers, or words are missing.
        """
        halvings = 2 ** len(self.squeezing)
        if features.shape[1] % halvings:
            raise InputError(f"{features.shape[1]} steps cannot be squeezed; pad them to a multiple of {halvings}")
        if self.fed_layers and (words is None or word_mask is None):
            raise InputError("this network reads sentences; give words and word_mask")
        language = (words, word_mask)
        weights: dict[str, Tensor] = {}

        steps = ValidSteps.of(feature_mask)
        if self.standardizes:
            features = (features - self.feature_mean) * self.feature_scale
        h = steps.silence(self.projection(self.input_dropout(steps.silence(features))))
        for i, layer in enumerate(self.dilation):
            change, weights[f"dilation{i + 1}"] = layer(h, steps, *language)
            h = h + change

        below: list[tuple[Tensor, ValidSteps]] = []
        for i, layer in enumerate(self.squeezing):
            below.append((h, steps))
            steps = steps.halved()
            h, weights[f"squeezing{i + 1}"] = layer(h, steps, *language)

        h = self.join(h)
        for lateral in self.laterals:
            finer, finer_steps = below.pop()
            h = finer_steps.silence(expand(h, steps) + lateral(finer))
            steps = finer_steps

        if self.final is not None:
            h, weights["final"] = self.final(h, steps, *language)
        if self.endpoint_feature:
            h = torch.cat([h, endpoints(feature_mask).to(h.dtype)], dim=2)
        return h, {name: weights[name] for name in self.fed_layers}
