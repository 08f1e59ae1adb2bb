"""Features that are many: in memory while they are few, in a temporary file beyond that, and gone through in chunks.

Neither holding, checking nor writing the features of a long video takes more memory than a few chunks of them.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt

from asst.errors import WriteError
from asst.moments import Array, Float16Array, Float32Array

Vectors = Float16Array | Float32Array

# Of features of 3 * 1280 numbers, half an hour at two steps a second.
_HELD_BYTES = 32 * 2**20
_CHUNK_BYTES = 2 * 2**20
# The exponent of 16 bits begins 112 lower than that of 32, whose fraction is 13 bits longer.
_LOWER = np.float32(2.0**112)
_LONGER = 13
# Of a shifted number: the sign, the exponent of 16 bits and the fraction.
_KEPT = np.int32(-0x70000001)


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


def chunks(rows: Vectors, most: int = 0) -> Iterator[Vectors]:
    """Rows, so many at a time or two megabytes of them; of a memory map no more than that stays in memory."""
    most = most or max(1, _CHUNK_BYTES // (rows.shape[1] * rows.itemsize))
    for at in range(0, len(rows), most):
        yield rows[at : at + most]
        release(rows)


def side_by_side(first: Vectors, second: Vectors) -> Vectors:
    """As many rows of each, one after the other in every row, of the wider type; raises as `SpillingRows.finished`."""
    dtype = np.result_type(first, second)
    dimension = first.shape[1] + second.shape[1]
    row_bytes = dimension * dtype.itemsize
    joined = SpillingRows(dimension, min(_HELD_BYTES, len(first) * row_bytes), dtype)
    most = max(1, _CHUNK_BYTES // row_bytes)
    for left, right in zip(chunks(first, most), chunks(second, most), strict=True):
        for row in np.concatenate([left, right], axis=1):
            joined.append(row, 1)
    return joined.finished()


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
