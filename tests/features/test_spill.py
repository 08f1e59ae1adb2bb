"""Rows in memory and in a file are the same rows; a full disk is told in a line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from asst.errors import InputError
from asst.features.spill import SpillingRows, blocks, release

DIMENSION = 6


def filled(counts: list[int], held_rows: int) -> SpillingRows:
    rows = SpillingRows(DIMENSION, held_bytes=held_rows * 2 * DIMENSION)
    for value, times in enumerate(counts):
        rows.append(np.arange(DIMENSION, dtype=np.float16) + value, times)
    return rows


@pytest.mark.parametrize("held_rows", [1, 3, 7, 8, 100])
def test_rows_come_back_whether_they_were_spilled_or_not(
    held_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    counts = [1, 3, 0, 2, 1]
    expected = np.repeat(np.arange(5)[:, None] + np.arange(DIMENSION), counts, axis=0)
    rows = filled(counts, held_rows)
    assert len(rows) == 7
    found = rows.finished()
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, expected)
    assert isinstance(found, np.memmap) == (held_rows < 7)
    # What was let go of is read again, and nothing is left in the folder.
    release(found)
    for most in (1, 2, 10):
        np.testing.assert_array_equal(np.concatenate(list(blocks(found, most))), expected)
    np.testing.assert_array_equal(found, expected)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told() -> None:
    rows = filled([1] * 4, held_rows=4)
    rows._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    with pytest.raises(InputError, match=r"^cannot write to .*; free some space or set TMPDIR$"):
        rows.append(np.zeros(DIMENSION, dtype=np.float16), 1)
    rows._file.close()


def test_blocks_are_float32() -> None:
    (block,) = blocks(np.ones((3, 2), dtype=np.float16), 5)
    assert block.dtype == np.float32
