"""What a library needs of a model: features, windows' vectors, a sentence's vector, and the ranking of moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from asst.features.extract import Extraction
    from asst.features.extractor import Extractor
    from asst.features.values import Features
    from asst.library.windows import WindowVectors
    from asst.models.base import Ranking
    from asst.moments import Attention


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides the numbers in a library; one of another identity must be made anew.

    Attributes:
        model: that ranks moments unless another is named, as ``--model`` takes it; another that reads the same
            features does as well.
        extractor: name of the features.
        preprocessing: hash of how pictures were prepared.
        weights: hash of the network's weights.
        embedding: hash of how windows become vectors.
        dimension: numbers in a window's vector.
    """

    model: str
    extractor: str
    preprocessing: str
    weights: str
    embedding: str
    dimension: int

    def record(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


class Engine(Protocol):
    """A model as a library uses it."""

    @property
    def name(self) -> str:
        """Of the model that ranks moments."""
        ...

    @property
    def identity(self) -> Identity:
        """What decides its numbers."""
        ...

    @property
    def extractor(self) -> Extractor:
        """Makes features in this process."""
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

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Ranking]:
        """The best moments of each sentence."""
        ...

    def attention(self, features: Features, query: str) -> Attention | None:
        """Which words the model looks at over a video; None where it has no attention."""
        ...
