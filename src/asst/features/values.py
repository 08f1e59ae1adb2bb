"""The features of one video: a vector a step of constant length, on the video's own clock.

They may be a memory map, and are gone through in chunks: neither checking nor writing those of a long video takes more
memory than a few of these.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.moments import Array, Float16Array, Float32Array, FloatArray, IntArray

SAME_CLOCK = 1e-6
"""Steps and starts that differ by less, relative to the step, are equal."""

Vectors = Float16Array | Float32Array

CHUNK_BYTES = 2 * 2**20
_STEPS_AT_ONCE = 1024
# The exponent of 16 bits begins 112 lower than that of 32, whose fraction is 13 bits longer.
_LOWER = np.float32(2.0**112)
_LONGER = 13
# Of a shifted number: the sign, the exponent of 16 bits and the fraction.
_KEPT = np.int32(-0x70000001)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False, repr=False)
class Features:
    """Step ``i`` describes the time from ``start_s + i * step_s`` to ``start_s + (i + 1) * step_s``.

    Attributes:
        vectors: shape ``(steps, dimension)``, float32 or float16; may be a memory map.
        start_s: where the first step starts, in seconds from the video's first frame; ``step_s`` is the length of one.
        extractor: the name of what made them; two streams are joined by ``+``.
        cuts_s: where new shots begin, ascending, in seconds, shape ``(cuts,)``; empty where nobody looked for them.
        length_s: the video's length in seconds, which the last step may reach past; infinite where it is not known, as
            of features from a store.

    Raises:
        ValueError: for another shape or type, no step, times that are not finite and positive, or cuts that go back.
    """

    vectors: Vectors
    start_s: float
    step_s: float
    extractor: str
    cuts_s: FloatArray = field(default_factory=lambda: np.zeros(0))
    length_s: float = math.inf

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or 0 in self.vectors.shape:
            raise ValueError(f"features have the shape (steps, dimension), not {self.vectors.shape}")
        if self.vectors.dtype not in (np.float32, np.float16):
            raise ValueError(f"features are float32 or float16, not {self.vectors.dtype}")
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s) and self.step_s > 0):
            raise ValueError(f"features need a start and a positive step in seconds: {self.start_s}, {self.step_s}")
        if not self.extractor:
            raise ValueError("features name their extractor")
        if self.cuts_s.ndim != 1 or not np.isfinite(self.cuts_s).all() or (np.diff(self.cuts_s) <= 0).any():
            raise ValueError("cuts are ascending instants in seconds")

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        steps, dimension = self.vectors.shape
        return f"Features({steps} steps of {self.step_s:g} s from {self.start_s:g} s, {dimension} x {self.extractor})"

    @property
    def dimension(self) -> int:
        """Width of a vector."""
        return int(self.vectors.shape[1])

    @property
    def duration_s(self) -> float:
        """Time that the steps cover, in seconds."""
        return len(self.vectors) * self.step_s

    @property
    def end_s(self) -> float:
        """Where the last step ends, in seconds."""
        return self.start_s + self.duration_s

    @property
    def video_end_s(self) -> float:
        """Where the last step ends, or the video before that, in seconds."""
        return min(self.end_s, self.length_s)

    @property
    def times_s(self) -> FloatArray:
        """The centre of each step in seconds, shape ``(steps,)``."""
        return self.start_s + (np.arange(len(self.vectors), dtype=np.float64) + 0.5) * self.step_s

    def frame_of_step(self) -> IntArray:
        """The frame that each step shows, counted from 0, shape ``(steps,)``: steps in a row of one vector show one."""
        new = np.ones(len(self.vectors), dtype=bool)
        at, last = 0, np.array(self.vectors[:0])
        for chunk in chunks(self.vectors, _STEPS_AT_ONCE):
            rows = np.concatenate([last, chunk])
            new[at + len(chunk) - len(rows) + 1 : at + len(chunk)] = (rows[1:] != rows[:-1]).any(axis=1)
            at, last = at + len(chunk), np.array(chunk[-1:])
        return np.cumsum(new) - 1

    def require_finite(self, where: str) -> None:
        """Refuses a NaN or an infinity, which would spread, by an `InputError` that names the step."""
        at = 0
        for chunk in chunks(self.vectors):
            faulty = ~np.isfinite(chunk)
            if faulty.any():
                step, number = (int(place[0]) for place in faulty.nonzero())
                raise InputError(
                    f"{where}: step {at + step} ({self.start_s + (at + step) * self.step_s:g} s) of {self.extractor} "
                    f"holds {chunk[step, number]} at number {number}, which is not finite in {chunk.dtype}; extract "
                    "the video again"
                )
            at += len(chunk)

    def resampled(self, step_s: float, start_s: float | None = None) -> Features:
        """The features on steps of another length, by linear interpolation between centres; vectors hold beyond these.

        The steps are as many as reach from ``start_s``, by default the same, to the end to the nearest whole step, at
        least one. A ValueError for a length that is not positive.
        """
        if not (math.isfinite(step_s) and step_s > 0):
            raise ValueError(f"a step lasts a positive time, not {step_s} s")
        start_s = self.start_s if start_s is None else start_s
        steps = max(1, round((self.end_s - start_s) / step_s))
        mixed = self.at(start_s + (np.arange(steps) + 0.5) * step_s)
        vectors = mixed if self.vectors.dtype == np.float32 else mixed.astype(np.float16)
        return replace(self, vectors=vectors, start_s=start_s, step_s=step_s)

    def at(self, times_s: npt.NDArray[np.floating]) -> Float32Array:
        """The vectors at ascending instants, by linear interpolation between centres, shape ``(times, dimension)``."""
        last = len(self.vectors) - 1
        places = np.clip((times_s - self.start_s) / self.step_s - 0.5, 0, last)
        left = places.astype(np.int64)
        weights = (places - left).astype(np.float32)[:, None]
        # Only the part that is looked at is read and widened to 32 bits.
        first = left[0]
        seen = self.vectors[first : left[-1] + 2].astype(np.float32)
        before = seen[left - first]
        after: Float32Array = seen[np.minimum(left + 1, last) - first]
        after -= before
        after *= weights
        after += before
        return after


def chunks(rows: Vectors, most: int = 0) -> Iterator[Vectors]:
    """Rows, so many at a time or two megabytes of them; of a memory map no more than that stays in memory."""
    most = most or max(1, CHUNK_BYTES // (rows.shape[1] * rows.itemsize))
    for at in range(0, len(rows), most):
        yield rows[at : at + most]
        release(rows)


def release(rows: Array) -> None:
    """Let go of what was read of a memory map; it is read from the file again when it is looked at again."""
    mapped: object = rows
    while isinstance(mapped, np.ndarray):
        mapped = mapped.base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def widened(numbers: Vectors) -> Float32Array:
    """The same finite numbers, of the same shape; several times as fast as ``astype``."""
    if numbers.dtype != np.float16:
        return numbers.astype(np.float32)
    bits = numbers.view(np.int16).astype(np.int32)
    bits <<= _LONGER
    bits &= _KEPT
    wide = bits.view(np.float32)
    wide *= _LOWER
    return wide
