"""What the language side of an extractor makes of sentences, to be compared with what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What sentences say.

    Attributes:
        classifiers: unit vectors to be compared with centred features, shape ``(encoders, sentences, channels)``.
        named: the classes that each sentence names; none of an extractor without classes.
        resembled: how much each class's gloss resembles each sentence, a distribution; ``(sentences, classes)``. An
            extractor without classes has no column.
    """

    classifiers: FloatArray
    named: Sequence[Sequence[int]]
    resembled: FloatArray


class SentenceReader(Protocol):
    """The language side of an extractor.

    Attributes:
        measures: names of what is measured of a sentence at each step: a cosine for each encoder; then, where there are
            classes, the probability of those it names and of those it resembles.
        unrelated: classifiers of sentences about nothing in particular, unit vectors,
            ``(encoders, sentences, channels)``.
    """

    measures: tuple[str, ...]
    unrelated: FloatArray

    def read(self, sentences: Sequence[str]) -> Reading:
        """What sentences say."""
        ...
