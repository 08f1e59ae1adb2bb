"""Those who write a library's files at once: whoever comes later deletes nothing that is being written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asst.errors import InputError
from asst.library.index import index
from asst.library.library import Library
from asst.library.verify import Verdict, repair, verify


@pytest.fixture
def library(tmp_path: Path, fake: ModuleType) -> Library:
    return Library.made(tmp_path / "library", fake.FakeEngine().identity)


@pytest.fixture
def files(tmp_path: Path, fake: ModuleType) -> list[Path]:
    return [fake.make_video(tmp_path / "v" / f"{name}.mp4", name * 3) for name in "rgb"]


def test_a_third_indexer_leaves_what_the_second_writes(library: Library, files: list[Path], fake: ModuleType) -> None:
    first: Any
    second: Any
    first, second = (index(files, library, fake.FakeEngine()) for _ in range(2))
    assert next(first).path.name == "r.mp4"
    # The second is at the last file, and the first ends before it.
    assert next(second).path.name == "b.mp4"
    first.close()
    part = library.features.folder / ".2.part"
    part.write_bytes(b"half of it")
    assert [done.state for done in index(files, library, fake.FakeEngine())] == ["kept", "indexed", "kept"]
    assert part.exists()
    with pytest.raises(InputError, match="is being indexed; repair it when that has ended"):
        repair(library, verify(library))
    second.close()
    list(index(files, library, fake.FakeEngine()))
    assert not part.exists()


def test_repair_deletes_nothing_that_has_become_whole(library: Library, files: list[Path], fake: ModuleType) -> None:
    list(index(files[:1], library, fake.FakeEngine()))
    (video,) = library.tables.videos()
    assert repair(library, Verdict(1, {video.content: "damaged"}, ())) == 0
    assert repair(library, Verdict(1, {}, (video.content,))) == 0
    assert verify(library) == Verdict(1, {}, ())


def test_what_goes_and_comes_while_a_library_is_read_is_no_fault(
    library: Library, files: list[Path], fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(index(files[:2], library, fake.FakeEngine()))
    read = library.features.read
    others: Iterator[Any] = iter(
        [lambda: library.remove(library.tables.videos()[:1]), lambda: list(index(files, library, fake.FakeEngine()))]
    )

    def meanwhile(content: str) -> Any:
        # Neither would come to an end if the rows were locked.
        next(others, lambda: None)()
        return read(content)

    monkeypatch.setattr(library.features, "read", meanwhile)
    assert verify(library) == Verdict(2, {}, ())
    assert next(others, None) is None
