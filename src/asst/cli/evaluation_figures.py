"""Figures of an evaluation for people and programs, to standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from asst.evaluation.scoring import Evaluation
    from asst.outputs.grid import Grid


def print_evaluation(evaluation: Evaluation, *, as_json: bool) -> None:
    """Write it to standard output, as JSON or as a table."""
    if as_json:
        typer.echo(json.dumps(evaluation.in_per_cent(), allow_nan=False))
        return
    from asst.outputs.grid import write_grids

    asked = "" if evaluation.classes else f"{evaluation.queries} queries, "
    title = f"{evaluation.dataset} {evaluation.split}: {asked}{evaluation.videos} videos"
    notes = ["per cent; low and high enclose 95 % over videos"]
    if evaluation.prior:
        notes.append(f"prior: spans that are frequent in {evaluation.prior_split}, whatever is asked")
    write_grids([metric_grid(evaluation, title, notes)], sys.stdout)


def metric_grid(evaluation: Evaluation, title: str, notes: Sequence[str]) -> Grid:
    """A row a metric, in per cent, with its interval and the prior's figure if it was asked."""
    from asst.outputs.grid import Grid

    figures = evaluation.in_per_cent()
    blind = figures.get("prior", {})
    rows = []
    for key in evaluation.metrics:
        cells: list[float | None] = [figures[key], *figures["intervals"][key].values()]
        cells += [blind.get(key)] if blind else []
        rows.append([key, *("-" if cell is None else f"{cell:.2f}" for cell in cells)])
    return Grid(title, ["metric", "mean", "low", "high", *(["prior"] if blind else [])], rows, notes)
