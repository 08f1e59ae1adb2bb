"""The paper's tables 1 to 8 with its figures, and ours beside them.

``paper_tables.json`` holds each row with the paper's figures and the recipe that fills it. Rows that the paper prints
twice, such as Table 4's C3D and Table 6's multiple feedings, name the same recipe. Figures on simulated features
fill none of these rows: they have tables of their own, of `SimulatedRow`.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.bootstrap import Interval, bootstrap_runs
from asst.evaluation.results import Figure, Result
from asst.evaluation.scoring import Values, compare, per_cent

COMPARED = 2
"""So many of a table's first metrics are compared."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of the paper.

    ``recipe`` fills it with our figures, None for a method that the paper only cites; ``paper`` holds the paper's, one
    a metric, in per cent, None where it has a dash; ``missing`` says what it takes to fill the line.
    """

    label: str
    recipe: str | None
    paper: tuple[float | None, ...]
    missing: str = "a figure that the paper cites"


@dataclass(frozen=True, slots=True)
class PaperTable:
    """One table of the paper, rows from the top.

    ``ours`` is the recipe of the row that others are compared with where features are simulated, ``also`` labels and
    recipes that are added there, above the paper's rows.
    """

    number: int
    title: str
    dataset: str
    split: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    ours: str
    also: tuple[tuple[str, str], ...]

    @property
    def trained(self) -> tuple[tuple[str, str], ...]:
        """Labels and recipes of the rows that simulated features fill: all but priors, which read none."""
        own = [(row.label.split(" [")[0], row.recipe) for row in self.rows if row.recipe]
        return tuple((label, recipe) for label, recipe in (*self.also, *own) if not recipe.endswith("/prior"))


@dataclass(frozen=True, slots=True)
class RunsFigure(Figure):
    """A metric over the runs of a recipe: means of what each has, and the deviation of several."""

    spread: float | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """Our results for one recipe that differ in nothing but the run, of which there are ``runs``; figures by metric.

    ``changes`` are of the packaged recipe's settings.
    """

    recipe: str
    split: str
    extractor: str
    changes: str
    queries: int
    runs: int
    figures: Mapping[str, RunsFigure]


@dataclass(frozen=True, slots=True)
class FilledTable:
    """A table of the paper with our figures.

    ``ours`` holds for each of its rows our results on the real data set's same split, one a set of features; ``prior``
    what a prior that reads nothing reaches on that split, in per cent, none where no result says it.
    """

    paper: PaperTable
    ours: tuple[tuple[Runs, ...], ...]
    prior: Mapping[str, float] = field(default_factory=dict, hash=False)


def paper_tables(numbers: Collection[int] = ()) -> tuple[PaperTable, ...]:
    """The tables of these numbers, or all, in the paper's order; an `InputError` for one that is not there."""
    content = _content()
    tables = TypeAdapter(tuple[PaperTable, ...]).validate_python(content["tables"])
    known = [table.number for table in tables]
    if unknown := [number for number in numbers if number not in known]:
        raise InputError(f"the paper has no table {unknown[0]}; it has {min(known)} to {max(known)}")
    wanted = [table for table in tables if not numbers or table.number in numbers]
    missing = content["missing"]
    return tuple(
        replace(
            table,
            rows=tuple(replace(row, missing=missing[row.recipe]) if row.recipe else row for row in table.rows),
        )
        for table in wanted
    )


def fill(table: PaperTable, results: Iterable[Result]) -> FilledTable:
    """A table with those of the results that belong in it."""
    recipes = {row.recipe for row in table.rows}
    own = [result for result in results if result.dataset == table.dataset and result.recipe in recipes]
    split = [result for result in own if result.data == "real" and result.split == table.split]
    real = _runs(split)
    return FilledTable(
        paper=table,
        ours=tuple(tuple(runs for runs in real if runs.recipe == row.recipe) for row in table.rows),
        prior=next((result.prior for result in split if result.prior), {}),
    )


def as_json(table: FilledTable) -> dict[str, Any]:
    """The form for JSON that docs/formats.md describes; figures in per cent."""
    paper = table.paper
    return {
        "table": paper.number,
        "title": paper.title,
        "dataset": paper.dataset,
        "split": paper.split,
        "rows": [
            {
                "label": row.label,
                "recipe": row.recipe,
                "paper": dict(zip(paper.metrics, row.paper, strict=True)),
                "ours": [
                    {
                        **{key: value for key, value in asdict(runs).items() if key != "figures"},
                        "metrics": {key: asdict(own) for key, own in runs.figures.items() if key in paper.metrics},
                    }
                    for runs in ours
                ],
                "missing": None if ours else row.missing,
            }
            for row, ours in zip(paper.rows, table.ours, strict=True)
        ],
        "prior": {key: table.prior[key] for key in paper.metrics if key in table.prior},
    }


