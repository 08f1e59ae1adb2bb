"""Features while they are made: in memory while they are few, in a temporary file beyond that."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import IO

import numpy as np
import numpy.typing as npt

from asst.errors import InputError, WriteError
from asst.features.values import CHUNK_BYTES, SAME_CLOCK, Features, Vectors, chunks

# Of features of 3 * 1280 numbers, half an hour at two steps a second.
_HELD_BYTES = 32 * 2**20
_MOST_APART_STEPS, _MOST_APART = 2, 0.05


class SpillingRows:
    """Collects rows of one type.

    Memory is set aside at once: rows kept one by one would lie between the large arrays of the work that makes them.
    """

    def __init__(self, dimension: int, held_bytes: int = _HELD_BYTES, dtype: npt.DTypeLike = np.float16) -> None:
        row_bytes = dimension * np.dtype(dtype).itemsize
        self._held = np.empty((max(1, held_bytes // row_bytes), dimension), dtype=dtype)
        self._in_memory = 0
        self._file: IO[bytes] | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, row: Vectors, times: int) -> None:
        """Add a row ``times`` times; raises as `finished`."""
        for _ in range(times):
            if self._in_memory == len(self._held):
                self._spill()
            self._held[self._in_memory] = row
            self._in_memory += 1
        self._length += times

    def finished(self) -> Vectors:
        """All the rows, handed over: an array, or a memory map of a file that goes when the map does; or WriteError."""
        dimension = self._held.shape[1]
        if self._file is None:
            held, self._held = self._held, self._held[:0]
            # Gives back in place what was not filled.
            held.resize((self._in_memory, dimension), refcheck=False)
            return held
        self._spill()
        with self._file:
            return np.memmap(self._file, dtype=self._held.dtype, mode="r", shape=(self._length, dimension))

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="asst-")  # noqa: SIM115 - lives as long as the rows
            self._file.write(self._held[: self._in_memory].data)
            self._file.flush()
        except OSError as error:
            reason = f"{error.strerror or error}; free some space or set TMPDIR"
            raise WriteError(f"to {tempfile.gettempdir()}", reason) from error
        self._in_memory = 0


def side_by_side(first: Vectors, second: Vectors) -> Vectors:
    """As many rows of each, one after the other in every row, of the wider type; raises as `SpillingRows.finished`."""
    dtype = np.result_type(first, second)
    dimension = first.shape[1] + second.shape[1]
    row_bytes = dimension * dtype.itemsize
    joined = SpillingRows(dimension, min(_HELD_BYTES, len(first) * row_bytes), dtype)
    most = max(1, CHUNK_BYTES // row_bytes)
    for left, right in zip(chunks(first, most), chunks(second, most), strict=True):
        for row in np.concatenate([left, right], axis=1):
            joined.append(row, 1)
    return joined.finished()


def concatenated(first: Features, second: Features) -> Features:
    """Two streams of one video side by side, such as appearance and flow, on the first's clock.

    The second is resampled to it if its own is another. The shots are the first's, or the second's where the first has
    none. Some features are slightly longer than others, as flow has a frame less than appearance: the longer are cut,
    and refused by an `InputError` if they have more steps by more than two and 5 %.
    """
    own, tolerance = second, SAME_CLOCK * first.step_s
    if abs(first.step_s - second.step_s) > tolerance or abs(first.start_s - second.start_s) > tolerance:
        own = second.resampled(first.step_s, first.start_s)
    steps, most = sorted((len(first.vectors), len(own.vectors)))
    if most - steps > max(_MOST_APART_STEPS, _MOST_APART * most):
        raise InputError(
            f"{first.extractor} and {second.extractor} cover different times: {first!r}, {second!r}; extract both from "
            "one file, or correct the length of a step"
        )
    joined = side_by_side(first.vectors[:steps], own.vectors[:steps])
    cuts_s = first.cuts_s if len(first.cuts_s) else second.cuts_s
    return replace(first, vectors=joined, extractor=f"{first.extractor}+{second.extractor}", cuts_s=cuts_s)
