"""Two processes that share a batch learn what one process learns from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asst.training.recipe import Recipe
from asst.training.run import train


def losses(run: Path) -> list[tuple[float, float]]:
    """Training loss and validation metric of each interval."""
    log = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["train/loss"], line["validate/miou"]) for line in log]


def shared(recipe_file: Path, run: Path, *changes: str) -> int:
    """The steps of the command as a user types it, which starts a second process."""
    command = [str(Path(sys.executable).with_name("asst")), "train", str(recipe_file), "--json", "--run", str(run)]
    command += ["training.interval=2", "training.processes=2", *changes]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    steps: int = json.loads(done.stdout)["steps"]
    return steps


def test_both_processes_end_early(recipe_file: Path, tmp_path: Path) -> None:
    assert shared(recipe_file, tmp_path / "run", "training.patience=1", "optimizer.learning_rate=1e-12") == 4


@pytest.mark.usefixtures("one_thread")
def test_two_processes_follow_the_loss_of_one(
    recipe_file: Path, toy_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    assert train(toy_recipe("training.interval=2"), tmp_path / "alone", lambda _: None).steps == 6
    assert shared(recipe_file, tmp_path / "shared") == 6
    alone, both = losses(tmp_path / "alone"), losses(tmp_path / "shared")
    assert len(alone) == 3
    assert alone[0][0] > 1.05 * alone[-1][0]
    for one, two in zip(alone, both, strict=True):
        assert two == pytest.approx(one, rel=1e-4)