def fused_recipes() -> dict[str, dict[str, float]]:
    """Of each row that is fused from others, their recipes and weights."""
    found: dict[str, dict[str, float]] = _content()["fused"]
    return found


def _content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("paper_tables.json").read_text(encoding="utf-8"))
    return found


def _runs(results: Sequence[Result]) -> tuple[Runs, ...]:
    """The results in groups that are alike in all but the run; first seen, first."""
    groups: dict[tuple[str, str, str, str, int], list[Result]] = {}
    for own in results:
        groups.setdefault((own.recipe, own.split, own.extractor, own.changes, own.queries), []).append(own)
    return tuple(Runs(*alike, len(group), _figures(group)) for alike, group in groups.items())


def _figures(group: Sequence[Result]) -> dict[str, RunsFigure]:
    """Each metric that every result of the group has."""
    figures = {}
    for key in group[0].metrics:
        if all(key in result.metrics for result in group):
            own = [result.metrics[key] for result in group]
            means = [figure.mean for figure in own]
            figures[key] = RunsFigure(
                mean=statistics.fmean(means),
                low=_mean_end([figure.low for figure in own]),
                high=_mean_end([figure.high for figure in own]),
                spread=statistics.stdev(means) if len(means) > 1 else None,
            )
    return figures


def _mean_end(ends: Sequence[float | None]) -> float | None:
    known = [end for end in ends if end is not None]
    return statistics.fmean(known) if len(known) == len(ends) else None


@dataclass(frozen=True, slots=True)
class SimulatedRow:
    """One line of a table of simulated figures, shares in [0, 1] by the table's metrics.

    ``recipe`` is empty for a reference. ``ahead`` says how far the table's own row is ahead of this one, by the first
    metrics; empty for that row itself, and where there are no sentences.
    """

    label: str
    recipe: str
    runs: int
    metrics: Mapping[str, Interval]
    ahead: Mapping[str, Interval]

    def as_json(self) -> dict[str, Any]:
        """The form for JSON that docs/formats.md describes; figures in per cent."""
        return {
            "label": self.label,
            "recipe": self.recipe or None,
            "runs": self.runs,
            "metrics": {key: per_cent(interval) for key, interval in self.metrics.items()},
            "ahead": {key: per_cent(interval) for key, interval in self.ahead.items()},
        }


def sentence_rows(
    table: PaperTable, records: Sequence[Record], references: Mapping[str, Values], found: Mapping[str, Values]
) -> list[SimulatedRow]:
    """The rows of a table of a data set of sentences, as far as they have runs.

    ``references`` are the values of those that are not trained, by name, ``found`` of every run of a recipe, by recipe.
    """
    videos = [record.video for record in records]
    compared = table.metrics[:COMPARED]
    ours = {key: found[table.ours][key] for key in compared} if table.ours in found else None

    def row(label: str, recipe: str, values: Values) -> SimulatedRow:
        metrics = {key: bootstrap_runs(values[key], videos) for key in table.metrics}
        differences = {} if ours is None or recipe == table.ours else compare(records, ours, values)
        ahead = {key: one.difference for key, one in differences.items()}
        return SimulatedRow(label, recipe, len(values[table.metrics[0]]), metrics, ahead)

    return [
        *(row(name, "", values) for name, values in references.items()),
        *(row(label, recipe, found[recipe]) for label, recipe in table.trained if recipe in found),
    ]


def detection_rows(table: PaperTable, found: Mapping[str, Sequence[Result]]) -> list[SimulatedRow]:
    """The rows of a table of detections: means over runs of the means and of the ends of their intervals."""
    rows = []
    for label, recipe in table.trained:
        if results := found.get(recipe):
            figures = _figures(results)
            ends = {key: (figures[key].mean, figures[key].low, figures[key].high) for key in table.metrics}
            means = {key: Interval(*((end or 0.0) / 100 for end in own)) for key, own in ends.items()}
            rows.append(SimulatedRow(label, recipe, len(results), means, {}))
    return rows
