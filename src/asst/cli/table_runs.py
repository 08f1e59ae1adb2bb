"""The runs behind ``asst tables --simulated``: trained for equal times of one thread and asked the test split.

A folder holds ``budget.json``, a run a recipe and seed, and below ``speed`` a run a recipe that a few steps were timed
in. What is finished is left as it is; what was interrupted goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from asst.atomic import write_whole
from asst.errors import InputError
from asst.simulate.features.settings import LEVELS
from asst.training.recipe import Recipe, read_recipe
from asst.training.recipe_files import packaged_recipes

INTERVALS = 6
"""Validations, and so checkpoints, of a run."""
_TIMED_STEPS = 20
_ASST = (sys.executable, "-m", "asst")


@dataclass(frozen=True, slots=True)
class Budget:
    """What the runs of a folder have in common.

    That is the level of the simulated features, and the minutes of one thread for training and validation of a method
    that is trained by steps.
    """

    level: str
    minutes: float

    @classmethod
    def of(cls, folder: Path) -> Budget:
        """That of a folder; one that holds no runs, or something else, is an `InputError`."""
        try:
            return cls(**json.loads((folder / "budget.json").read_text(encoding="utf-8")))
        except OSError as error:
            raise InputError(f"{folder} holds no runs on simulated features; give --minutes to train them") from error
        except (ValueError, TypeError) as error:
            raise InputError(f"{folder / 'budget.json'} is damaged ({error}); name another folder") from error

    def claim(self, folder: Path) -> None:
        """Makes a folder one of this budget, or raises an `InputError` if it is one of another or cannot be written."""
        if self.level not in LEVELS:
            raise InputError(f"no simulated level {self.level!r}; there are {', '.join(LEVELS)}")
        if (folder / "budget.json").exists():
            if Budget.of(folder) != self:
                raise InputError(f"{folder} holds runs of {Budget.of(folder)}; name another folder with --results")
            return
        write_whole(folder / "budget.json", json.dumps(asdict(self), allow_nan=False) + "\n")


def finished(folder: Path, recipe: str) -> list[Path]:
    """The folders of the finished runs of a recipe."""
    return sorted(path.parents[1] for path in (folder / recipe).glob("seed*/results/test.json"))


def train_all(recipes: Iterable[str], seeds: Sequence[int], budget: Budget, folder: Path, jobs: int) -> None:
    """Trains and asks what is missing, ``jobs`` runs at a time, each on one thread.

    Raises an `InputError` for a run that ends with an error, after those that are under way.
    """
    wanted = [(recipe, seed) for seed in seeds for recipe in dict.fromkeys(recipes)]
    missing = [
        (recipe, seed) for recipe, seed in wanted if folder / recipe / f"seed{seed}" not in finished(folder, recipe)
    ]
    budget.claim(folder)
    with ThreadPoolExecutor(jobs) as pool:
        try:
            # One after the other where a stream's features are still to be made.
            list(pool.map(lambda recipe: _time(recipe, budget, folder), dict.fromkeys(recipe for recipe, _ in missing)))
            list(pool.map(lambda run: _run(run[0], run[1], budget, folder), missing))
        finally:
            pool.shutdown(cancel_futures=True)


def steps_within(log: Sequence[dict[str, dict[str, float]]], minutes: float) -> int:
    """Steps of a run that lasts so long, from the log of two short intervals.

    The first interval, in which everything is done for the first time, does not count.

    >>> log = [{"processor_s": {"training": 9.0, "validation": 5.0}}]
    >>> steps_within([*log, {"processor_s": {"training": 13.0, "validation": 7.0}}], 1.0)
    240
    """
    first, second = (line["processor_s"] for line in log)
    step_s = (second["training"] - first["training"]) / _TIMED_STEPS
    left_s = 60 * minutes - INTERVALS * (second["validation"] - first["validation"])
    return INTERVALS * max(1, int(left_s / step_s / INTERVALS))


def simulated_recipe(recipe: str) -> Recipe:
    """A row's recipe with what makes it a small one on simulated features."""
    return read_recipe(_recipes(recipe))


def _recipes(recipe: str) -> list[str]:
    read = read_recipe([recipe])
    overlay = {"asst": "small"}.get(read.method, f"small_{read.method.replace('-', '_')}")
    names = (overlay, read.data.dataset, f"{read.data.dataset}_{read.method}")
    packaged = packaged_recipes()
    return [recipe, *(name for name in (f"simulated/{own}" for own in names) if name in packaged)]


def _time(recipe: str, budget: Budget, folder: Path) -> None:
    if not simulated_recipe(recipe).closed_form and len(_speed(folder, recipe)) < 2:
        steps = [f"training.steps={2 * _TIMED_STEPS}", f"training.interval={_TIMED_STEPS}"]
        _train(recipe, budget, steps, folder / "speed" / recipe)


def _speed(folder: Path, recipe: str) -> list[dict[str, dict[str, float]]]:
    log = folder / "speed" / recipe / "metrics.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _run(recipe: str, seed: int, budget: Budget, folder: Path) -> None:
    run = folder / recipe / f"seed{seed}"
    changes, read = [f"training.seed={seed}"], simulated_recipe(recipe)
    if read.average:
        changes += [f"average={INTERVALS // 2}", f"training.keep={INTERVALS // 2}"]
    if not read.closed_form:
        steps = steps_within(_speed(folder, recipe), budget.minutes)
        # The rate falls as over the recipe's own steps.
        decay = f"optimizer.decay_steps={max(1, round(read.optimizer.decay_steps * steps / read.training.steps))}"
        changes += [f"training.steps={steps}", f"training.interval={steps // INTERVALS}", decay]
    _train(recipe, budget, changes, run)
    _asst("evaluate", str(run), "--split", "test", log=run / "evaluate.log")
    typer.echo(f"{recipe}, seed {seed}: done; {run} has everything", err=True)


def _train(recipe: str, budget: Budget, changes: Sequence[str], run: Path) -> None:
    level = f"data.simulated.level={budget.level}"
    _asst("train", *_recipes(recipe), level, *changes, "--run", str(run), log=run.parent / f"{run.name}.log")


def _asst(*words: str, log: Path) -> None:
    """One command on one thread; what it says goes to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as said:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        done = subprocess.run([*_ASST, *words], stdout=said, stderr=said, env=environment, check=False)  # noqa: S603
    if done.returncode:
        lines = log.read_text(encoding="utf-8").splitlines() or ["no message"]
        raise InputError(f"asst {' '.join(words)}: {lines[-1]}; {log} has the rest")
