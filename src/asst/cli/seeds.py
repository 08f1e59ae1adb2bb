"""Runs of one recipe that differ in their seeds: found in a folder, judged one after the other, and summed up."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from asst.evaluation.scoring import Evaluation


def runs_in(folder: Path) -> list[Path]:
    """The folder itself if it is a run, or holds none; else the runs ``seed0``, ``seed1`` and so on in it."""
    inside = sorted(path.parent for path in folder.glob("seed*/recipe.yaml"))
    return [folder] if (folder / "recipe.yaml").exists() or not inside else inside


def evaluate_runs(runs: Sequence[Path], split: str, changes: Sequence[str], *, as_json: bool) -> None:
    """Judges each run on a split, and prints what one came to, or the mean and the spread over several.

    Raises:
        InputError: for a run that has no checkpoint, or data that cannot be read.
    """
    from asst.cli.evaluate_run import evaluate_run
    from asst.cli.evaluation_figures import print_evaluation

    found = {run.name: evaluate_run(run, split, changes) for run in runs}
    if len(found) == 1:
        print_evaluation(next(iter(found.values())), as_json=as_json)
    else:
        _print_together(found, as_json=as_json)


def _print_together(found: Mapping[str, Evaluation], *, as_json: bool) -> None:
    each = {name: own.in_per_cent() for name, own in found.items()}
    one = next(iter(found.values()))
    means = {key: statistics.fmean(own[key] for own in each.values()) for key in one.metrics}
    spread = {key: statistics.stdev(own[key] for own in each.values()) for key in one.metrics}
    if as_json:
        typer.echo(json.dumps({"mean": means, "spread": spread, "runs": each}, allow_nan=False))
        return
    from asst.outputs.grid import Grid, write_grids

    blind = one.in_per_cent().get("prior", {})
    rows = []
    for key in one.metrics:
        cells = [means[key], spread[key], *(own[key] for own in each.values()), *([blind[key]] if key in blind else [])]
        rows.append([key, *(f"{cell:.2f}" for cell in cells)])
    headings = ["metric", "mean", "spread", *each, *(["prior"] if blind else [])]
    title = f"{one.dataset} {one.split}: {one.queries} queries, {one.videos} videos, {len(each)} runs"
    write_grids([Grid(title, headings, rows, ["per cent; spread is the standard deviation over runs"])], sys.stdout)
