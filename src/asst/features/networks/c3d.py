"""C3D (Tran et al. 2015) trained on Sports-1M: fc6 or fc7, after its ReLU, 4096 numbers.

A clip is sixteen frames, 24 a second, around the middle of the step, so that neighbouring steps share ten of them.
Frames are brought to 171 x 128 pixels, aspect not kept; the network sees the 112 x 112 in the centre, BGR in [0, 255]
less the mean (90.25, 97.66, 101.41), in the same order: what the published mean clip of Sports-1M (16 x 128 x 171,
read by OpenCV, hence blue first) averages for each colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from asst.features.networks.frame_network import MIDDLE, Branch, FrameNetwork
from asst.features.resampling import FrameSize, centre
from asst.features.weights import published_network
from asst.video.picture import Pixels

Layer = Literal["fc6", "fc7"]

SIZE = FrameSize(exact=(128, 171))
SIDE = 112
CLIP = 16
HIDDEN = 4096
_BGR_MEAN = (90.25, 97.66, 101.41)
_BATCH_STEPS = 2
_CHANNELS = (64, 128, 256, 512, 512)
_LAYERS = ("conv1", "conv2", "conv3a", "conv3b", "conv4a", "conv4b", "conv5a", "conv5b")
_POOLED = frozenset({"conv1", "conv2", "conv3b", "conv4b", "conv5b"})

# One port numbers its layers as torchvision does; the other has the names of the publication.
_NUMBERED = {f"features.{at}": name for at, name in zip((0, 3, 6, 8, 11, 13, 16, 18), _LAYERS, strict=True)}
_NUMBERED |= {"classifier.0": "fc6", "classifier.3": "fc7"}
_CLASSIFIERS = frozenset({"fc8", "classifier.6"})


class C3D(nn.Module):
    """The network up to fc7, without the last layer that names the class; it gives fc6 or fc7, after ReLU."""

    def __init__(self, layer: Layer, channels: Sequence[int] = _CHANNELS, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.layer = layer
        before = 3
        for name in _LAYERS:
            width = channels[int(name[4]) - 1]
            self.add_module(name, nn.Conv3d(before, width, 3, padding=1))
            before = width
        self.fc6 = nn.Linear(before * 4 * 4, hidden)
        self.fc7 = nn.Linear(hidden, hidden)

    def forward(self, pixels: Tensor) -> Tensor:
        """Clips of RGB frames, ``uint8``, ``(batch, 16, 112, 112, 3)``, to ``(batch, hidden)``."""
        values = pixels.float().flip(4)
        x = (values - values.new_tensor(_BGR_MEAN)).permute(0, 4, 1, 2, 3).to(self.fc6.weight.dtype)
        for name in _LAYERS:
            x = F.relu_(self.get_submodule(name)(x))
            if name in _POOLED:
                # The first pool leaves time as it is; the last, of 7 x 7, rounds up.
                x = F.max_pool3d(x, (1, 2, 2) if name == "conv1" else 2, padding=(0, 1, 1) if name == "conv5b" else 0)
        x = F.relu_(self.fc6(x.flatten(1)))
        return x if self.layer == "fc6" else F.relu_(self.fc7(x))


def published_name(theirs: str) -> str | None:
    """What a tensor of a port's file is called here; None for the classifier's, which is not needed."""
    layer, _, kind = theirs.rpartition(".")
    if layer in _CLASSIFIERS:
        return None
    return f"{_NUMBERED.get(layer, layer)}.{kind}"


def branch_of(network: C3D, weights: str) -> Branch:
    """A network, with whatever weights, and what it sees."""
    settings = {"network": "c3d", "version": 1, "layer": f"{network.layer} after ReLU", "side": SIDE, "mean": _BGR_MEAN}
    sees = range(MIDDLE - CLIP // 2, MIDDLE + CLIP // 2)
    return Branch(network, network.fc7.out_features, sees, clip_of, settings, weights)


def clip_of(pictures: Sequence[Pixels]) -> Pixels:
    """What the network sees of frames, ``(frames, 112, 112, 3)``."""
    return np.stack([centre(picture, SIDE, SIDE) for picture in pictures])


def c3d(layer: Layer, weights: Path | None = None) -> FrameNetwork:
    """The extractor ``c3d-fc6`` or ``c3d-fc7``."""
    branch = branch_of(*published_network(lambda: C3D(layer), "c3d", weights, published_name))
    return FrameNetwork(f"c3d-{layer}", [branch], SIZE, _BATCH_STEPS)
