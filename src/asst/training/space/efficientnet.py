"""EfficientNet-Lite2 as a network that can learn: seven stages of inverted bottlenecks, ReLU6 throughout.

Its shapes are those of the published weights, with batch normalisation folded in
(`asst.features.zeroshot.efficientnet`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.features.zeroshot.efficientnet import published_lite

_PIXEL_MEAN, _PIXEL_SCALE = 127.0, 128.0
_STAGE_BLOCKS = (1, 3, 3, 4, 4, 5, 1)
_STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)


class FoldedConv(nn.Module):
    """A convolution with its batch normalisation folded in, padded as TensorFlow's ``SAME`` pads; ReLU6 may follow."""

    def __init__(self, weights: dict[str, Tensor], name: str, *, stride: int = 1, clipped: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(weights[f"{name}.weight"], requires_grad=False)
        self.bias = nn.Parameter(weights[f"{name}.bias"], requires_grad=False)
        self.stride = stride
        self.clipped = clipped
        self.padding = self.weight.shape[-1] // 2
        # A depthwise kernel has one input channel a group.
        self.groups = len(self.weight) if self.weight.shape[1] == 1 else 1

    def forward(self, x: Tensor) -> Tensor:
        """Shape ``(batch, channels, height, width)`` in and out; sides divided by the stride and rounded up."""
        padding = self.padding
        if self.stride == 2:
            # SAME gives the odd pixel of padding to the right and the bottom.
            down, across = (1 - side % 2 for side in x.shape[2:])
            x = F.pad(x, (padding - across, padding, padding - down, padding))
            padding = 0
        y = F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride, padding, groups=self.groups)
        return F.relu6(y) if self.clipped else y


class Bottleneck(nn.Module):
    """Widen by a kernel-1 convolution, filter each channel, narrow; with a shortcut where the shapes agree."""

    def __init__(self, weights: dict[str, Tensor], prefix: str, *, stride: int, shortcut: bool) -> None:
        super().__init__()
        self.expand = FoldedConv(weights, f"{prefix}.expand") if f"{prefix}.expand.weight" in weights else None
        self.depthwise = FoldedConv(weights, f"{prefix}.depthwise", stride=stride)
        self.project = FoldedConv(weights, f"{prefix}.project", clipped=False)
        self.shortcut = shortcut

    def forward(self, x: Tensor, left_out: float = 0.0) -> Tensor:
        """Shape ``(batch, channels, height, width)`` in and out; a shortcut alone is taken with a chance."""
        narrow: Tensor = self.project(self.depthwise(x if self.expand is None else self.expand(x)))
        if not self.shortcut:
            return narrow
        if left_out:
            taken = torch.rand(len(narrow), 1, 1, 1, device=narrow.device) >= left_out
            narrow = narrow * (taken.to(narrow.dtype) / (1 - left_out))
        return x + narrow


class EfficientNetLite(nn.Module):
    """The classifier up to its last feature map; an `InputError` when the weights are not the published ones.

    Attributes:
        class_weights: the last layer's, ``(1000, 1280)``.
        class_bias: ``(1000,)``.
        mean_feature: what each of the 1280 pooled features averages over ImageNet's training pictures, ``(1280,)``.
    """

    def __init__(self) -> None:
        super().__init__()
        published = published_lite()
        weights = {name: torch.from_numpy(own).contiguous() for name, own in published.convolutions.items()}
        self.stem = FoldedConv(weights, "stem", stride=2)
        blocks: list[Bottleneck] = []
        for stage_blocks, stage_stride in zip(_STAGE_BLOCKS, _STAGE_STRIDES, strict=True):
            for k in range(stage_blocks):
                stride = stage_stride if k == 0 else 1
                blocks.append(Bottleneck(weights, f"blocks.{len(blocks)}", stride=stride, shortcut=k > 0))
        self.blocks = nn.Sequential(*blocks)
        self.head = FoldedConv(weights, "head")
        self.class_weights = torch.from_numpy(published.class_weights)
        self.class_bias = torch.from_numpy(published.class_bias)
        self.mean_feature = torch.from_numpy(published.mean_feature)
        self.eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """Feature maps of pictures in RGB, ``uint8``, ``(batch, height, width, 3)``.

        ``(batch, 1280, ceil(height / 32), ceil(width / 32))`` in the network's own precision.
        """
        maps: Tensor = self.head(self.before(pixels, len(self.blocks)))
        return maps

    def before(self, pixels: Tensor, block: int) -> Tensor:
        """What a block reads of pictures, ``(batch, channels, height, width)``; ``pixels`` as in `forward`."""
        first = self.stem.weight
        x = pixels.to(first.device).permute(0, 3, 1, 2).to(first.dtype)
        x = ((x - _PIXEL_MEAN) / _PIXEL_SCALE).contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.blocks[:block](self.stem(x))
        return maps
