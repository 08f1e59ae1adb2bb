"""Stores in the field's form and back: the same numbers, on the same clock."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from asst.errors import InputError
from asst.features.stores.external import Timing, open_store, to_hdf5, to_store
from asst.features.stores.native import Provenance, Store
from asst.features.values import Features


def filled(folder: Path, step_s: float = 0.25) -> Store:
    store = Store(folder)
    for index, video in enumerate(("a", "deep/b.mp4")):
        vectors = np.random.default_rng(index).random((5 + index, 3)).astype(np.float16)
        store.write(video, Features(vectors, 0.5, step_s, "rgb"), Provenance("p", f"c{index}", "w", "DIS"))
    return store


def test_a_store_goes_to_hdf5_and_back(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    told: list[tuple[int, int]] = []
    assert to_hdf5(store, tmp_path / "all.hdf5", lambda done, of: told.append((done, of))) == 2
    assert told == [(1, 2), (2, 2)]
    with h5py.File(tmp_path / "all.hdf5") as file:
        assert sorted(file) == ["a", "deep%2Fb.mp4"]
        assert file["a"].shape == (5, 3)
        assert (file.attrs["extractor"], file.attrs["step_s"]) == ("rgb", 0.25)
    opened = open_store(tmp_path / "all.hdf5")
    back = Store(tmp_path / "back")
    assert to_store(opened, back) == 2
    assert back.videos() == store.videos()
    for video in store.videos():
        before, after = store.read(video), back.read(video)
        np.testing.assert_array_equal(after.vectors, before.vectors)
        assert (after.start_s, after.step_s, after.extractor) == (0.5, 0.25, "rgb")
        assert back.provenance(video) == Provenance("p", "", "w")
        assert back.provenance(video).flow == "DIS"


def test_a_published_file_becomes_a_store_of_ours(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "c3d.h5", "w") as file:
        file["v1"] = np.ones((4, 2), dtype=np.float32)
    store = Store(tmp_path / "store")
    to_store(open_store(tmp_path / "c3d.h5", Timing("c3d", 0.5)), store)
    assert (store.extractor(), store.read("v1").duration_s) == ("c3d", 2.0)
    assert store.provenance("v1") == Provenance()


def test_one_file_has_one_clock_and_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    store.write("c", Features(np.ones((2, 3), dtype=np.float16), 0.5, 0.3, "rgb"))
    with pytest.raises(InputError, match=r"c has steps of 0\.3 s .* an HDF5 file has one clock"):
        to_hdf5(store, tmp_path / "all.hdf5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]
    with pytest.raises(InputError, match="holds no features"):
        to_hdf5(Store(tmp_path / "none"), tmp_path / "all.hdf5")
