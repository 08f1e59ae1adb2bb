"""``asst tables --simulated``: the paper's tables on simulated features, from runs of equal times of one thread.

A folder holds ``budget.json``, a run a recipe and seed, and below ``speed`` a run a recipe that a few steps were timed
in. What is finished is left as it is; what was interrupted goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import typer

from asst.atomic import write_whole
from asst.cli.options import print_json, tell
from asst.data import DATASETS, data_folder, read_dataset
from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.bootstrap import Interval
from asst.evaluation.fusion import fuse
from asst.evaluation.matching import answers_of, spans_of
from asst.evaluation.prior import fitted_prior
from asst.evaluation.protocol import protocol_of
from asst.evaluation.references import ShownQuestion, reference_rankings
from asst.evaluation.results import read_result
from asst.evaluation.scoring import Values, query_values
from asst.evaluation.tables import COMPARED, PaperTable, SimulatedRow, detection_rows, fused_recipes, sentence_rows
from asst.moments import Answer
from asst.outputs.json_lines import read_answers
from asst.outputs.table import Grid
from asst.simulate.features.settings import LEVELS
from asst.training.folder import RUNS, RunFolder
from asst.training.recipe import Recipe, read_recipe
from asst.training.recipe_files import packaged_recipes
from asst.training.simulation import settings_of, shown_to

USUAL = RUNS / "simulated"
SPLIT = "test"
INTERVALS = 6
"""Validations, and so checkpoints, of a run."""
_TIMED_STEPS = 80
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
    return sorted(path.parents[1] for path in (folder / recipe).glob(f"seed*/results/{SPLIT}.json"))


def train_missing(
    tables: Sequence[PaperTable], folder: Path, minutes: float, seeds: Sequence[int], level: str, jobs: int
) -> None:
    """Trains and asks the runs of tables that are not there, ``minutes`` each, ``jobs`` at a time on one thread each.

    Raises an `InputError` for a run that ends with an error, after those that are under way.
    """
    budget = Budget(level, minutes)
    budget.claim(folder)
    # Parts of fusions in place of these.
    rows = (recipe for table in tables for _, recipe in table.trained)
    recipes = dict.fromkeys(part for recipe in rows for part in fused_recipes().get(recipe, (recipe,)))
    wanted = [(recipe, seed) for seed in seeds for recipe in recipes]
    missing = [
        (recipe, seed) for recipe, seed in wanted if folder / recipe / f"seed{seed}" not in finished(folder, recipe)
    ]
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
    >>> steps_within([*log, {"processor_s": {"training": 25.0, "validation": 7.0}}], 1.0)
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
    run = folder / "speed" / recipe
    if not simulated_recipe(recipe).closed_form and len(RunFolder(run).log()) < 2:
        steps = [f"training.steps={2 * _TIMED_STEPS}", f"training.interval={_TIMED_STEPS}"]
        _train(recipe, budget, steps, run)


def _run(recipe: str, seed: int, budget: Budget, folder: Path) -> None:
    run = folder / recipe / f"seed{seed}"
    changes, read = [f"training.seed={seed}"], simulated_recipe(recipe)
    if read.average:
        changes += [f"average={INTERVALS // 2}", f"training.keep={INTERVALS // 2}"]
    if not read.closed_form:
        steps = steps_within(RunFolder(folder / "speed" / recipe).log(), budget.minutes)
        # The rate falls as over the recipe's own steps.
        decay = f"optimizer.decay_steps={max(1, round(read.optimizer.decay_steps * steps / read.training.steps))}"
        changes += [f"training.steps={steps}", f"training.interval={steps // INTERVALS}", decay]
    _train(recipe, budget, changes, run)
    _asst("evaluate", str(run), "--split", SPLIT, log=run / "evaluate.log")
    tell(f"{recipe}, seed {seed}: done; {run} has everything")


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


def simulated_tables(
    tables: Sequence[PaperTable], folder: Path, write: Callable[[Sequence[Grid], TextIO], None] | None
) -> None:
    """Prints the tables, as JSON lines without ``write``; a folder without any run is an `InputError`."""
    budget = Budget.of(folder)
    for number, table in enumerate(tables):
        rows = _rows(table, folder, budget)
        if write is None:
            content = {"table": table.number, "level": budget.level, "minutes": budget.minutes}
            print_json([{**content, "simulated": [row.as_json() for row in rows]}])
        else:
            typer.echo("\n" if number else "", nl=False)
            write([_grid(table, rows, folder, budget)], sys.stdout)


def _rows(table: PaperTable, folder: Path, budget: Budget) -> list[SimulatedRow]:
    runs = {recipe: finished(folder, recipe) for _, recipe in table.trained}
    if table.dataset not in DATASETS:
        kept = {recipe: [run / "results" / f"{SPLIT}.json" for run in own] for recipe, own in runs.items() if own}
        return detection_rows(table, {recipe: [*map(read_result, paths)] for recipe, paths in kept.items()})
    records = read_dataset(table.dataset, data_folder(table.dataset), SPLIT).records
    found = {}
    for _, recipe in table.trained:
        answers = _answers(recipe, folder)
        if answers:
            protocol = simulated_recipe(recipe).protocol if recipe not in fused_recipes() else "standard"
            found[recipe] = query_values(table.dataset, records, answers, protocol)
    return sentence_rows(table, records, _references(table, records, budget), found)


def _answers(recipe: str, folder: Path) -> list[list[Answer]]:
    """The predictions of every finished run of a row; of a fusion, of every seed that all its parts have."""

    def read(run: Path) -> list[Answer]:
        return read_answers(run / "predictions" / f"{SPLIT}.jsonl")

    parts = fused_recipes().get(recipe)
    if parts is None:
        return [read(run) for run in finished(folder, recipe)]
    seeds = set.intersection(*({run.name for run in finished(folder, part)} for part in parts))
    return [fuse([read(folder / part / seed) for part in parts], list(parts.values())) for seed in sorted(seeds)]


def _references(table: PaperTable, records: Sequence[Record], budget: Budget) -> dict[str, Values]:
    """Those of `asst.evaluation.references`; the oracle sees what any stream of the table's own row shows."""
    root, own = data_folder(table.dataset), list(fused_recipes().get(table.ours, (table.ours,)))[-1]
    data = simulated_recipe(own).data
    prior = fitted_prior(table.dataset, read_dataset(table.dataset, root, data.train).records)
    blind = map(spans_of, answers_of(records, prior.answers(records)))
    settings = [settings_of(table.dataset, name, budget.level) for name in data.streams]
    seen = [shown_to(table.dataset, own, root, records) for own in settings]
    questions = []
    for spans, *streams in zip(blind, *seen, strict=True):
        # Each event as the stream has it that sees it best.
        events = zip(*(events for events, _ in streams), strict=True)
        shown = [max(own, key=lambda event: event.clear) for own in events]
        questions.append(ShownQuestion(shown, streams[0][1], spans))
    protocol = protocol_of(table.dataset)
    rankings = reference_rankings(questions, pieces=protocol.pieces)
    return {
        name: {key: values[None] for key, values in protocol.values(records, ranked).items()}
        for name, ranked in rankings.items()
    }


