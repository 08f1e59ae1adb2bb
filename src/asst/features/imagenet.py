"""The packaged extractor: an ImageNet classifier's pooled features of three squares of the picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from asst.features.fingerprint import LENGTH
from asst.features.precision import fastest_device, fastest_dtype
from asst.features.space import Classifier, Space
from asst.features.squares import LOOKS_A_SECOND, SquaresExtractor, squares

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = 1280
PREFIX = "imagenet-"
"""What the features' names begin with; the variant follows."""

# How far centred features turn at a change of shot, as one minus their cosine.
_TURN_LEAST = 0.3


class ImageNetExtractor(SquaresExtractor):
    """EfficientNet-Lite features. The picture goes through the network whole; its last map is pooled by squares.

    Attributes:
        variant: ``lite2`` or ``lite0``.
        network: the classifier.

    Args:
        variant: ``lite2``, or ``lite0`` which is faster and sees less.
        looks_a_second: as `SquaresExtractor` has it.

    Raises:
        InputError: when the weights are missing or not the published ones.
    """

    def __init__(self, variant: str = "lite2", looks_a_second: float = LOOKS_A_SECOND) -> None:
        from asst.features.concepts import class_directions
        from asst.features.efficientnet import VARIANTS, EfficientNetLite

        self.variant = variant
        self.network = EfficientNetLite(variant)
        weights = self.network.class_weights
        space = Space(
            f"{PREFIX}{variant}",
            self.network.mean_feature.numpy(),
            class_directions(weights).numpy(),
            classifier=Classifier(weights.numpy(), self.network.class_bias.numpy()),
            pixels=True,
        )
        own = VARIANTS[variant]
        super().__init__(space, own.side, own.sha256[:LENGTH], {}, looks_a_second, _TURN_LEAST)
        self.network.to(fastest_device(), fastest_dtype())
        self.network.pack()

    def see(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """See `SquaresExtractor.see`."""
        import torch

        maps = self.network(torch.from_numpy(np.ascontiguousarray(pictures)))
        pooled: npt.NDArray[np.float16] = pooled_squares(maps).flatten(1).half().cpu().numpy()
        return pooled


def packaged(variant: str, weights: Path | None = None) -> ImageNetExtractor:
    """The extractor ``imagenet-lite0`` or ``imagenet-lite2``; its weights are those of a package, whatever is named.

    Raises:
        InputError: when the weights are missing or not the published ones.
    """
    return ImageNetExtractor(variant)


def pooled_squares(maps: Tensor) -> Tensor:
    """Mean over the squares of maps ``(batch, channels, height, width)``; shape ``(batch, WINDOWS, channels)``."""
    import torch

    parts = [maps[:, :, rows, columns] for rows, columns in squares(*maps.shape[2:])]
    return torch.stack([part.float().mean((2, 3)) for part in parts], dim=1)
