"""The store of ours: what goes in comes out, whole or not at all, and damage is told."""

from __future__ import annotations

import os
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from asst.errors import InputError
from asst.features.stores.external import open_store
from asst.features.stores.native import ConcatenatedStore, Provenance, Store, file_name, read_file, require, video_name
from asst.features.values import Features


def features(steps: int = 6, dimension: int = 4, name: str = "rgb", step_s: float = 0.1) -> Features:
    vectors = np.random.default_rng(steps).random((steps, dimension), dtype=np.float32)
    return Features(vectors, 0.25, step_s, name)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_what_is_written_is_read(tmp_path: Path, dtype: type) -> None:
    made = Features(np.random.default_rng(0).random((7, 5)).astype(dtype), 0.1, 1 / 3, "rgb")
    store = Store(tmp_path / "new" / "folder")
    path = store.write("a/b c.mp4", made, Provenance(preprocessing="abc", content="def", flow="DIS"))
    found = Store(store.folder).read("a/b c.mp4")
    np.testing.assert_array_equal(found.vectors, made.vectors)
    assert found.vectors.dtype == made.vectors.dtype
    assert (found.start_s, found.step_s, found.extractor) == (0.1, 1 / 3, "rgb")
    assert store.provenance("a/b c.mp4") == Provenance("abc", "def")
    assert store.provenance("a/b c.mp4").flow == "DIS"
    assert store.videos() == ("a/b c.mp4",)
    assert "a/b c.mp4" in store
    assert "a" not in store
    with safe_open(path, framework="numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("vectors"), made.vectors)
        assert file.metadata()["dimension"] == "5"


def test_vectors_are_mapped_and_cannot_be_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("v", features())
    vectors = store.read("v").vectors
    assert isinstance(vectors, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        vectors[0, 0] = 1


def test_parts_of_a_larger_array_are_written_as_they_are_seen(tmp_path: Path) -> None:
    large = np.arange(40, dtype=np.float32).reshape(8, 5)
    store = Store(tmp_path)
    store.write("v", Features(large[::2, 1:3], 0.0, 1.0, "rgb"))
    np.testing.assert_array_equal(store.read("v").vectors, large[::2, 1:3])


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_names_of_videos_survive_and_never_leave_the_folder(video: str) -> None:
    name = file_name(video)
    assert video_name(name) == video
    assert set(name) <= set(string.ascii_letters + string.digits + "_.-~%")
    assert not name.startswith(".")


@pytest.mark.parametrize("video", ["", "x" * 241, "\u00e9" * 41])
def test_names_that_no_file_can_have_are_refused(video: str) -> None:
    with pytest.raises(InputError, match="not a video name"):
        file_name(video)


def test_another_extractor_or_dimension_is_refused_by_name(tmp_path: Path) -> None:
    Store(tmp_path).write("v", features())
    for store in (Store(tmp_path), Store(tmp_path)):
        with pytest.raises(InputError, match=r"is of flow \(dimension 4\), the rest of the folder of rgb"):
            store.write("w", features(name="flow"))
        with pytest.raises(InputError, match=r"is of rgb \(dimension 3\)"):
            store.write("w", features(dimension=3))
    other = Store(tmp_path / "other")
    other.write("w", features(dimension=3)).rename(tmp_path / "w.safetensors")
    store = Store(tmp_path)
    store.read("v")
    with pytest.raises(InputError, match=r"w\.safetensors is of rgb \(dimension 3"):
        store.read("w")


def test_numbers_that_are_not_finite_are_not_kept(tmp_path: Path) -> None:
    bad = features()
    bad.vectors[2, 1] = np.nan
    with pytest.raises(InputError, match=r"v: step .* which is not finite"):
        Store(tmp_path).write("v", bad)
    assert Store(tmp_path).videos() == ()


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.write("v", features(6))

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match=r"cannot write .*No space left on device"):
        store.write("v", features(9))
    assert len(store.read("v").vectors) == 6
    assert os.listdir(tmp_path) == ["v.safetensors"]  # noqa: PTH208


def test_a_reader_keeps_what_it_has_while_the_file_is_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("v", features(6))
    before = store.read("v")
    store.write("v", features(9))
    np.testing.assert_array_equal(before.vectors, features(6).vectors)
    assert len(store.read("v").vectors) == 9


@given(data=st.data())
@settings(max_examples=150)
def test_a_damaged_file_is_told_and_never_anything_worse(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    path = Store(folder).write("v", features())
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        end = 8 + int.from_bytes(content[:8], "little")
        for place in data.draw(st.lists(st.integers(0, end - 1), min_size=1, max_size=4)):
            content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    message = f"{path} is read"
    try:
        found, _ = read_file(path)
        assert found.vectors.size == len(found.vectors.tobytes()) // found.vectors.dtype.itemsize
    except InputError as error:
        message = str(error)
    assert str(path) in message
    assert "\n" not in message


@pytest.mark.parametrize("left", [0, 30, -1])
def test_a_damaged_file_stops_neither_its_repair_nor_others(tmp_path: Path, left: int) -> None:
    path = Store(tmp_path).write("a", features())
    path.write_bytes(path.read_bytes()[:left])
    Store(tmp_path).write("b", features(7))
    assert isinstance(open_store(tmp_path), Store)
    Store(tmp_path).write("a", features(6))
    assert [len(Store(tmp_path).read(video).vectors) for video in "ab"] == [6, 7]


def test_a_truncated_file_is_called_damaged(tmp_path: Path) -> None:
    path = Store(tmp_path).write("v", features())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"v\.safetensors is damaged \(cut short\); delete it"):
        Store(tmp_path).read("v")


def test_missing_videos_are_named_up_to_five(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("v0", features())
    require(store, ["v0", "v0"])
    with pytest.raises(InputError, match=r"^7 videos have no features: v1, v2, v3, v4, v5, \.\.\.;"):
        require(store, [f"v{index}" for index in range(8)])
    with pytest.raises(InputError, match="no features of v9"):
        store.read("v9")
    with pytest.raises(InputError, match="no features of v9"):
        store.provenance("v9")


def test_joined_stores_give_the_videos_and_numbers_of_all(tmp_path: Path) -> None:
    rgb, flow = Store(tmp_path / "rgb"), Store(tmp_path / "flow")
    for video in ("a", "b"):
        rgb.write(video, features(6, 4))
    flow.write("b", features(5, 2, "flow"))
    flow.write("c", features(5, 2, "flow"))
    both = ConcatenatedStore([rgb, flow])
    assert both.videos() == ("b",)
    assert both.read("b").vectors.shape == (5, 6)
    assert both.read("b").extractor == "rgb+flow"
    with pytest.raises(InputError, match="no features of a"):
        both.read("a")
