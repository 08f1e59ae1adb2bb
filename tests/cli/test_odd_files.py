"""Names in any encoding, files by several paths, and what is no file, as their user types them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.cli.options import Verb


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def test_a_name_that_is_not_utf_8_is_indexed_shown_and_removed(tmp_path: Path, fake: ModuleType) -> None:
    library, videos = tmp_path / "library", tmp_path / "videos"
    odd = videos / os.fsdecode(b"caf\xe9.mp4")
    shutil.copy(fake.make_video(videos / "z.mp4", "rrgg"), odd)
    assert run("index", videos, "--library", library).stdout.startswith("of 2 videos indexed 1 (")
    status = run("library", "status", "--library", library, "--json")
    assert [Path(video["path"]) for video in json.loads(status.stdout)["files"]] == [odd, videos / "z.mp4"]
    odd.unlink()
    assert run("library", "status", "--library", library).stdout.splitlines()[1:] == [f"gone: {videos}/caf\ufffd.mp4"]
    assert run("library", "remove", odd, "--library", library).stdout == "removed 1 video of 2\n"


@pytest.mark.parametrize(
    "given", ["./\N{LATIN SMALL LETTER A WITH DIAERESIS}.mp4", "*\N{LATIN SMALL LETTER A WITH DIAERESIS}*"]
)
def test_a_video_is_removed_by_any_path_of_it(
    tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    library, name = tmp_path / "library", "a\N{COMBINING DIAERESIS}.mp4"
    fake.make_video(tmp_path / "videos" / name, "rrgg")
    (tmp_path / "link").symlink_to(tmp_path / "videos")
    monkeypatch.chdir(tmp_path / "videos")
    assert run("index", f"../link/{name}", "--library", library).exit_code == 0
    assert run("library", "remove", given, "--library", library).stdout == "removed 1 video of 1\n"


def test_no_verb_waits_for_a_pipe(tmp_path: Path, street: Path, fake: ModuleType) -> None:
    os.mkfifo(pipe := tmp_path / "a.mp4")
    library, out = tmp_path / "library", tmp_path / "out"
    run("index", fake.make_video(tmp_path / "b.mp4", "rg"), "--library", library)
    for words in (
        ("locate", pipe, "a car"),
        ("detect", pipe, "--checkpoint", street),
        ("detect", street, "--checkpoint", pipe),
        ("search", "a car", "--library", library, "--model", pipe),
        ("index", pipe, "--library", library),
        ("serve", pipe, "--library", library),
        ("features", pipe, "--out", out),
        ("features", street, "--weights", pipe, "--out", out),
        ("features", "convert", pipe, out),
        ("features", "info", pipe),
        ("train", pipe),
        ("evaluate", pipe),
        ("fuse", pipe, pipe, "--weights", "1", "--out", out),
    ):
        found = run(*words)
        assert (found.exit_code, found.stdout) == (2, ""), words
        assert found.stderr == f"asst: {pipe}: is a pipe, and no file; save it as a file and name that\n", words


def test_every_verb_looks_at_its_files_before_it_begins() -> None:
    def verbs(command: Any) -> Iterator[Any]:
        return chain([command], *map(verbs, getattr(command, "commands", {}).values()))

    every = [command for command in verbs(typer.main.get_command(app)) if not hasattr(command, "commands")]
    assert len(every) > 20
    assert [verb.name for verb in every if not isinstance(verb, Verb)] == []
