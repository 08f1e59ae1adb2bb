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
    """One metric of two systems, as shares in [0, 1].

    Attributes:
        ours: the first one's mean over its runs.
        theirs: the second one's.
        difference: of the first from the second, with its interval over videos and runs.
    """

    ours: float
    theirs: float
    difference: Interval


def query_values(
    dataset: str, records: Sequence[Record], runs: Iterable[Iterable[Answer]], protocol: str = "standard"
) -> Values:
    """Every metric of a data set's protocol, for one or more runs of a system.

    Args:
        dataset: a key of `asst.data.DATASETS`.
        records: every record of a split.
        runs: the predictions of each.
        protocol: as `asst.evaluation.protocol.protocol_of` takes it.

    Raises:
        InputError: as `asst.evaluation.scoring.evaluate`.
    """
    judge = protocol_of(dataset, protocol)
    found = [judge.values(records, [spans_of(answer) for answer in answers_of(records, run)]) for run in runs]
    return {key: np.stack([values[key] for values in found]) for key in found[0]}


def compare(records: Sequence[Record], ours: Values, theirs: Values) -> dict[str, Difference]:
    """The difference of two systems in every metric, by a bootstrap that draws the same videos for both.

    Args:
        records: that the values are of.
        ours: of the first system, by `query_values`.
        theirs: of the second.
    """
    videos = [record.video for record in records]
    return {
        key: Difference(float(own.mean()), float(theirs[key].mean()), bootstrap_runs(own, videos, theirs[key]))
        for key, own in ours.items()
    }
