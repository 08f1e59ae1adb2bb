"""Two systems on the same sentences: each metric of both, and the difference with its paired interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asst.data.record import Record
from asst.evaluation.bootstrap import Interval, bootstrap_runs
from asst.evaluation.matching import answers_of, spans_of
from asst.evaluation.protocol import protocol_of
from asst.moments import Answer, FloatArray

Values = Mapping[str, FloatArray]
"""By metric, one value a query of each run, shape ``(runs, queries)``, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two systems, means over runs as shares in [0, 1], and the difference with its interval."""

    ours: float
    theirs: float
    difference: Interval


def query_values(
    dataset: str, records: Sequence[Record], runs: Iterable[Iterable[Answer]], protocol: str = "standard"
) -> Values:
    """Every metric of a data set's protocol, for the predictions of one or more runs of a system.

    ``records`` are all of a split, ``protocol`` is as `protocol_of` takes it; raises as
    `asst.evaluation.scoring.evaluate`.
    """
    judge = protocol_of(dataset, protocol)
    found = [judge.values(records, [spans_of(answer) for answer in answers_of(records, run)]) for run in runs]
    return {key: np.stack([values[key] for values in found]) for key in found[0]}


def compare(records: Sequence[Record], ours: Values, theirs: Values) -> dict[str, Difference]:
    """The difference of two systems, by `query_values`, in every metric; videos are drawn for both alike."""
    videos = [record.video for record in records]
    return {
        key: Difference(float(own.mean()), float(theirs[key].mean()), bootstrap_runs(own, videos, theirs[key]))
        for key, own in ours.items()
    }
