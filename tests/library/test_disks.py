"""A disk that is full or may only be read: one line that says so, what is there is searched, and nothing is lost."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

from asst.errors import InputError, WriteError
from asst.library.corrections import Corrections
from asst.library.index import index
from asst.library.library import Library
from asst.library.search import search
from asst.library.verify import Verdict, repair, verify

FULL = "lance error: LanceError(IO): No space left on device (os error 28), /a/structural.rs:258:9"
CLOSED = 'lance error: LanceError(IO): Read-only file system (os error 30) at path "/a/.tmp", /a/object_store.rs:1006'


@pytest.fixture
def library(tmp_path: Path, fake: ModuleType) -> Library:
    made = Library.made(tmp_path / "library", fake.FakeEngine().identity)
    list(index([fake.make_video(tmp_path / "a.mp4", "rrgg")], made, fake.FakeEngine()))
    return made


def raising(error: Exception) -> Any:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise error

    return refuse


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError(FULL), "No space left on device; free space or name another folder"),
        (RuntimeError(CLOSED), "Read-only file system; name a folder that may be written to"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "Disk quota exceeded; free space or name another folder"),
    ],
)
def test_tables_on_a_disk_that_takes_nothing(
    library: Library, fake: ModuleType, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    tables = library.tables
    for name in ("merge_insert", "delete", "optimize"):
        monkeypatch.setattr(type(tables._videos), name, raising(error))
    monkeypatch.setattr(type(tables._windows), "add", raising(error))
    (video,) = tables.videos()
    engine: Any = fake.FakeEngine()
    windows = engine.windows(library.features.read(video.content))
    writes: list[Callable[[], object]] = [
        lambda: library.remove([video]),
        lambda: tables.put_video(video),
        lambda: tables.put_windows("other", windows),
        tables.tidy,
    ]
    for write in writes:
        with pytest.raises(WriteError) as told:
            write()
        assert str(told.value) == f"cannot write {library.folder / 'tables'}: {line}"
    assert tables.videos() == [video]


def test_tables_that_are_damaged_say_so(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    (library.folder / "tables" / "videos.lance" / "_versions").rename(library.folder / "tables" / "gone")
    with pytest.raises(InputError, match=r"tables is damaged \(.*\); index again with --rebuild"):
        library.tables.videos()
    library.folder.rename(library.folder.with_name("elsewhere"))
    with pytest.raises(InputError, match=r"tables is no longer there; connect its disk"):
        library.tables.videos()


def test_a_full_disk_ends_an_indexing_and_the_next_goes_on(
    tmp_path: Path, library: Library, fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [fake.make_video(tmp_path / f"{name}.mp4", name * 3) for name in "rgb"]
    with monkeypatch.context() as full:
        full.setattr("asst.library.index.write_whole", raising(WriteError("a strip", "No space left on device")))
        indexing = index(files, library, fake.FakeEngine())
        # No fault of the first file, that the next would be read for in vain.
        with pytest.raises(WriteError, match="cannot write a strip: No space left"):
            next(indexing)
    assert verify(library).faults == {}
    assert [done.state for done in index(files, library, fake.FakeEngine())] == ["indexed"] * 3
    assert verify(library) == Verdict(4, {}, ())


def make_read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses what would write in a folder, at the two doors of Python; permissions do not hold for root."""
    low, high = os.open, io.open

    def refuse(path: object) -> None:
        if str(path).startswith(str(folder)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def opened(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            refuse(path)
        return low(path, flags, *rest, **named)

    def file(path: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if set(mode) & set("wax+"):
            refuse(path)
        return high(path, mode, *rest, **named)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(io, "open", file)


def test_a_library_that_may_only_be_read_is_searched_and_verified(
    tmp_path: Path, library: Library, fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = fake.FakeEngine()
    asked = search(library, engine, "green").moments
    make_read_only(library.folder, monkeypatch)
    again = Library.made(library.folder, engine.identity)
    assert search(again, engine, "green").moments == asked
    # One that was never searched has no array yet, and cannot have one.
    shutil.rmtree(library.matrix)
    assert search(again, engine, "green").moments == asked
    assert verify(again) == Verdict(1, {}, ())
    content = again.tables.videos()[0].content
    for write in (
        lambda: again.remove(again.tables.videos()),
        lambda: Corrections(again).add(content, "green", "right", (0.0, 1.0)),
        lambda: Library.made(library.folder, engine.identity, rebuild=True),
    ):
        with pytest.raises(WriteError, match=r"rows.lock: Read-only file system; name a folder that may be written to"):
            write()
    with pytest.raises(WriteError, match=r"indexing.lock: Read-only file system"):
        list(index([tmp_path / "a.mp4"], again, engine))
    with pytest.raises(WriteError, match=r"indexing.lock: Read-only file system"):
        repair(again, verify(again))
