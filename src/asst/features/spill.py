"""Rows that come one after another and are many: in memory while they are few, in a temporary file beyond that."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt

from asst.errors import InputError

Rows = npt.NDArray[np.float16]

# Of features of 3 * 1280 numbers, half an hour at two steps a second.
_HELD_BYTES = 32 * 2**20


class SpillingRows:
    """Collects rows of ``float16``.

    The memory is set aside at once and touched as it fills: rows kept one by one would lie between the large arrays
    of the work that makes them, and hold their memory back from the system.

    Args:
        dimension: numbers in a row.
        held_bytes: how much stays in memory.
    """

    def __init__(self, dimension: int, held_bytes: int = _HELD_BYTES) -> None:
        self._held = np.empty((max(1, held_bytes // (2 * dimension)), dimension), dtype=np.float16)
        self._in_memory = 0
        self._file: IO[bytes] | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, row: Rows, times: int) -> None:
        """Add a row ``times`` times.

        Raises:
            InputError: when the disk is full.
        """
        for _ in range(times):
            if self._in_memory == len(self._held):
                self._spill()
            self._held[self._in_memory] = row
            self._in_memory += 1
        self._length += times

    def finished(self) -> Rows:
        """All the rows, shape ``(rows, dimension)``: an array, or a memory map of a file that goes when the map does.

        Raises:
            InputError: when the disk is full.
        """
        if self._file is None:
            return self._held[: self._in_memory].copy()
        self._spill()
        with self._file:
            return np.memmap(self._file, dtype=np.float16, mode="r", shape=(self._length, self._held.shape[1]))

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="asst-")  # noqa: SIM115 - lives as long as the rows
            self._file.write(self._held[: self._in_memory].data)
            self._file.flush()
        except OSError as error:
            raise InputError(
                f"cannot write to {tempfile.gettempdir()}: {error.strerror or error}; free some space or set TMPDIR"
            ) from error
        self._in_memory = 0


def blocks(rows: npt.NDArray[np.floating], most: int) -> Iterator[npt.NDArray[np.float32]]:
    """Rows as ``float32``, at most ``most`` at a time; of a memory map no more than that stays in memory."""
    for at in range(0, len(rows), most):
        yield rows[at : at + most].astype(np.float32)
        release(rows)


def release(rows: npt.NDArray[np.floating]) -> None:
    """Let go of what was read of a memory map; it is read from the file again when it is looked at again."""
    mapped: object = rows.base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
