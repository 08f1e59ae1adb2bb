"""Three squares of the picture in a space that ``asst train recipes/captions.yaml`` learnt from captioned pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from asst.features.caption_space import VARIANT, load_space
from asst.features.clip_squares import JointSentences
from asst.features.efficientnet import VARIANTS
from asst.features.fingerprint import LENGTH
from asst.features.imagenet import pooled_squares
from asst.features.precision import fastest_device, fastest_dtype
from asst.features.space import Space
from asst.features.squares import LOOKS_A_SECOND, SquaresExtractor
from asst.features.state_dict import weights_file

NAME = "captions"
# How far vectors turn at a change of shot, as one minus their cosine.
_TURN_LEAST = 0.3


class CaptionExtractor(SquaresExtractor):
    """Pictures in the space. A picture goes through the network whole; its last map is pooled by squares.

    Attributes:
        sentences: the language side.

    Args:
        path: file of the space.
        looks_a_second: as `SquaresExtractor` has it.

    Raises:
        InputError: as `load_space`.
    """

    def __init__(self, path: Path, looks_a_second: float = LOOKS_A_SECOND) -> None:
        found = load_space(path)
        self._tower = found.pictures
        self.sentences = JointSentences(found.sentences.encode)
        dimension = found.description.dimension
        # No scenes are simulated in it, which would need directions of things.
        space = Space(NAME, np.zeros(dimension, np.float32), np.zeros((0, dimension), np.float32), unit=True)
        side = VARIANTS[VARIANT].side
        super().__init__(space, side, found.sha256[:LENGTH], {}, looks_a_second, _TURN_LEAST)
        self._tower.to(fastest_device())
        self._tower.network.to(fastest_dtype())
        self._tower.network.pack()

    @torch.inference_mode()
    def see(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """See `SquaresExtractor.see`."""
        maps = self._tower.network(torch.from_numpy(np.ascontiguousarray(pictures)))
        seen: npt.NDArray[np.float16] = self._tower(pooled_squares(maps)).flatten(1).half().cpu().numpy()
        return seen


def captions(weights: Path | None = None) -> CaptionExtractor:
    """The extractor ``captions``.

    Args:
        weights: file of the space, or a folder that holds it as ``captions``; None for the folder of ``ASST_WEIGHTS``.

    Raises:
        InputError: as `CaptionExtractor`, or without such a file.
    """
    return CaptionExtractor(weights_file(NAME, weights))
