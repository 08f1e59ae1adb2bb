"""One number that is not finite is found by every reader, which says where it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.numpy import save_file

from asst.errors import InputError
from asst.features.stores.external import Timing, open_store
from asst.features.stores.native import ConcatenatedStore, FeatureStore, Provenance, Store, write_file
from asst.features.values import Features

Rows = npt.NDArray[np.floating]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 127, 128, 2000, 2500])
def test_one_wrong_number_anywhere_is_found_and_named(wrong: float, row: int) -> None:
    rows = np.ones((2501, 8192), dtype=np.float16)
    Features(rows, 1.0, 0.5, "rgb").require_finite("v")
    rows[row, 8191] = wrong
    said = rf"v: step {row} \({1 + row / 2:g} s\) of rgb holds {wrong} at number 8191, which is not finite"
    with pytest.raises(InputError, match=said):
        Features(rows, 1.0, 0.5, "rgb").require_finite("v")
    Features(rows[:, :-1], 1.0, 0.5, "rgb").require_finite("v")


def _npz(path: Path, rows: Rows) -> None:
    np.savez(path, rows=rows)


def _folder(ending: str, write: Callable[[Path, Rows], object]) -> Callable[[Path, Rows], FeatureStore]:
    def written(folder: Path, rows: Rows) -> FeatureStore:
        write(folder / f"v{ending}", rows)
        return open_store(folder, Timing("rgb", 0.5))

    return written


def _hdf5(folder: Path, rows: Rows) -> FeatureStore:
    with h5py.File(folder / "all.hdf5", "w") as file:
        file["v"] = rows
    return open_store(folder / "all.hdf5", Timing("rgb", 0.5))


def _ours(folder: Path, rows: Rows) -> FeatureStore:
    write_file(folder / "v.safetensors", Features(rows.astype(np.float32), 0.0, 0.5, "rgb"), Provenance())
    return Store(folder)


STORES = {
    "npy": _folder(".npy", np.save),
    "npz": _folder(".npz", _npz),
    "pt": _folder(".pt", lambda path, rows: torch.save(torch.from_numpy(rows), path)),
    "safetensors": _folder(".safetensors", lambda path, rows: save_file({"rows": rows}, path)),
    "hdf5": _hdf5,
    "ours": _ours,
}


@pytest.mark.parametrize("form", STORES)
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_every_reader_refuses_it_with_video_step_and_stream(tmp_path: Path, form: str, wrong: float) -> None:
    rows = np.ones((9, 4), dtype=np.float32)
    rows[5, 2] = wrong
    store = STORES[form](tmp_path, rows)
    said = rf"{tmp_path}.*, v: step 5 \(2\.5 s\) of rgb holds {wrong} at number 2"
    for _ in range(2):
        with pytest.raises(InputError, match=said):
            store.read("v")
    flow = tmp_path / "flow"
    Store(flow).write("v", Features(np.ones((9, 4), dtype=np.float32), 0.0, 0.5, "flow"))
    with pytest.raises(InputError, match=said):
        ConcatenatedStore([Store(flow), store]).read("v")


@pytest.mark.parametrize("form", ["npy", "npz", "pt", "safetensors", "hdf5"])
def test_a_number_that_single_precision_cannot_hold_is_refused(tmp_path: Path, form: str) -> None:
    rows = np.ones((9, 4))
    rows[5, 2] = 1e300
    with pytest.raises(InputError, match=r"v: step 5 \(2\.5 s\) of rgb holds inf .* not finite in float32"):
        STORES[form](tmp_path, rows).read("v")


def test_a_file_that_was_sound_and_is_written_anew_is_looked_at_anew(tmp_path: Path) -> None:
    rows = np.ones((9, 4), dtype=np.float32)
    store = STORES["npy"](tmp_path, rows)
    assert len(store.read("v")) == 9
    rows[1] = np.nan
    np.save(tmp_path / "v.npy", rows)
    os.utime(tmp_path / "v.npy", ns=(1, 1))
    with pytest.raises(InputError, match="step 1 "):
        store.read("v")
