"""The paper's two-stream features: what is seen and how it moves side by side, from one reading of the video.

On DiDeMo appearance is VGG16's fc7 (4096 numbers), as in its first baseline; elsewhere BN-Inception's (1024). Motion is
BN-Inception's (1024). Each stream is prepared as its own module says.
"""

from __future__ import annotations

from pathlib import Path

from asst.errors import InputError
from asst.features.networks.bn_inception import SIZE, flow_branch, name_suffix, rgb_branch
from asst.features.networks.flow import Algorithm
from asst.features.networks.frame_network import FrameNetwork
from asst.features.networks.vgg16 import vgg16_branch

_APPEARANCE = {"two-stream": rgb_branch, "two-stream-didemo": vgg16_branch}


def two_stream(name: str, algorithm: Algorithm, weights: Path | None = None) -> FrameNetwork:
    """The extractor ``two-stream`` or ``two-stream-didemo``, or ``-dis``: numbers of appearance, then 1024 of motion.

    Args:
        name: one of the first two.
        algorithm: how flow is found.
        weights: a folder with ``bn-inception-rgb.pth`` or ``vgg16.pth``, and ``bn-inception-flow.pth``; None for the
            folder of ``ASST_WEIGHTS``.

    Raises:
        InputError: without a folder of files that fit, or without OpenCV.
    """
    if weights is not None and not weights.is_dir():
        raise InputError(f"{weights} is no folder; two streams need one that holds the weights of both")
    branches = [_APPEARANCE[name](weights), flow_branch(algorithm, weights)]
    return FrameNetwork(f"{name}{name_suffix(algorithm)}", branches, SIZE)
