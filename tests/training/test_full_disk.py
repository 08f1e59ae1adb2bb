"""A training on a disk that fills: one line, the last state stays, and the same command goes on from it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from asst.cli.app import app


def test_a_full_disk_leaves_the_last_state(recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    words = ["train", str(recipe_file), "--run", str(run)]
    state = run / "checkpoints" / "last.ckpt"
    plain = Path.replace

    def full(source: Path, target: Path) -> Any:
        # The second time that the state is written.
        if target == state and state.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return plain(source, target)

    with monkeypatch.context() as filled:
        filled.setattr(Path, "replace", full)
        ended = CliRunner().invoke(app, words)
    assert (ended.exit_code, ended.stderr.splitlines()[-1]) == (
        2,
        f"asst: cannot write {state}: No space left on device; free space or name another folder",
    )
    assert not list(run.rglob("*.part"))
    again = CliRunner().invoke(app, words)
    assert (again.exit_code, "going on with the run" in again.stderr) == (0, True)
    assert [line.split(":")[0] for line in again.stderr.splitlines() if line.startswith("step")] == ["step 6 of 6"]


def test_what_else_writes_to_a_run_is_one_line(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("lightning.pytorch.loggers.TensorBoardLogger.log_metrics", full)
    ended = CliRunner().invoke(app, ["train", str(recipe_file), "--run", str(tmp_path / "run")])
    line = f"asst: cannot write {tmp_path / 'run'}: No space left on device; free space or name another folder"
    assert (ended.exit_code, ended.stderr.splitlines()[-1]) == (2, line)
