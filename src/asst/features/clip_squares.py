"""CLIP or SigLIP looking at three squares of the picture, two steps a second, on the shots of the video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from asst.errors import InputError
from asst.features.clip import NAME as WEIGHTS
from asst.features.clip import ClipTowers
from asst.features.concepts import concept_data
from asst.features.looking import CARD_BATCH
from asst.features.precision import fastest_device, fastest_dtype, precision_name
from asst.features.reading import FloatArray, Reading, SentenceReader
from asst.features.space import Space
from asst.features.squares import LOOKS_A_SECOND, SquaresExtractor, squares
from asst.features.state_dict import weights_folder

NAME = "clip-squares"
# How far vectors turn at a change of shot, as one minus their cosine. They are not centred: even unrelated pictures are
# alike, so this is less than for centred ones.
_TURN_LEAST = 0.15


class ClipSentences(SentenceReader):
    """The language side.

    Args:
        vectors: of sentences in the space, unit vectors, shape ``(sentences, channels)``.
    """

    measures = ("picture and sentence",)

    def __init__(self, vectors: Callable[[Sequence[str]], FloatArray]) -> None:
        table = concept_data()
        super().__init__(vectors(table["unrelated"]), lambda: vectors(table["glosses"]))
        self._vectors = vectors

    def _reading(self, sentences: Sequence[str]) -> Reading:
        nothing = np.zeros((len(sentences), 0), dtype=np.float32)
        return Reading(self.classifiers(self._vectors(sentences)), [()] * len(sentences), nothing)


class ClipSquaresExtractor(SquaresExtractor):
    """CLIP or SigLIP from a local folder.

    Attributes:
        sentences: the language side.

    Args:
        folder: as `ClipTowers` has it.
        looks_a_second: as `SquaresExtractor` has it.

    Raises:
        InputError: if something is missing there or does not fit, for a network that sees no square, or if transformers
            is not installed.
    """

    def __init__(self, folder: Path, looks_a_second: float = LOOKS_A_SECOND) -> None:
        self._towers = towers = ClipTowers(folder)
        height, width = towers.preparing.crop
        if height != width:
            raise InputError(f"{folder}: its network sees {height} x {width} pixels, no square; use extractor clip")
        towers.eval().to(fastest_device(), fastest_dtype())
        self.sentences = ClipSentences(towers.sentence_vectors)
        space = Space(NAME, np.zeros(towers.dimension, np.float32))
        super().__init__(space, height, towers.weights, towers.settings, looks_a_second, _TURN_LEAST)
        self.precision = precision_name()

    @contextmanager
    def _undivided(self) -> Iterator[int]:
        if fastest_device() != "cpu":
            yield CARD_BATCH
            return
        before = torch.get_num_threads()
        # PyTorch's setting holds for the thread that sets it and for all that start later.
        torch.set_num_threads(1)
        try:
            yield 1
        finally:
            torch.set_num_threads(before)

    @torch.inference_mode()
    def see(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """See `SquaresExtractor.see`."""
        parts = np.stack([pictures[:, rows, columns] for rows, columns in squares(*pictures.shape[1:3])], axis=1)
        vectors = self._towers(torch.from_numpy(parts.reshape(-1, *parts.shape[2:])).to(fastest_device()))
        seen: npt.NDArray[np.float16] = vectors.half().cpu().numpy().reshape(len(pictures), -1)
        return seen


def clip_squares(weights: Path | None = None) -> ClipSquaresExtractor:
    """The extractor ``clip-squares``.

    Args:
        weights: a Hugging Face folder, or one that holds it as ``clip``; None for the folder of ``ASST_WEIGHTS``.

    Raises:
        InputError: as `ClipSquaresExtractor`, or without such a folder.
    """
    return ClipSquaresExtractor(weights_folder(WEIGHTS, weights, holds="config.json"))
