"""``asst evaluate``: how good saved predictions are, by the protocol of their data set."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli.annotation import DataFolder, DatasetName, Problems, Split, read_annotation
from asst.errors import InputError

if TYPE_CHECKING:
    from asst.evaluation.scoring import Evaluation


def evaluate(
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS.jsonl", help="Answers as 'asst locate --json' prints them.", show_default=False
        ),
    ],
    dataset: DatasetName = None,
    split: Split = None,
    data: DataFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, in per cent.")] = False,
    problems: Problems = False,
) -> None:
    """Judge PREDICTIONS by the protocol of their data set, with 95 % intervals over videos.

    Each sentence of the split needs a prediction. The order of the lines does not matter.
    """
    if predictions.is_dir():
        raise InputError(f"{predictions}: is a folder; name a file of predictions")
    evaluation = _evaluate_predictions(predictions, dataset, split, data, problems=problems)
    print_evaluation(evaluation, as_json=as_json)


def print_evaluation(evaluation: Evaluation, *, as_json: bool) -> None:
    """Write it to standard output, as JSON or as a table."""
    if as_json:
        typer.echo(json.dumps(evaluation.in_per_cent(), allow_nan=False))
        return
    from asst.outputs.grid import Grid, write_grids

    figures = evaluation.in_per_cent()
    rows = []
    for key in evaluation.metrics:
        ends = figures["intervals"][key].values()
        rows.append([key, f"{figures[key]:.2f}", *("-" if end is None else f"{end:.2f}" for end in ends)])
    title = f"{evaluation.dataset} {evaluation.split}: {evaluation.queries} queries, {evaluation.videos} videos"
    notes = ["per cent; low and high enclose 95 % over videos"]
    write_grids([Grid(title, ["metric", "mean", "low", "high"], rows, notes)], sys.stdout)


def _evaluate_predictions(
    predictions: Path, dataset: str | None, split: str | None, data: Path | None, *, problems: bool
) -> Evaluation:
    from asst.evaluation.scoring import evaluate as score
    from asst.outputs.json_lines import read_answers

    answers = read_answers(predictions)
    key, annotation = read_annotation(dataset, split, data, problems=problems)
    return score(key, annotation.records, answers)