def _grid(table: PaperTable, rows: Sequence[SimulatedRow], folder: Path, budget: Budget) -> Grid:
    compared = table.metrics[:COMPARED] if any(row.ahead for row in rows) else ()
    headings = ["method", "recipe", "runs", "steps", *(key.replace(",", "\n") for key in table.metrics)]
    cells = [
        [
            row.label,
            row.recipe,
            str(row.runs) if row.recipe else "",
            _steps(row.recipe, folder),
            *(_cell(row.metrics[key]) for key in table.metrics),
            *(_cell(row.ahead[key], sign="+") if key in row.ahead else "" for key in compared),
        ]
        for row in rows
    ]
    own = next((label for label, recipe in table.trained if recipe == table.ours), "")
    over = "videos and runs" if table.dataset in DATASETS else "videos, its ends averaged over runs"
    notes = [
        f"per cent [95 % interval over {over}]; runs of methods that are trained by steps have {budget.minutes:g} "
        f"minutes of one thread; steps: of the first run; level {budget.level}",
        "simulated: nothing here compares with the paper's figures",
    ]
    if compared:
        notes.append(f"ahead: how far {own} ({table.ours}) is ahead of the row, on the same sentences")
    title = f"simulated: Table {table.number}. {table.title}, {SPLIT}"
    return Grid(title, [*headings, *(f"ahead\n{key}".replace(",", "\n") for key in compared)], cells, notes, words=2)


def _cell(interval: Interval, sign: str = "") -> str:
    mean, low, high = (f"{100 * value:{sign}.1f}" for value in (interval.mean, interval.low, interval.high))
    return f"{mean} [{low}, {high}]"


def _steps(recipe: str, folder: Path) -> str:
    """Steps that the first run of a row had, if it was trained by steps."""
    runs = finished(folder, recipe) if recipe else []
    steps = RunFolder(runs[0]).log()[-1]["step"] if runs else 0
    return f"{steps:,}" if steps > 1 else ""
