"""Figures of evaluations for people and programs, to standard output."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence

from asst.cli.verb import print_grid, print_json
from asst.evaluation.scoring import Evaluation
from asst.outputs.grid import Grid, write_grids


def print_evaluation(evaluation: Evaluation, *, as_json: bool) -> None:
    """Write one, as JSON or as a table."""
    if as_json:
        print_json([evaluation.in_per_cent()])
        return
    asked = "" if evaluation.classes else f"{evaluation.queries} queries, "
    title = f"{evaluation.dataset} {evaluation.split}: {asked}{evaluation.videos} videos"
    notes = ["per cent; low and high enclose 95 % over videos"]
    if evaluation.prior:
        notes.append(f"prior: spans that are frequent in {evaluation.prior_split}, whatever is asked")
    write_grids([metric_grid(evaluation, title, notes)], sys.stdout)


def print_together(found: Mapping[str, Evaluation], *, as_json: bool) -> None:
    """Write those of runs that differ in their seeds: the mean, the spread, and each, by the runs' names."""
    each = {name: own.in_per_cent() for name, own in found.items()}
    one = next(iter(found.values()))
    means, spread = (
        {key: of(own[key] for own in each.values()) for key in one.metrics}
        for of in (statistics.fmean, statistics.stdev)
    )
    if as_json:
        print_json([{"mean": means, "spread": spread, "runs": each}])
        return
    blind = one.in_per_cent().get("prior", {})
    rows = [
        [
            key,
            *_cells([means[key], spread[key], *(own[key] for own in each.values()), *([blind[key]] if blind else [])]),
        ]
        for key in one.metrics
    ]
    headings = ["metric", "mean", "spread", *each, *(["prior"] if blind else [])]
    title = f"{one.dataset} {one.split}: {one.queries} queries, {one.videos} videos, {len(each)} runs"
    print_grid(title, headings, rows, ["per cent; spread is the standard deviation over runs"])


def metric_grid(evaluation: Evaluation, title: str, notes: Sequence[str]) -> Grid:
    """A row a metric, in per cent, with its interval and the prior's figure if it was asked."""
    figures = evaluation.in_per_cent()
    blind = figures.get("prior", {})
    rows = [
        [key, *_cells([figures[key], *figures["intervals"][key].values(), *([blind.get(key)] if blind else [])])]
        for key in evaluation.metrics
    ]
    return Grid(title, ["metric", "mean", "low", "high", *(["prior"] if blind else [])], rows, notes)


def _cells(figures: Iterable[float | None]) -> list[str]:
    return ["-" if figure is None else f"{figure:.2f}" for figure in figures]
