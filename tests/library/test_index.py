"""Files into a library: skipped, moved, copied, changed, removed, damaged; settings that differ."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asst.errors import InputError
from asst.features.hashing import content_hash
from asst.library.index import index, missing
from asst.library.library import Library
from asst.library.search import search
from asst.library.verify import Verdict, repair, verify


@pytest.fixture
def videos(tmp_path: Path, fake: ModuleType) -> Path:
    folder = tmp_path / "videos"
    fake.make_video(folder / "a.mp4", "rrrrggg")
    fake.make_video(folder / "deep" / "b.mp4", "bbbrr")
    (folder / "bad.mp4").write_bytes(b"no video at all")
    return folder


def made(tmp_path: Path, fake: ModuleType) -> Library:
    return Library.made(tmp_path / "library", fake.FakeEngine().identity)


def run(paths: Path | list[Path], library: Library, fake: ModuleType, workers: int = 1) -> dict[str, str]:
    files = [paths] if isinstance(paths, Path) else paths
    return {done.path.name: done.state for done in index(files, library, fake.FakeEngine(), workers=workers)}


def test_what_is_there_is_kept_and_what_has_moved_is_known(tmp_path: Path, videos: Path, fake: ModuleType) -> None:
    library = made(tmp_path, fake)
    done = list(index([videos], library, fake.FakeEngine()))
    assert {one.path.name: one.state for one in done} == {"a.mp4": "indexed", "b.mp4": "indexed", "bad.mp4": "failed"}
    assert next(one.reason for one in done if one.state == "failed").startswith("cannot read")
    first = {video.path: video.content for video in library.tables.videos()}
    assert list(first) == [str(videos / "a.mp4"), str(videos / "deep" / "b.mp4")]
    assert [(video.width, video.height) for video in library.tables.videos()] == [(32, 32)] * 2
    assert library.tables.videos()[0].duration_s == pytest.approx(3.5)
    assert run(videos, library, fake) == {"a.mp4": "kept", "b.mp4": "kept", "bad.mp4": "failed"}

    (videos / "a.mp4").rename(videos / "deep" / "renamed.mp4")
    shutil.copy(videos / "deep" / "b.mp4", videos / "copy.mp4")
    found = run(videos, library, fake)
    assert found == {"renamed.mp4": "moved", "b.mp4": "kept", "copy.mp4": "copied", "bad.mp4": "failed"}
    assert {Path(video.path).name for video in library.tables.videos()} == {"renamed.mp4", "b.mp4", "copy.mp4"}
    assert len(library.tables.window_counts()) == 2
    assert verify(library) == Verdict(3, {}, ())


def test_a_file_that_changes_is_read_again_and_its_old_content_dropped(
    tmp_path: Path, videos: Path, fake: ModuleType
) -> None:
    library = made(tmp_path, fake)
    run(videos, library, fake)
    old = library.tables.videos(path=str(videos / "a.mp4"))[0].content
    fake.make_video(videos / "a.mp4", "bbbb")
    assert run(videos / "a.mp4", library, fake) == {"a.mp4": "indexed"}
    assert old not in library.features
    assert old not in library.tables.window_counts()
    assert not library.picture(old).exists()
    assert verify(library) == Verdict(2, {}, ())
    # It becomes what another file is already.
    shutil.copy(videos / "deep" / "b.mp4", videos / "a.mp4")
    assert run(videos / "a.mp4", library, fake) == {"a.mp4": "copied"}
    assert verify(library) == Verdict(2, {}, ())
    assert len(library.features.videos()) == 1


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that indexing hashes."""
    names: list[str] = []

    def counted(path: Path) -> str:
        names.append(path.name)
        return content_hash(path)

    monkeypatch.setattr("asst.library.index.content_hash", counted)
    return names


def aged(path: Path, seconds: int = 100) -> None:
    """Makes a file so much older, since one of this second is never known by its time."""
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns - seconds * 10**9))


def test_an_unchanged_file_is_known_without_being_read(
    tmp_path: Path, videos: Path, fake: ModuleType, hashed: list[str]
) -> None:
    library = made(tmp_path, fake)
    aged(videos / "a.mp4")
    run(videos, library, fake)
    # b was written just now, so that a change while it was read might show in its bytes alone.
    assert sorted(hashed) == ["a.mp4", "b.mp4", "b.mp4", "bad.mp4"]
    assert [video.mtime_ns for video in library.tables.videos()] == [(videos / "a.mp4").stat().st_mtime_ns, 0]
    hashed.clear()
    # b was written just now: a change within the same tick of the clock would not show.
    assert run([videos / "a.mp4", videos / "deep"], library, fake) == {"a.mp4": "kept", "b.mp4": "kept"}
    assert hashed == ["b.mp4"]
    aged(videos / "deep" / "b.mp4")
    run(videos / "deep", library, fake)
    hashed.clear()
    assert run(videos / "deep", library, fake) == {"b.mp4": "kept"}
    assert hashed == []

    aged(videos / "a.mp4")
    assert run(videos / "a.mp4", library, fake) == {"a.mp4": "kept"}
    (videos / "deep" / "b.mp4").rename(videos / "moved.mp4")
    assert run(videos / "moved.mp4", library, fake) == {"moved.mp4": "moved"}
    assert hashed == ["a.mp4", "moved.mp4"]
    hashed.clear()
    assert run([videos / "a.mp4", videos / "moved.mp4"], library, fake) == {"a.mp4": "kept", "moved.mp4": "kept"}
    assert hashed == []
    list(index([videos / "a.mp4"], library, fake.FakeEngine(), rehash=True))
    assert hashed == ["a.mp4"]


