"""A library from Python, by the default model."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import pytest

import asst
from asst.library.index import index
from asst.library.search import search
from asst.library.verify import Verdict, verify


def test_it_is_made_filled_and_asked(tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asst.library.engine.engine_of", fake.engine_of)
    video = fake.make_video(tmp_path / "a.mp4", "rrrrgggg")
    other = fake.make_video(tmp_path / "b.mp4", "bbgg")
    (tmp_path / "bad.mp4").write_text("no video")
    library = asst.Library.made(str(tmp_path / "library"))
    done = library.index([str(video), other, tmp_path / "bad.mp4"])
    assert [(one.path.name, one.state) for one in sorted(done, key=lambda one: one.path)] == [
        ("a.mp4", "indexed"),
        ("b.mp4", "indexed"),
        ("bad.mp4", "failed"),
    ]
    assert [one.state for one in library.index(str(video))] == ["kept"]
    again = asst.Library(str(tmp_path / "library"))
    assert repr(again) == f"Library({tmp_path / 'library'}: 2 videos, model default)"
    found = {(moment.video, moment.start_s, moment.end_s) for moment in again.search("green")}
    assert found == {(str(video), 2.0, 4.0), (str(other), 1.0, 2.0)}
    assert [moment.video for moment in again.search("green", top=1, within_glob="b*")] == [str(other)]
    assert again.search("green", min_score=2.0) == []


@pytest.mark.parametrize("address", ["s3://bucket/lib", "gs://b/deep/lib", "file:///lib", "az://b"])
def test_an_address_is_no_library_and_makes_no_folder_here(
    tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir(tmp_path)
    # A Path has lost one of the slashes.
    for given in (address, Path(address)):
        with pytest.raises(asst.InputError) as opened:
            asst.Library(given)
        with pytest.raises(asst.InputError) as made:
            asst.Library.made(given, fake.FakeEngine().identity)
        assert str(opened.value) == str(made.value)
        assert "a library must be on a file system of this machine" in str(made.value)
        assert str(made.value).startswith(f"{address.split(':')[0]}://")
    assert list(tmp_path.iterdir()) == []
    # A colon alone makes no address.
    library = asst.Library.made("a:b/lib", fake.FakeEngine().identity)
    with pytest.raises(asst.InputError, match=r"^s3://bucket/a\.mp4: a video must be on"):
        list(index([Path("s3://bucket/a.mp4")], library, fake.FakeEngine()))


def test_a_copy_of_its_folder_is_the_same_library(tmp_path: Path, fake: ModuleType) -> None:
    video = fake.make_video(tmp_path / "a.mp4", "rrrrgggg")
    library = asst.Library.made(tmp_path / "library", fake.FakeEngine().identity)
    list(index([video], library, fake.FakeEngine()))
    # As object storage keeps it: no times, no folder without a file.
    shutil.copytree(library.folder, tmp_path / "copy", copy_function=shutil.copyfile)
    shutil.rmtree(library.folder)
    for folder in sorted((tmp_path / "copy").rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    copy = asst.Library(tmp_path / "copy")
    assert verify(copy) == Verdict(1, {}, ())
    found = search(copy, fake.FakeEngine(), "green").moments
    assert [(moment.video, moment.start_s) for moment in found] == [(str(video), 2.0)]
    assert [done.state for done in index([video], copy, fake.FakeEngine())] == ["kept"]
    other = fake.make_video(tmp_path / "b.mp4", "bbgg")
    assert [done.state for done in index([other], copy, fake.FakeEngine())] == ["indexed"]


def test_one_of_another_model_takes_no_video(tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    library = asst.Library.made(tmp_path / "library", fake.FakeEngine("e2").identity)
    monkeypatch.setattr("asst.library.engine.engine_of", fake.engine_of)
    video = fake.make_video(tmp_path / "a.mp4", "rr")
    with pytest.raises(asst.InputError, match="made with another embedding"):
        library.index([video])
