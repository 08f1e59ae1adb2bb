from pathlib import Path

import pytest

from asst.atomic import check_destination, moved_into_place
from asst.errors import InputError


def test_a_path_that_could_not_be_written_is_refused(tmp_path: Path) -> None:
    video = tmp_path / "in.mp4"
    video.touch()
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to(video)
    check_destination(tmp_path / "out.MP4", ".mp4", source=video)
    refused = {"out.avi": "must end in", "no/out.mp4": "no such folder", "folder.mp4": "is a folder"}
    refused |= {"in.mp4": "is the input", "link.mp4": "is the input"}
    for name, reason in refused.items():
        with pytest.raises(InputError, match=reason):
            check_destination(tmp_path / name, ".mp4", source=video)


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with moved_into_place(path) as lent:
        lent.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail_half_way() -> None:
        with moved_into_place(path) as lent:
            lent.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_what_the_file_system_refuses_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No space left"), moved_into_place(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    (tmp_path / "a").touch()
    with pytest.raises(InputError, match=r"cannot write .*: File exists"), moved_into_place(tmp_path / "a" / "b"):
        pytest.fail("the block must not run")
