"""The packaged extractor: three crops of a frame in the space that is learnt from people's captions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from asst.features.caption_space import PACKAGED, SentenceTower, load_space
from asst.features.efficientnet import VARIANTS
from asst.features.fingerprint import LENGTH
from asst.features.precision import fastest_device, fastest_dtype
from asst.features.space import FloatArray, SentenceReader, Space
from asst.features.squares import LOOKS_A_SECOND, SquaresExtractor, squares

NAME = "captions"

# How far embeddings turn at a change of shot, as one minus their cosine.
_TURN_LEAST = 0.3


class CaptionSentences(SentenceReader):
    """The language side.

    Args:
        tower: as above.
    """

    def __init__(self, tower: SentenceTower) -> None:
        super().__init__()
        self._tower = tower

    def embed(self, sentences: Sequence[str]) -> FloatArray:
        """See `SentenceReader.embed`."""
        return self._tower.encode(sentences)


class CaptionExtractor(SquaresExtractor):
    """Frames in the space. A frame goes through the network whole; its last map is pooled by crops.

    Attributes:
        sentences: the language side.

    Args:
        weights: file of the space; None for the packaged one.
        looks_a_second: as `SquaresExtractor` has it.

    Raises:
        InputError: for weights that are missing or damaged.
    """

    def __init__(self, weights: Path | None = None, looks_a_second: float = LOOKS_A_SECOND) -> None:
        found = load_space(weights or PACKAGED)
        self.sentences = CaptionSentences(found.sentences)
        self._tower = found.pictures
        network = found.pictures.network
        side = VARIANTS[network.variant].side
        space = Space(NAME, found.description.dimension, pixels=True)
        super().__init__(space, side, found.sha256[:LENGTH], {}, looks_a_second, _TURN_LEAST)
        found.pictures.to(fastest_device())
        network.to(fastest_dtype())
        network.pack()

    @torch.inference_mode()
    def see(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """See `SquaresExtractor.see`."""
        maps = self._tower.network(torch.from_numpy(np.ascontiguousarray(pictures)))
        vectors: npt.NDArray[np.float16] = self._tower(pooled_squares(maps)).flatten(1).half().cpu().numpy()
        return vectors


def pooled_squares(maps: Tensor) -> Tensor:
    """Means over the crops of maps ``(batch, channels, height, width)``; shape ``(batch, WINDOWS, channels)``."""
    parts = [maps[:, :, rows, columns] for rows, columns in squares(*maps.shape[2:])]
    return torch.stack([part.float().mean((2, 3)) for part in parts], dim=1)
