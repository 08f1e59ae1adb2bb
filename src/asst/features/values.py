"""The value that leaves an extractor: one vector a step, on the video's own clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float16] | npt.NDArray[np.float32]


def _no_cuts() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Features:
    """What an extractor saw, step by step.

    Attributes:
        vectors: ``float16`` or ``float32``, shape ``(steps, dimension)``; step ``k`` describes the time from
            ``start_s + k * step_s`` to ``start_s + (k + 1) * step_s``.
        start_s: where the first step begins, in seconds from the video's first frame.
        step_s: length of a step in seconds.
        extractor: the name of the extractor, which says how the vectors were made.
        cuts_s: where new shots begin, ascending, in seconds, shape ``(cuts,)``; empty where they were not looked for.

    Raises:
        ValueError: for other shapes or types, no step at all, or a step that is not positive.
    """

    vectors: Vectors
    start_s: float
    step_s: float
    extractor: str
    cuts_s: FloatArray = field(default_factory=_no_cuts)

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.vectors.dtype not in (np.float16, np.float32):
            raise ValueError(f"features are float (steps, dimension), not {self.vectors.dtype} {self.vectors.shape}")
        if not len(self.vectors) or self.step_s <= 0:
            raise ValueError(f"features have at least one step of positive length, not {len(self)} of {self.step_s} s")
        if self.cuts_s.ndim != 1 or (np.diff(self.cuts_s) <= 0).any():
            raise ValueError("cuts are ascending instants in seconds")

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        return f"Features(vectors={self.vectors.shape}, step_s={self.step_s:g}, extractor={self.extractor!r})"

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    @property
    def duration_s(self) -> float:
        """Seconds that the steps cover."""
        return len(self.vectors) * self.step_s