def test_each_file_is_hashed_once_and_just_before_it_is_read(
    tmp_path: Path, fake: ModuleType, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hashed_again(path: Path) -> str:
        pytest.fail(f"{path} was hashed already")

    monkeypatch.setattr("asst.features.extract.content_hash", hashed_again)
    files = [fake.make_video(tmp_path / "v" / f"{name}.mp4", name * 3) for name in "rgb"]
    shutil.copy(files[0], tmp_path / "v" / "s.mp4")
    for file in (tmp_path / "v").iterdir():
        aged(file)
    library = made(tmp_path, fake)
    indexing = index([tmp_path / "v"], library, fake.FakeEngine())
    seen = [(next(indexing).path.name, list(hashed)) for _ in range(4)]
    names = ["b.mp4", "g.mp4", "r.mp4", "s.mp4"]
    assert seen == [(name, names[: k + 1]) for k, name in enumerate(names)]
    assert next(indexing, None) is None
    assert verify(library) == Verdict(4, {}, ())


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path: Path, videos: Path, fake: ModuleType) -> None:
    engine = fake.FakeEngine()
    plain = engine.extractor.extract
    aged(videos / "a.mp4")

    def changing(video: Path, **named: Any) -> Any:
        features = plain(video, **named)
        fake.make_video(video, "gggg")
        return features

    engine.extractor.extract = changing
    library = made(tmp_path, fake)
    (done,) = index([videos / "a.mp4"], library, engine)
    assert (done.state, done.reason) == ("failed", f"{videos / 'a.mp4'}: changed while it was read; index it again")
    assert verify(library) == Verdict(0, {}, ())
    assert library.features.videos() == ()


def test_a_file_whose_features_are_gone_is_read_though_it_did_not_change(
    tmp_path: Path, videos: Path, fake: ModuleType
) -> None:
    library = made(tmp_path, fake)
    aged(videos / "a.mp4")
    run(videos / "a.mp4", library, fake)
    next(library.features.folder.iterdir()).unlink()
    assert run(videos / "a.mp4", library, fake) == {"a.mp4": "indexed"}
    assert verify(library) == Verdict(1, {}, ())


def test_files_that_are_gone_are_named_and_forgotten_when_asked(tmp_path: Path, videos: Path, fake: ModuleType) -> None:
    library = made(tmp_path, fake)
    run(videos, library, fake)
    (videos / "a.mp4").unlink()
    assert [video.path for video in missing(library)] == [str(videos / "a.mp4")]
    library.remove(missing(library))
    assert [video.path for video in library.tables.videos()] == [str(videos / "deep" / "b.mp4")]
    assert verify(library) == Verdict(1, {}, ())
    assert len(list((library.folder / "pictures").iterdir())) == 1


def test_what_was_left_half_written_goes_and_what_is_being_written_stays(
    tmp_path: Path, videos: Path, fake: ModuleType
) -> None:
    library = made(tmp_path, fake)
    left = [library.folder / place / ".1.part" for place in ("", "features", "pictures")]
    coming_in, old = (library.uploads / name / ".c.mp4.part" for name in ("new", "old"))
    array = library.matrix / "7" / ".2.part"
    for part in (*left, coming_in, old, array):
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"half of it")
    two_hours_ago = old.stat().st_mtime - 7200
    os.utime(old, (two_hours_ago, two_hours_ago))
    run(videos, library, fake)
    assert not any(part.exists() for part in (*left, old.parent))
    assert all(part.exists() for part in (coming_in, array))


def test_equal_files_are_read_once(tmp_path: Path, fake: ModuleType) -> None:
    one = fake.make_video(tmp_path / "v" / "x.mp4", "rg")
    two = Path(shutil.copy(one, tmp_path / "v" / "y.mp4"))
    library = made(tmp_path, fake)
    assert run([one, two], library, fake) == {"x.mp4": "indexed", "y.mp4": "copied"}
    assert len(library.features.videos()) == 1
    library.remove(library.tables.videos(path=str(one)))
    assert verify(library) == Verdict(1, {}, ())


def test_workers_fill_a_library(tmp_path: Path, videos: Path, fake: ModuleType) -> None:
    library = made(tmp_path, fake)
    assert run(videos, library, fake, workers=2) == {"a.mp4": "indexed", "b.mp4": "indexed", "bad.mp4": "failed"}
    assert verify(library) == Verdict(2, {}, ())


