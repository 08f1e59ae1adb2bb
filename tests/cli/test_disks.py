"""A disk that is full or may only be written to by others: one line and exit code 2, before anything long is done."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest
from typer.testing import CliRunner

from asst.atomic import check_writable
from asst.cli.app import app
from asst.errors import WriteError

FULL = "No space left on device; free space or name another folder"
CLOSED = "Permission denied; name a folder that may be written to"


def one_line(*words: str | Path) -> str:
    """What a verb that must fail says."""
    found = CliRunner().invoke(app, list(map(str, words)))
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1), found.output
    return found.stderr.rstrip("\n")


def full(path: object = None) -> Any:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    return refuse


def test_what_a_full_disk_refuses_is_one_line(
    tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    video, library = fake.make_video(tmp_path / "a.mp4", "rrgg"), tmp_path / "library"
    assert CliRunner().invoke(app, ["index", str(video), "--library", str(library)]).exit_code == 0
    plain = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, mode="r", *rest, **named: (full() if "w" in mode else plain)(path, mode, *rest, **named),
    )
    for words, path in (
        (("library", "export", tmp_path / "o.jsonl", "--library", library), tmp_path / "o.jsonl"),
        (("index", video, "--library", tmp_path / "new"), tmp_path / "new" / "library.json"),
    ):
        assert one_line(*words) == f"asst: cannot write {path}: {FULL}"
    monkeypatch.undo()
    # Whatever else meets it, where none looked for it.
    monkeypatch.setattr("asst.library.library.Library.remove", full(tmp_path / "x"))
    assert one_line("library", "remove", "*", "--library", library) == f"asst: cannot write {tmp_path / 'x'}: {FULL}"


def test_what_may_not_be_written_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In place of permissions, which do not hold for root.
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    (video := tmp_path / "a.mp4").write_bytes(b"never read")
    out = tmp_path / "out"
    for option in ("--clip=OUT.mp4", "--report=OUT.html", "--export=OUT.srt", "--plot=OUT.png"):
        name, path = option.replace("OUT", str(out)).split("=")
        assert one_line("locate", video, "a car", name, path) == f"asst: cannot write {path}: {CLOSED}"
    assert one_line("features", video, "--out", out) == f"asst: cannot write {out}: {CLOSED}"
    assert one_line("simulate", out) == f"asst: cannot write {out}: {CLOSED}"
    (tmp_path / "recipe.yaml").touch()
    assert one_line("evaluate", tmp_path, "--split", "test") == f"asst: cannot write {tmp_path}/predictions: {CLOSED}"


def test_a_folder_to_be_made_is_as_writable_as_the_one_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_writable(tmp_path / "new" / "deep")
    asked: list[Path] = []
    monkeypatch.setattr(os, "access", lambda path, _: asked.append(path))
    with pytest.raises(WriteError, match="Permission denied"):
        check_writable(tmp_path / "new" / "deep")
    assert asked == [tmp_path]
