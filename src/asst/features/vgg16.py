"""VGG16 (Simonyan and Zisserman 2015) trained on ImageNet: fc7, after its ReLU, 4096 numbers.

Each step's middle picture has its short side brought to 256 pixels. The network sees the 224 x 224 in its centre, RGB
in [0, 1] less the mean (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225), as torchvision's weights were trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.features.fingerprint import files_hash
from asst.features.frame_network import Branch, FrameNetwork, middle_picture
from asst.features.picture_size import PictureSize
from asst.features.state_dict import fit, read_state, weights_file

NAME = "vgg16"
SIZE = PictureSize(short_side=256)
SIDE = 224
HIDDEN = 4096
_CHANNELS = (64, 128, 256, 512, 512)
_CONVOLUTIONS = (2, 2, 3, 3, 3)
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)

# torchvision numbers its layers; ReLU, pooling and dropout count too.
_PUBLISHED = {
    "features.0": "conv1_1",
    "features.2": "conv1_2",
    "features.5": "conv2_1",
    "features.7": "conv2_2",
    "features.10": "conv3_1",
    "features.12": "conv3_2",
    "features.14": "conv3_3",
    "features.17": "conv4_1",
    "features.19": "conv4_2",
    "features.21": "conv4_3",
    "features.24": "conv5_1",
    "features.26": "conv5_2",
    "features.28": "conv5_3",
    "classifier.0": "fc6",
    "classifier.3": "fc7",
}
_CLASSIFIER = "classifier.6"


class VGG16(nn.Module):
    """The network up to fc7, without the last layer that names the class.

    Args:
        channels: of the five groups of convolutions.
        hidden: width of fc6 and fc7.
        side: of the picture, in pixels, a multiple of 32.
    """

    def __init__(self, channels: Sequence[int] = _CHANNELS, hidden: int = HIDDEN, side: int = SIDE) -> None:
        super().__init__()
        before = 3
        for group, (width, layers) in enumerate(zip(channels, _CONVOLUTIONS, strict=True), start=1):
            for layer in range(1, layers + 1):
                self.add_module(f"conv{group}_{layer}", nn.Conv2d(before, width, 3, padding=1))
                before = width
        self.fc6 = nn.Linear(before * (side // 32) ** 2, hidden)
        self.fc7 = nn.Linear(hidden, hidden)

    def forward(self, pixels: Tensor) -> Tensor:
        """Features of pictures.

        Args:
            pixels: RGB, ``uint8``, ``(batch, side, side, 3)``.

        Returns:
            ``(batch, hidden)``.
        """
        values = pixels.float() / 255
        normal = (values - values.new_tensor(_MEAN)) / values.new_tensor(_DEVIATION)
        x = normal.permute(0, 3, 1, 2).to(self.fc6.weight.dtype)
        for group, layers in enumerate(_CONVOLUTIONS, start=1):
            for layer in range(1, layers + 1):
                x = F.relu_(self.get_submodule(f"conv{group}_{layer}")(x))
            x = F.max_pool2d(x, 2)
        # The file's fc6 goes through channels first, whatever order they have in memory.
        return F.relu_(self.fc7(F.relu_(self.fc6(x.flatten(1)))))


def published_name(theirs: str) -> str | None:
    """What a tensor of torchvision's file is called here; None for the classifier's, which is not needed."""
    layer, _, kind = theirs.rpartition(".")
    if layer == _CLASSIFIER:
        return None
    return f"{_PUBLISHED.get(layer, layer)}.{kind}"


def vgg16_branch(weights: Path | None) -> Branch:
    """The network with its weights, and what it sees.

    Raises:
        InputError: without a file that fits.
    """
    path = weights_file(NAME, weights)
    with torch.device("meta"):
        network = VGG16()
    fit(network, path, read_state(path), published_name)
    return branch_of(network, files_hash([path]))


def branch_of(network: VGG16, weights: str, side: int = SIDE) -> Branch:
    """A network, with whatever weights, and what it sees."""
    settings = {
        "network": NAME,
        "version": 1,
        "layer": "fc7 after ReLU",
        "side": side,
        "mean": _MEAN,
        "deviation": _DEVIATION,
    }
    return middle_picture(network, network.fc7.out_features, side, settings, weights)


def vgg16(weights: Path | None = None) -> FrameNetwork:
    """The extractor ``vgg16``.

    Args:
        weights: torchvision's state dict, or a folder with ``vgg16.pth``; None for the folder of ``ASST_WEIGHTS``.

    Raises:
        InputError: without a file that fits.
    """
    return FrameNetwork(NAME, [vgg16_branch(weights)], SIZE)
