"""VGG16 (Simonyan and Zisserman 2015) trained on ImageNet: fc7, after its ReLU, 4096 numbers.

Each step's middle frame has its short side brought to 256 pixels. The network sees the 224 x 224 in its centre, RGB
in [0, 1] less the mean (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225), as torchvision's weights were trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from asst.features.networks.frame_network import Branch, FrameNetwork, middle_picture
from asst.features.resampling import FrameSize
from asst.features.weights import published_network

NAME = "vgg16"
SIZE = FrameSize(short_side=256)
SIDE = 224
HIDDEN = 4096
_CHANNELS = (64, 128, 256, 512, 512)
_CONVOLUTIONS = (2, 2, 3, 3, 3)
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class VGG16(nn.Module):
    """The network up to fc7, without the last layer that names the class; layers are called as in torchvision's."""

    def __init__(self, channels: Sequence[int] = _CHANNELS, hidden: int = HIDDEN, side: int = SIDE) -> None:
        super().__init__()
        self.dimension = hidden
        layers: list[nn.Module] = []
        before = 3
        for width, count in zip(channels, _CONVOLUTIONS, strict=True):
            for _ in range(count):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(inplace=True)]
                before = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        fc6, fc7 = nn.Linear(before * (side // 32) ** 2, hidden), nn.Linear(hidden, hidden)
        self.classifier = nn.Sequential(fc6, nn.ReLU(inplace=True), nn.Dropout(), fc7, nn.ReLU(inplace=True))

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB frames, ``uint8``, ``(batch, side, side, 3)``, to ``(batch, hidden)``."""
        values = pixels.float() / 255
        normal = (values - values.new_tensor(_MEAN)) / values.new_tensor(_DEVIATION)
        x = normal.permute(0, 3, 1, 2).to(next(self.parameters()).dtype)
        # The file's fc6 goes through channels first, whatever order they have in memory.
        vectors: Tensor = self.classifier(self.features(x).flatten(1))
        return vectors


def published_name(theirs: str) -> str | None:
    """What a tensor of torchvision's file is called here; None for the classifier's, which is not needed."""
    return None if theirs.startswith("classifier.6.") else theirs


def vgg16_branch(weights: Path | None) -> Branch:
    """The network with its weights, and what it sees."""
    return branch_of(*published_network(VGG16, NAME, weights, published_name))


def branch_of(network: VGG16, weights: str, side: int = SIDE) -> Branch:
    """A network, with whatever weights, and what it sees."""
    settings: dict[str, object] = {"network": NAME, "version": 1, "layer": "fc7 after ReLU", "side": side}
    settings |= {"mean": _MEAN, "deviation": _DEVIATION}
    return middle_picture(network, network.dimension, side, settings, weights)


def vgg16(weights: Path | None = None) -> FrameNetwork:
    """The extractor ``vgg16``."""
    return FrameNetwork(NAME, [vgg16_branch(weights)], SIZE)
