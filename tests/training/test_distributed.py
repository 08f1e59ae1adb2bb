"""Two processes that share a batch learn what one process learns from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def losses(recipe: Path, run: Path, *changes: str) -> list[tuple[float, float]]:
    """Training loss and validation metric of each interval, from the command as a user types it."""
    command = [str(Path(sys.executable).with_name("asst")), "train", str(recipe), *changes, "--run", str(run), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 6
    log = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["train/loss"], line["validate/miou"]) for line in log]


def test_two_processes_follow_the_loss_of_one(recipe_file: Path, tmp_path: Path) -> None:
    alone = losses(recipe_file, tmp_path / "alone", "training.interval=2")
    shared = losses(recipe_file, tmp_path / "shared", "training.interval=2", "training.processes=2")
    assert len(alone) == 3
    assert alone[0][0] > 1.05 * alone[-1][0]
    for one, two in zip(alone, shared, strict=True):
        assert two == pytest.approx(one, rel=1e-4)
