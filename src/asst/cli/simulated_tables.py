"""``asst tables --simulated``: the paper's tables on simulated features, from runs that are trained where they lack."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import typer

from asst.cli.table_runs import Budget, finished, simulated_recipe, train_all
from asst.cli.verb import print_json
from asst.data import DATASETS, data_folder, read_dataset
from asst.data.record import Record
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
from asst.outputs.grid import Grid
from asst.outputs.json_lines import read_answers
from asst.training.folder import RUNS, RunFolder
from asst.training.simulation import Wanted, shown_to

USUAL = RUNS / "simulated"
SPLIT = "test"


def train_missing(
    tables: Sequence[PaperTable], folder: Path, minutes: float, seeds: Sequence[int], level: str, jobs: int
) -> None:
    """Trains the runs of tables that are not there, ``minutes`` each, ``jobs`` at a time, as `train_all` does."""
    recipes = [recipe for table in tables for recipe in _recipes(table)]
    train_all(recipes, seeds, Budget(level, minutes), folder, jobs)


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


def _recipes(table: PaperTable) -> Iterator[str]:
    """What a table's rows are trained by, parts of fusions in place of these."""
    for _, recipe in table.trained:
        yield from fused_recipes().get(recipe, (recipe,))


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
    seen = [shown_to(Wanted(table.dataset, name, budget.level), root, records) for name in data.streams]
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
    notes = [
        "per cent [95 % interval over videos and runs]; runs of methods that are trained by steps have "
        f"{budget.minutes:g} minutes of one thread; level {budget.level}",
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
