"""Stores of the forms that the field publishes, written here by the libraries that write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from asst.errors import InputError
from asst.features.stores.external import Timing, open_store
from asst.features.stores.native import FeatureStore, Store
from asst.features.values import Features, Vectors

NUMBERS: Vectors = np.random.default_rng(0).random((6, 4), dtype=np.float32)
OTHERS: Vectors = np.random.default_rng(1).random((9, 4), dtype=np.float32)
CLOCK = Timing("c3d", step_s=5.0)


def hdf5(path: Path) -> FeatureStore:
    with h5py.File(path / "all.h5", "w") as file:
        file["v_1"], file["v_2"] = NUMBERS, OTHERS
    return open_store(path / "all.h5", CLOCK)


def hdf5_groups(path: Path) -> FeatureStore:
    with h5py.File(path / "all.hdf5", "w") as file:
        file["v_1/c3d_features"], file["v_2/c3d_features"] = NUMBERS, OTHERS
    return open_store(path / "all.hdf5", CLOCK)


def npy(path: Path) -> FeatureStore:
    np.save(path / "v_1.npy", NUMBERS)
    np.save(path / "v_2.npy", OTHERS[None])
    return open_store(path, CLOCK)


def npz(path: Path) -> FeatureStore:
    np.savez(path / "v_1.npz", features=NUMBERS, mask=np.ones(6))
    np.savez(path / "v_2.npz", features=OTHERS, mask=np.ones(9))
    return open_store(path, CLOCK, key="features")


def pt(path: Path) -> FeatureStore:
    torch.save(torch.from_numpy(NUMBERS), path / "v_1.pt")
    torch.save({"features": torch.from_numpy(OTHERS)[:, :, None, None]}, path / "v_2.pt")
    return open_store(path, CLOCK)


def safetensors(path: Path) -> FeatureStore:
    save_file({"x": NUMBERS}, path / "v_1.safetensors")
    save_file({"x": OTHERS}, path / "v_2.safetensors")
    return open_store(path, CLOCK)


@pytest.mark.parametrize("published", [hdf5, hdf5_groups, npy, npz, pt, safetensors])
def test_published_forms_are_read(tmp_path: Path, published: Callable[[Path], FeatureStore]) -> None:
    store = published(tmp_path)
    assert store.videos() == ("v_1", "v_2")
    for video, numbers in (("v_1", NUMBERS), ("v_2", OTHERS)):
        found = store.read(video)
        np.testing.assert_array_equal(found.vectors, numbers)
        assert (found.step_s, found.start_s, found.extractor) == (5.0, 0.0, "c3d")
    with pytest.raises(InputError, match="no features of v_3"):
        store.read("v_3")


def test_steps_can_divide_the_durations_of_videos(tmp_path: Path) -> None:
    np.save(tmp_path / "v_1.npy", NUMBERS)
    np.save(tmp_path / "v_2.npy", OTHERS)
    store = open_store(tmp_path, Timing("i3d", durations_s={"v_1": 30.0}, start_s=0.5))
    assert (store.read("v_1").step_s, store.read("v_1").end_s) == (5.0, 30.5)
    with pytest.raises(InputError, match="the duration of v_2 is not known"):
        store.read("v_2")
    for wrong in ({}, {"step_s": 1.0, "durations_s": {"v": 2.0}}):
        with pytest.raises(InputError, match="and not both"):
            Timing("i3d", **wrong)  # type: ignore[arg-type]


def test_other_numbers_become_float32_and_half_precision_stays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", NUMBERS.astype(np.float64))
    np.save(tmp_path / "b.npy", NUMBERS.astype(np.float16))
    np.save(tmp_path / "c.npy", np.array([["x"]]))
    torch.save(torch.ones(2, 4, dtype=torch.bfloat16), tmp_path / "d.pt")
    store = open_store(tmp_path, CLOCK)
    assert [str(store.read(video).vectors.dtype) for video in "abd"] == ["float32", "float16", "float32"]
    with pytest.raises(InputError, match=r"c\.npy: features are numbers"):
        store.read("c")


def test_videos_of_different_width_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", NUMBERS)
    np.save(tmp_path / "b.npy", NUMBERS[:, :3])
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file["a"], file["b"] = NUMBERS, NUMBERS[:, :3]
    for store in (open_store(tmp_path, CLOCK), open_store(tmp_path / "all.h5", CLOCK)):
        store.read("a")
        with pytest.raises(InputError, match=r"b.*: dimension 3, where other videos have 4"):
            store.read("b")


def test_files_of_several_arrays_need_a_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", rgb=NUMBERS, flow=NUMBERS)
    with pytest.raises(InputError, match=r"a\.npz: it holds several arrays; name one of rgb, flow"):
        open_store(tmp_path, CLOCK).read("a")
    with pytest.raises(InputError, match="it holds no array depth; name one of rgb, flow"):
        open_store(tmp_path, CLOCK, key="depth").read("a")


class Hostile:
    """An object that a pickle would have to import."""


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pt", "a.safetensors"])
def test_damaged_files_are_told_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x00not what it says")
    with pytest.raises(InputError, match=rf"{name}") as caught:
        open_store(tmp_path, CLOCK).read("a")
    assert "\n" not in str(caught.value)


def broken_links(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["sound"] = np.ones((3, 2), dtype=np.float32)
        file["soft"] = h5py.SoftLink("/nowhere")
        file["external"] = h5py.ExternalLink("gone.hdf5", "/v")
        file["itself"] = h5py.SoftLink("/itself")
        file.create_group("group")["inner"] = h5py.SoftLink("/nowhere")
        file.create_group("nested").create_group("inner")["v"] = np.ones((3, 2), dtype=np.float32)
        file["kind"] = np.dtype("f4")
        file["empty"] = h5py.Empty("f4")


@pytest.mark.parametrize("video", ["soft", "external", "itself", "group", "nested", "kind", "empty"])
def test_a_broken_link_is_told_with_file_and_video(tmp_path: Path, video: str) -> None:
    broken_links(tmp_path / "all.hdf5")
    store = open_store(tmp_path / "all.hdf5", CLOCK)
    assert len(store.read("sound")) == 3
    assert video in store
    with pytest.raises(InputError, match=rf"all\.hdf5, {video}: ") as refused:
        store.read(video)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("options", [{"compression": "gzip"}, {"fletcher32": True}])
def test_a_damaged_chunk_is_told_with_file_and_video(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "all.hdf5"
    rows = np.random.default_rng(0).normal(size=(400, 64)).astype(np.float32)
    with h5py.File(path, "w") as file:
        file["sound"] = rows[:2]
        hurt = file.create_dataset("hurt", data=rows, chunks=(50, 64), **options)
        chunk = hurt.id.get_chunk_info(3)
    content = bytearray(path.read_bytes())
    middle = chunk.byte_offset + chunk.size // 2
    content[middle : middle + 64] = bytes(byte ^ 255 for byte in content[middle : middle + 64])
    path.write_bytes(content)
    store = open_store(path, CLOCK)
    assert len(store.read("sound")) == 2
    with pytest.raises(InputError, match=r"cannot read .*all\.hdf5, hurt: ") as refused:
        store.read("hurt")
    assert "\n" not in str(refused.value)


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_an_hdf5_file_with_any_bytes_changed_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("changed") / "all.hdf5"
    broken_links(path)
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=12)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    said = ""
    try:
        store = open_store(path, CLOCK)
        for video in store.videos():
            store.provenance(video)
            store.read(video)
    except InputError as refused:
        said = str(refused)
    assert "\n" not in said


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([Hostile()], dtype=object), allow_pickle=True)
    torch.save(Hostile(), tmp_path / "b.pt")
    store = open_store(tmp_path, CLOCK)
    for video in "ab":
        with pytest.raises(InputError, match=f"cannot read .*{video}"):
            store.read(video)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(InputError, match="no feature store at"):
        open_store(tmp_path / "nowhere", CLOCK)
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file["v"] = np.zeros((3, 2), dtype=np.float32)
    with pytest.raises(InputError, match="does not say how long a step is"):
        open_store(tmp_path / "plain.h5")
    with pytest.raises(InputError, match=r"cannot read .* as HDF5"):
        open_store(tmp_path / "text.h5", CLOCK).videos()
    with pytest.raises(InputError, match="expected one file a video"):
        open_store(tmp_path, CLOCK)
    np.save(tmp_path / "a.npy", NUMBERS)
    np.savez(tmp_path / "a.npz", NUMBERS)
    with pytest.raises(InputError, match=r"a has two files in .*: a\.npy and a\.npz"):
        open_store(tmp_path, CLOCK)
    np.save(tmp_path / "flat.npy", NUMBERS[0])
    (tmp_path / "a.npz").unlink()
    with pytest.raises(InputError, match=r"flat\.npy: features have the shape \(steps, dimension\), not \(4,\)"):
        open_store(tmp_path, CLOCK).read("flat")


def test_a_store_of_ours_needs_no_clock(tmp_path: Path) -> None:
    Store(tmp_path).write("v", Features(NUMBERS, 0.0, 0.5, "rgb"))
    store = open_store(tmp_path)
    assert isinstance(store, Store)
    assert store.read("v").step_s == 0.5


def test_a_foreign_file_in_a_store_of_ours_is_told(tmp_path: Path) -> None:
    Store(tmp_path).write("v", Features(NUMBERS, 0.0, 0.5, "rgb"))
    save_file({"x": NUMBERS}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"w\.safetensors has no header of ours"):
        open_store(tmp_path).read("w")
