"""The paper's tables on simulated features: the same rows, with references, and differences in place of its figures.

Nothing here compares with the paper. A cell is the mean over runs, with an interval over videos and runs; the row that
is ours in a table is compared with each other row on the same sentences.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asst.data.record import Record
from asst.evaluation.bootstrap import Interval, bootstrap_runs
from asst.evaluation.results import Result
from asst.evaluation.scoring import Values, compare, per_cent
from asst.evaluation.tables import PaperTable

COMPARED = 2
"""So many of a table's first metrics are compared."""


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
    ours = found.get(table.ours)

    def row(label: str, recipe: str, values: Values) -> SimulatedRow:
        metrics = {key: bootstrap_runs(values[key], videos) for key in table.metrics}
        differences = {} if ours is None or recipe == table.ours else compare(records, ours, values)
        ahead = {key: differences[key].difference for key in table.metrics[:COMPARED] if key in differences}
        return SimulatedRow(label, recipe, len(values[table.metrics[0]]), metrics, ahead)

    return [
        *(row(name, "", values) for name, values in references.items()),
        *(row(label, recipe, found[recipe]) for label, recipe in table.trained if recipe in found),
    ]


def detection_rows(table: PaperTable, found: Mapping[str, Collection[Result]]) -> list[SimulatedRow]:
    """The rows of a table of detections: means over runs of the means and of the ends of their intervals."""

    def mean(results: Collection[Result], key: str) -> Interval:
        figures = [result.metrics[key] for result in results]
        ends = [(figure.mean, figure.low, figure.high) for figure in figures]
        return Interval(*(sum(end or 0.0 for end in each) / len(ends) / 100 for each in zip(*ends, strict=True)))

    return [
        SimulatedRow(label, recipe, len(found[recipe]), {key: mean(found[recipe], key) for key in table.metrics}, {})
        for label, recipe in table.trained
        if recipe in found
    ]
