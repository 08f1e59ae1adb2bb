"""Rows in memory and in a file are the same rows, gone through a few at a time; a full disk is told in a line."""

from __future__ import annotations

import re
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from asst.errors import InputError
from asst.features.disk_rows import SpillingRows, concatenated, side_by_side
from asst.features.stores.native import Store
from asst.features.values import Features, Vectors, chunks, release

DIMENSION = 6
MB = 2**20


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
        np.testing.assert_array_equal(np.concatenate(list(chunks(found, most))), expected)
    np.testing.assert_array_equal(found, expected)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told() -> None:
    rows = filled([1] * 4, held_rows=4)
    rows._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    with pytest.raises(InputError, match=r"^cannot write to .*; free some space or set TMPDIR$"):
        rows.append(np.zeros(DIMENSION, dtype=np.float16), 1)
    rows._file.close()


def test_rows_in_memory_are_handed_over_and_not_held_twice() -> None:
    rows = SpillingRows(1024)
    for value in range(4096):
        rows.append(np.full(1024, value % 7, dtype=np.float16), 1)
    tracemalloc.start()
    try:
        found = rows.finished()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.nbytes == 8 * MB
    assert found.base is None
    assert peak < found.nbytes + MB
    np.testing.assert_array_equal(found[:, 5], np.arange(4096) % 7)


def mapped(folder: Path, megabytes: int = 48) -> Vectors:
    """Features of ones on disk, of 16 KB a row, as the networks of long videos leave them."""
    path = folder / "long.bin"
    made = np.memmap(path, np.float16, mode="w+", shape=(megabytes * 64, 8192))
    made[:] = 1
    made.flush()
    del made
    return np.memmap(path, np.float16, mode="r", shape=(megabytes * 64, 8192))


def resident(path: Path) -> int:
    """Bytes of a mapped file that are in this process's memory."""
    maps = Path("/proc/self/smaps").read_text()
    return sum(1024 * int(kilobytes) for kilobytes in re.findall(rf"{path}\n(?:.*\n)*?Rss: +(\d+) kB", maps))


def test_going_through_a_long_video_leaves_a_few_pieces_in_memory(tmp_path: Path) -> None:
    rows = mapped(tmp_path)
    most = 0
    for chunk in chunks(rows[1:]):
        assert chunk.sum(dtype=np.float64) == chunk.size
        most = max(most, resident(tmp_path / "long.bin"))
    # Reading a mapped file also brings in what lies around.
    assert chunk.nbytes <= most < 8 * MB
    assert resident(tmp_path / "long.bin") == 0
    assert rows.sum(dtype=np.float64) == rows.size
    assert resident(tmp_path / "long.bin") == rows.nbytes


def test_long_features_are_checked_joined_and_written_in_pieces(tmp_path: Path) -> None:
    rows = mapped(tmp_path)
    long = Features(rows, 0.0, 0.25, "a")
    store = Store(tmp_path / "store")
    tracemalloc.start()
    try:
        both = concatenated(long, Features(rows[:-1], 0.0, 0.25, "b"))
        store.write("v", both)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Vectors are held up to 32 MB before they are spilled; a byte a number would be 48 MB.
    assert both.vectors.nbytes > 95 * MB
    assert peak < 40 * MB
    assert isinstance(both.vectors, np.memmap)
    assert resident(tmp_path / "long.bin") == 0
    found = store.read("v")
    assert (found.extractor, found.dimension, len(found)) == ("a+b", 16384, len(rows) - 1)
    assert found.vectors.sum(dtype=np.float64) == found.vectors.size


def test_a_wrong_number_at_the_end_of_long_features_leaves_no_file(tmp_path: Path) -> None:
    rows = mapped(tmp_path, 8)
    hurt = np.memmap(tmp_path / "long.bin", np.float16, mode="r+", shape=rows.shape)
    hurt[-1, -1] = np.nan
    hurt.flush()
    store = Store(tmp_path / "store")
    with pytest.raises(InputError, match=r"v: step .* which is not finite"):
        store.write("v", Features(rows, 0.0, 0.25, "a"))
    assert store.videos() == ()


def test_rows_side_by_side_have_the_wider_type() -> None:
    left = np.arange(6, dtype=np.float16).reshape(3, 2)
    right = np.linspace(0, 1, 9, dtype=np.float32).reshape(3, 3)
    joined = side_by_side(left, right)
    assert joined.dtype == np.float32
    np.testing.assert_array_equal(joined, np.concatenate([left, right], axis=1))