def test_damage_is_found_and_repaired(tmp_path: Path, videos: Path, fake: ModuleType) -> None:
    library = made(tmp_path, fake)
    run(videos, library, fake)
    a, b = library.tables.videos()
    features = library.features.folder / f"{a.content}.safetensors"
    features.write_bytes(features.read_bytes()[:-3])
    library.tables.drop_windows(b.content)
    verdict = verify(library)
    assert "is damaged" in verdict.faults[a.content]
    assert "has 0 windows' vectors and should have 1" in verdict.faults[b.content]
    repair(library, verdict)
    assert verify(library) == Verdict(0, {}, ())
    assert run(videos, library, fake)["a.mp4"] == "indexed"
    library.picture(a.content).write_bytes(b"no picture")
    assert "strip of pictures" in verify(library).faults[a.content]


def test_another_schema_or_other_settings_are_refused_and_rebuilt(
    tmp_path: Path, videos: Path, fake: ModuleType
) -> None:
    library = made(tmp_path, fake)
    run(videos, library, fake)
    other = fake.FakeEngine("e2").identity
    with pytest.raises(InputError, match=r"made with another embedding .* --rebuild"):
        Library.made(library.folder, other)
    rebuilt = Library.made(library.folder, other, rebuild=True)
    assert (rebuilt.tables.videos(), len(rebuilt.features.videos())) == ([], 2)
    assert run(videos, rebuilt, fake)["a.mp4"] == "indexed"
    settings = library.folder / "library.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "schema": 0}))
    with pytest.raises(InputError, match=r"of schema 0, and this asst reads schema 2; make it anew: .* --rebuild"):
        Library(library.folder)
    settings.write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        Library(library.folder)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, videos: Path, fake: ModuleType) -> None:
    with pytest.raises(InputError, match="is no library; name an empty or a new folder"):
        Library.made(videos, fake.FakeEngine().identity)
    with pytest.raises(InputError, match="is a file"):
        Library.made(videos / "a.mp4", fake.FakeEngine().identity)
    with pytest.raises(InputError, match="no library in"):
        Library(tmp_path / "nowhere")


def test_a_name_that_is_not_utf_8_is_a_name(tmp_path: Path, videos: Path, fake: ModuleType) -> None:
    library = made(tmp_path, fake)
    odd = videos / os.fsdecode(b"caf\xe9 \xf0.mp4")
    shutil.copy(videos / "a.mp4", odd)
    (videos / "a.mp4").unlink()
    assert run(videos, library, fake)[odd.name] == "indexed"
    assert run(videos, library, fake)[odd.name] == "kept"
    assert [Path(video.path) for video in library.tables.videos(path=str(odd))] == [odd]
    assert {moment.video for moment in search(library, fake.FakeEngine(), "green").moments} == {str(odd)}
    assert verify(library) == Verdict(2, {}, ())
    library.remove(library.tables.videos(path=str(odd)))
    assert [Path(video.path).name for video in library.tables.videos()] == ["b.mp4"]


def test_a_file_is_one_video_by_whatever_path(
    tmp_path: Path, videos: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = made(tmp_path, fake)
    (tmp_path / "link").symlink_to(videos)
    (videos / "other name.mp4").symlink_to(videos / "a.mp4")
    monkeypatch.chdir(videos)
    names = ["a.mp4", "./a.mp4", "deep/../a.mp4", "../link/a.mp4", "../link/deep/../a.mp4", "other name.mp4"]
    assert run([Path(name) for name in names], library, fake) == {"a.mp4": "indexed"}
    for name in names:
        assert run(Path(name), library, fake) == {"a.mp4": "kept"}
    assert [video.path for video in library.tables.videos()] == [str(videos / "a.mp4")]
    # What was kept by another path of it is that file.
    (video,) = library.tables.videos()
    library.tables.drop_video(video.path)
    library.tables.put_video(replace(video, path=str(tmp_path / "link" / "a.mp4")))
    assert run(Path("a.mp4"), library, fake) == {"a.mp4": "moved"}
    assert [video.path for video in library.tables.videos()] == [str(videos / "a.mp4")]


def test_what_cannot_be_read_in_a_folder_fails_and_stops_no_other(
    tmp_path: Path, videos: Path, fake: ModuleType
) -> None:
    library = made(tmp_path, fake)
    (videos / "gone").symlink_to(tmp_path / "no such folder")
    os.mkfifo(videos / "pipe.mp4")
    done = {one.path.name: one for one in index([videos], library, fake.FakeEngine())}
    states = {name: one.state for name, one in done.items()}
    failed = dict.fromkeys(("bad.mp4", "gone", "pipe.mp4"), "failed")
    assert states == {"a.mp4": "indexed", "b.mp4": "indexed", **failed}
    assert done["gone"].reason.startswith(f"{videos / 'gone'}: cannot be read (")
    assert done["pipe.mp4"].reason.startswith(f"{videos / 'pipe.mp4'}: is a pipe, and no file")
