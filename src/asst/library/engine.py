"""What a library needs of a model: its features and ranking, and vectors of windows and of a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from asst.features.parallel.workers import Extraction
    from asst.features.values import Features
    from asst.library.windows import WindowVectors
    from asst.models.base import Model


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides the numbers in a library; one of another identity must be made anew.

    ``model``, as ``--model`` takes it, ranks moments unless another is named that reads the same features. The features
    are named by their extractor, and by hashes of how pictures were prepared and of the network's weights; windows'
    vectors by their dimension and a hash of how they are made.
    """

    model: str
    extractor: str
    preprocessing: str
    weights: str
    embedding: str
    dimension: int


class Engine(Protocol):
    """A model as a library uses it."""

    @property
    def model(self) -> Model:
        """Makes features, and ranks moments."""
        ...

    @property
    def identity(self) -> Identity:
        """What decides its numbers."""
        ...

    def extraction(self, store: Path) -> Extraction:
        """What other processes need to make the same features."""
        ...

    def windows(self, features: Features) -> WindowVectors:
        """The windows of a video."""
        ...

    def sentence(self, query: str) -> npt.NDArray[np.float32]:
        """A sentence's vector, shape ``(dimension,)``."""
        ...
