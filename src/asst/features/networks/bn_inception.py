"""BN-Inception (Ioffe and Szegedy 2015), the network of temporal segment networks (Wang et al. 2016): 1024 numbers.

Both streams take the mean of the last maps over the frame (``global_pool``). Its short side is brought to 256 pixels,
and the network sees the 224 x 224 in its centre.

``bn-inception-rgb`` sees the step's middle frame, BGR in [0, 255] less the mean (104, 117, 128), as the ports of
pretrained-models and of temporal segment networks state it; other Caffe networks have 123 for red.

``bn-inception-flow`` sees the five optical flow fields between the step's six frames, right and down in turns, ten
channels. They are found in the 340 x 256 pixels in the centre (256 x 340 if upright), clipped to 20 pixels of motion,
quantised to [0, 255], less 128. TV-L1 with at most 30 iterations; ``-dis`` in a name says DIS instead.

The paper's two-stream features are what is seen and how it moves side by side, from one reading of the video. On DiDeMo
appearance is VGG16's fc7 (4096 numbers), as in its first baseline; elsewhere BN-Inception's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from asst.errors import InputError
from asst.features.networks.flow import BOUND, OpticalFlow, quantised
from asst.features.networks.frame_network import TICKS_A_STEP, Branch, FrameNetwork, middle_picture
from asst.features.networks.vgg16 import vgg16_branch
from asst.features.resampling import FrameSize, centre
from asst.features.weights import published_network
from asst.video.picture import Pixels

RGB_NAME = "bn-inception-rgb"
FLOW_NAME = "bn-inception-flow"
SIZE = FrameSize(short_side=256)
SIDE = 224
DIMENSION = 1024
FLOW_CHANNELS = 2 * (TICKS_A_STEP - 1)
_FLOW_SIDES = (256, 340)
_BGR_MEAN = (104.0, 117.0, 128.0)
_FLOW_MEAN = 128.0
_SETTINGS: dict[str, object] = {"network": "bn-inception", "version": 1, "layer": "global_pool", "side": SIDE}
# The ports' and the checkpoints' names of what comes after the global pool.
_LAST_LAYERS = ("last_linear.", "fc.", "new_fc.")


@dataclass(frozen=True, slots=True)
class Block:
    """Channels of one inception block, whose branches stand side by side.

    Attributes:
        single: of the kernel-1 branch; 0 without one, as in blocks of stride 2.
        triple: before and of the kernel-3 branch.
        double: before and of both convolutions of the double kernel-3 branch.
        projected: after pooling by ``pool``; 0 where the pooled maps pass as they are.
    """

    single: int
    triple: tuple[int, int]
    double: tuple[int, int]
    projected: int
    pool: str

    @property
    def stride(self) -> int:
        """2 where nothing stands for the maps as they were."""
        return 1 if self.single else 2

    def width(self, before: int) -> int:
        """Channels that it gives when it is given so many."""
        return self.single + self.triple[1] + self.double[1] + (self.projected or before)


BLOCKS = {
    "3a": Block(64, (64, 64), (64, 96), 32, "avg"),
    "3b": Block(64, (64, 96), (64, 96), 64, "avg"),
    "3c": Block(0, (128, 160), (64, 96), 0, "max"),
    "4a": Block(224, (64, 96), (96, 128), 128, "avg"),
    "4b": Block(192, (96, 128), (96, 128), 128, "avg"),
    "4c": Block(160, (128, 160), (128, 160), 128, "avg"),
    "4d": Block(96, (128, 192), (160, 192), 128, "avg"),
    "4e": Block(0, (128, 192), (192, 256), 0, "max"),
    "5a": Block(352, (192, 320), (160, 224), 128, "avg"),
    "5b": Block(352, (192, 320), (192, 224), 128, "max"),
}


class BNInception(nn.Module):
    """The network up to its global pool, for 3 channels or flow of 10; layers are called as in the published ports."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self._layer("conv1_7x7_s2", channels, 64, 7, stride=2)
        self._layer("conv2_3x3_reduce", 64, 64, 1)
        self._layer("conv2_3x3", 64, 192, 3)
        before = 192
        for name, block in BLOCKS.items():
            at = f"inception_{name}"
            if block.single:
                self._layer(f"{at}_1x1", before, block.single, 1)
            self._layer(f"{at}_3x3_reduce", before, block.triple[0], 1)
            self._layer(f"{at}_3x3", *block.triple, 3, stride=block.stride)
            self._layer(f"{at}_double_3x3_reduce", before, block.double[0], 1)
            self._layer(f"{at}_double_3x3_1", *block.double, 3)
            self._layer(f"{at}_double_3x3_2", block.double[1], block.double[1], 3, stride=block.stride)
            if block.projected:
                self._layer(f"{at}_pool_proj", before, block.projected, 1)
            before = block.width(before)

    def _layer(self, name: str, before: int, after: int, kernel: int, stride: int = 1) -> None:
        self.add_module(name, nn.Conv2d(before, after, kernel, stride, padding=kernel // 2))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(after))

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB ``(batch, height, width, 3)`` or quantised fields ``(..., 10)``, ``uint8``, to ``(batch, 1024)``."""
        values = pixels.float()
        values = values.flip(3) - values.new_tensor(_BGR_MEAN) if pixels.shape[3] == 3 else values - _FLOW_MEAN
        x = values.permute(0, 3, 1, 2).to(next(self.parameters()).dtype)
        x = F.max_pool2d(self._through("conv1_7x7_s2", x), 3, 2, ceil_mode=True)
        x = self._through("conv2_3x3", self._through("conv2_3x3_reduce", x))
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        for name in BLOCKS:
            x = self._inception(name, x)
        return x.mean((2, 3))

    def _through(self, name: str, x: Tensor) -> Tensor:
        return F.relu_(self.get_submodule(f"{name}_bn")(self.get_submodule(name)(x)))

    def _inception(self, name: str, x: Tensor) -> Tensor:
        block, at = BLOCKS[name], f"inception_{name}"
        branches = [self._through(f"{at}_1x1", x)] if block.single else []
        branches.append(self._through(f"{at}_3x3", self._through(f"{at}_3x3_reduce", x)))
        double = self._through(f"{at}_double_3x3_1", self._through(f"{at}_double_3x3_reduce", x))
        branches.append(self._through(f"{at}_double_3x3_2", double))
        if block.stride == 2:
            pooled = F.max_pool2d(x, 3, 2, ceil_mode=True)
        else:
            pooled = (F.avg_pool2d if block.pool == "avg" else F.max_pool2d)(x, 3, 1, padding=1)
        branches.append(self._through(f"{at}_pool_proj", pooled) if block.projected else pooled)
        return torch.cat(branches, dim=1)

    def fold(self) -> None:
        """Put each normalisation into the convolution before it, which gives the same numbers sooner."""
        for name, layer in list(self.named_children()):
            if isinstance(layer, nn.Conv2d):
                norm = self.get_submodule(f"{name}_bn")
                assert isinstance(norm, nn.BatchNorm2d)
                self.add_module(name, fuse_conv_bn_eval(layer.eval(), norm.eval()))
                self.add_module(f"{name}_bn", nn.Identity())


def published_name(theirs: str) -> str | None:
    """What a tensor of a port's file is called here; None for the last layer's, which is not needed."""
    # TSN checkpoints put ``base_model.`` before a name, and ``module.`` where several cards trained.
    name = theirs.removeprefix("module.").removeprefix("base_model.")
    return None if name.startswith(_LAST_LAYERS) else name


def _folded(name: str, channels: int, weights: Path | None) -> tuple[BNInception, str]:
    network, digest = published_network(lambda: BNInception(channels), name, weights, published_name)
    network.fold()
    return network, digest


def _rgb_branch(weights: Path | None) -> Branch:
    return rgb_branch_of(*_folded(RGB_NAME, 3, weights))


def rgb_branch_of(network: BNInception, weights: str) -> Branch:
    """A network for frames, with whatever weights, and what it sees."""
    return middle_picture(network, DIMENSION, SIDE, {**_SETTINGS, "mean": _BGR_MEAN}, weights)


def flow_branch_of(network: BNInception, weights: str, flow: OpticalFlow) -> Branch:
    """A network for flow, with whatever weights, and what it sees."""

    def prepare(pictures: Sequence[Pixels]) -> Pixels:
        upright = [picture.shape[0] > picture.shape[1] for picture in pictures]
        sides = [_FLOW_SIDES[::-1] if high else _FLOW_SIDES for high in upright]
        around = [centre(picture, *own) for picture, own in zip(pictures, sides, strict=True)]
        fields = [centre(quantised(field), SIDE, SIDE) for field in flow.fields(around)]
        return np.concatenate(fields, axis=2)

    settings = {**_SETTINGS, "mean": _FLOW_MEAN, "bound": BOUND, "sides": _FLOW_SIDES, "flow": flow.settings}
    return Branch(network, DIMENSION, range(TICKS_A_STEP), prepare, settings, weights, flow.description)


_APPEARANCE = {"bn-inception-rgb": _rgb_branch, "two-stream": _rgb_branch, "two-stream-didemo": vgg16_branch}


def bn_inception(name: str, weights: Path | None = None) -> FrameNetwork:
    """The extractor of one stream or of both: numbers of appearance, then 1024 of motion.

    ``-dis`` at the end of the name takes DIS in place of TV-L1. Raises an `InputError` without files that fit, in a
    folder where they are two, or without OpenCV.
    """
    stream = name.removesuffix("-dis")
    if stream.startswith("two-stream") and weights is not None and not weights.is_dir():
        raise InputError(f"{weights} is no folder; two streams need one that holds the weights of both")
    branches = [_APPEARANCE[stream](weights)] if stream in _APPEARANCE else []
    if stream != RGB_NAME:
        network = _folded(FLOW_NAME, FLOW_CHANNELS, weights)
        branches.append(flow_branch_of(*network, OpticalFlow("tvl1" if stream == name else "dis")))
    return FrameNetwork(name, branches, SIZE)
