"""What is a video in a folder; what is hidden, deleted or text is passed over, and what cannot be read is told."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from asst.errors import InputError
from asst.features.extract import extract_in_turn, jobs_of
from asst.features.hashing import content_hash
from asst.features.stores.native import Store
from asst.features.video_files import video_files
from asst.local import check_ends

PACKET = b"\x47\x40\x11\x10" + bytes(184)


def put(folder: Path, *names: str, content: bytes = b"a video") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def found(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in video_files(folder)]


def test_what_is_hidden_or_in_a_bin_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "deep/b.MOV", "deep/notes.txt", "recycled bikes/c.mxf", "trash.mp4")
    bins = ".Trash-1000 .Trashes $RECYCLE.BIN RECYCLER #recycle lost+found @eaDir __MACOSX .hidden".split()  # noqa: SIM905
    put(tmp_path, "._a.mp4", ".b.mp4", "deep/._b.MOV", *(f"{name}/files/x.mp4" for name in bins))
    put(tmp_path, "System Volume Information/x.mp4", "deep/$Recycle.Bin/x.mp4")
    assert found(tmp_path) == ["a.mp4", "deep/b.MOV", "recycled bikes/c.mxf", "trash.mp4"]
    # What is named is taken, whatever it is called.
    assert found(tmp_path / ".hidden") == ["files/x.mp4"]
    assert video_files(tmp_path / "._a.mp4") == [tmp_path / "._a.mp4"]


@pytest.mark.parametrize(
    "text",
    [
        b"export const a = 1;\n",
        "// caf\u00e9\r\nimport { b } from './b';\r\n".encode(),
        "// caf\u00e9\n".encode("latin-1"),
        "\ufeffinterface A {}\n".encode("utf-16-le"),
        "\ufeffinterface A {}\n".encode("utf-16-be"),
        b'<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS version="2.1">\n',
        b"G" * 9000,
    ],
)
def test_text_that_is_named_as_a_stream_is_passed_over(tmp_path: Path, text: bytes) -> None:
    put(tmp_path, "code/index.ts", "code/module.mts", content=text)
    with pytest.raises(InputError, match="no video in this folder"):
        video_files(tmp_path)
    put(tmp_path, "film.ts", content=40 * PACKET)
    put(tmp_path, "camera.mts", content=b"\0\0\0\0" + PACKET)
    put(tmp_path, "cut.ts", content=b"\xff\xfe" + PACKET[20:] + PACKET)
    put(tmp_path, "empty.ts", content=b"")
    # Text of any other ending is no video, and says so when it is read.
    put(tmp_path, "text.mp4", content=text)
    assert found(tmp_path) == ["camera.mts", "cut.ts", "empty.ts", "film.ts", "text.mp4"]


def test_links_are_followed_and_each_folder_is_looked_into_once(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/a.mp4", "videos/deep/b.mp4")
    videos = tmp_path / "videos"
    (videos / "away").symlink_to(tmp_path / "elsewhere")
    (videos / "again").symlink_to(videos / "deep")
    (videos / "deep" / "up").symlink_to(videos)
    (videos / "c.mp4").symlink_to(tmp_path / "elsewhere" / "a.mp4")
    assert found(videos) == ["away/a.mp4", "c.mp4", "deep/b.mp4"]


def test_links_that_lead_nowhere_and_pipes_fail_and_stop_no_other(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "loop/b.mp4")
    (tmp_path / "gone").symlink_to(tmp_path / "no such folder")
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "no such file")
    (tmp_path / "loop" / "round.mp4").symlink_to(tmp_path / "loop" / "round.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    os.mkfifo(tmp_path / "pipe")
    assert found(tmp_path) == ["a.mp4", "gone", "gone.mp4", "loop/b.mp4", "loop/round.mp4", "pipe.mp4"]
    (tmp_path / "gone.mp4").unlink()
    jobs = [job for job in jobs_of([tmp_path]) if job.video not in "ab"]
    no_extractor: Any = None
    outcomes = list(extract_in_turn(jobs, no_extractor, Store(tmp_path / "store"), lambda _: None))
    assert {outcome.job.video: (outcome.state, outcome.reason) for outcome in outcomes} == {
        "gone/": ("failed", f"{tmp_path / 'gone'}: cannot be read (No such file or directory); check the path"),
        "round": (
            "failed",
            f"{tmp_path / 'loop/round.mp4'}: cannot be read (Too many levels of symbolic links); check the path",
        ),
        "pipe": ("failed", f"{tmp_path / 'pipe.mp4'}: is a pipe, and no file; save it as a file and name that"),
    }


def test_a_subfolder_that_cannot_be_read_fails_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a.mp4", "b/b.mp4", "locked/c.mp4", "locked.mp4")
    scan = os.scandir

    def refusing(path: Path) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    # In place of permissions, which do not hold for root.
    monkeypatch.setattr("asst.features.video_files.os.scandir", refusing)
    jobs = {job.video: job.path.name for job in jobs_of([tmp_path])}
    assert jobs == {"a": "a.mp4", "b": "b.mp4", "locked/": "locked", "locked": "locked.mp4"}
    with pytest.raises(InputError, match=r"locked: is a folder that cannot be read; change its permissions"):
        content_hash(tmp_path / "locked")


def test_what_does_not_end_is_refused_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening, pytest.MonkeyPatch.context() as here:
        here.chdir(tmp_path)
        listening.bind("s.mp4")
        for path, kind in ((tmp_path / "pipe.mp4", "pipe"), (tmp_path / "s.mp4", "socket"), ("/dev/zero", "device")):
            with pytest.raises(InputError, match=f"is a {kind}, and no file"):
                check_ends(Path(path))
    check_ends(tmp_path)
    check_ends(tmp_path / "not there")
