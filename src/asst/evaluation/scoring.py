"""From predictions to a data set's metrics, each with its interval over videos, and two systems compared by them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.bootstrap import Interval, bootstrap_interval, bootstrap_runs
from asst.evaluation.matching import answers_of, spans_of
from asst.evaluation.protocol import Protocol, protocol_of
from asst.moments import Answer, FloatArray

if TYPE_CHECKING:
    from asst.evaluation.prior import Prior

DECIMALS = 4
"""Of figures in per cent."""

Values = Mapping[str, FloatArray]
"""By metric, one value a query of each run, shape ``(runs, queries)``, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well predictions do on one split of a data set; several splits are joined by ``+``."""

    dataset: str
    split: str
    queries: int
    videos: int
    metrics: Mapping[str, Interval]
    """Each metric of the data set's protocol, as a share in [0, 1], in the order of the paper's tables."""
    classes: Mapping[str, Mapping[str, float]] = field(default_factory=dict, hash=False)
    """Of detections, each class's own metrics, as shares in [0, 1]."""
    prior: Mapping[str, float] = field(default_factory=dict, hash=False)
    """The same metrics of a prior that reads neither video nor sentence; none where it was not asked."""
    prior_split: str = ""
    """What the prior was fitted on."""

    def in_per_cent(self) -> dict[str, Any]:
        """The form for JSON: means of metrics in per cent beside their intervals and the rest."""
        return {
            **{key: per_cent(interval)["mean"] for key, interval in self.metrics.items()},
            "intervals": {
                key: {end: value for end, value in per_cent(interval).items() if end != "mean"}
                for key, interval in self.metrics.items()
            },
            "queries": self.queries,
            "videos": self.videos,
            "dataset": self.dataset,
            "split": self.split,
            **({"classes": {label: _percents(own) for label, own in self.classes.items()}} if self.classes else {}),
            **({"prior": {"fitted": self.prior_split, **_percents(self.prior)}} if self.prior else {}),
        }


def _percents(shares: Mapping[str, float]) -> dict[str, float]:
    return {key: round(100 * value, DECIMALS) for key, value in shares.items()}


def evaluate(
    dataset: str,
    records: Sequence[Record],
    answers: Iterable[Answer],
    *,
    prior: Prior | None = None,
    protocol: str = "standard",
) -> Evaluation:
    """Judges predictions by a data set's protocol.

    An answer belongs to the records with its video and sentence. Its moments count in the order it has them.

    Args:
        dataset: a key of `asst.data.DATASETS`.
        records: every record of a split, as ``asst.data.read_dataset(...).records`` has them.
        answers: one prediction a pair of video and sentence, such as ``asst.outputs.json_lines.read_answers`` reads.
            Where the data set has scores of clips and every answer has a curve, that is judged as saliency.
        prior: is asked the same, to stand beside.
        protocol: as `asst.evaluation.protocol.protocol_of` takes it.

    Raises:
        InputError: for an unknown data set, no record, a pair without prediction or unknown to the data set, two
            different predictions of one pair, or a prediction that the protocol cannot judge.
    """
    judged_by = protocol_of(dataset, protocol)
    if not records:
        raise InputError(f"{dataset}: no record to evaluate; is the annotation file the right one?")
    values = _values(judged_by, records, answers, more=True)
    blind = {} if prior is None else _values(judged_by, records, prior.answers(records), more=True)
    videos = [record.video for record in records]
    return Evaluation(
        dataset=dataset,
        split="+".join(dict.fromkeys(record.split for record in records)),
        queries=len(records),
        videos=len(set(videos)),
        metrics={key: _interval(numbers, videos) for key, numbers in values.items()},
        prior={key: float(np.nanmean(numbers)) for key, numbers in blind.items()},
        prior_split=prior.split if prior is not None else "",
    )


def _values(
    judged_by: Protocol, records: Sequence[Record], answers: Iterable[Answer], *, more: bool
) -> dict[str, FloatArray]:
    """`Protocol.values` of answers; with ``more`` also of saliency, where all have it."""
    given = answers_of(records, answers)
    values = judged_by.values(records, [spans_of(answer) for answer in given], more=more)
    curves = [answer.curve for answer in given if answer.curve is not None]
    if more and judged_by.judge_saliency is not None and len(curves) == len(given):
        values |= judged_by.judge_saliency(records, curves)
    return values


def _interval(numbers: FloatArray, videos: Sequence[str]) -> Interval:
    """Over the queries that a metric speaks of; it is NaN for others."""
    meant = ~np.isnan(numbers)
    return bootstrap_interval(numbers[meant], np.array(videos)[meant])


def per_cent(interval: Interval) -> dict[str, Any]:
    """``mean``, ``low`` and ``high`` in per cent; the ends are None where one video alone leaves them open.

    >>> per_cent(Interval(0.194, 0.18, 0.21))
    {'mean': 19.4, 'low': 18.0, 'high': 21.0}
    """
    ends = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    return {key: round(100 * value, DECIMALS) if math.isfinite(value) else None for key, value in ends.items()}


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two systems, means over runs as shares in [0, 1], and the difference with its interval."""

    ours: float
    theirs: float
    difference: Interval


def query_values(
    dataset: str,
    records: Sequence[Record],
    runs: Iterable[Iterable[Answer]],
    protocol: str = "standard",
    *,
    more: bool = False,
) -> Values:
    """The metrics of a data set's protocol, for the predictions of one or more runs of a system.

    ``records`` are all of a split, ``protocol`` is as `protocol_of` takes it, ``more`` gives all that every run has;
    raises as `evaluate`.
    """
    judged_by = protocol_of(dataset, protocol)
    found = [_values(judged_by, records, run, more=more) for run in runs]
    return {key: np.stack([values[key] for values in found]) for key in found[0] if all(key in own for own in found)}


def compare(records: Sequence[Record], ours: Values, theirs: Values) -> dict[str, Difference]:
    """The difference of two systems, by `query_values`, in every metric of both; videos are drawn for both alike."""
    videos, found = np.array([record.video for record in records]), {}
    for key in (key for key in ours if key in theirs):
        # Of the queries that a metric speaks of; it is NaN for others.
        meant = ~np.isnan(ours[key][0])
        own, other = ours[key][:, meant], theirs[key][:, meant]
        found[key] = Difference(float(own.mean()), float(other.mean()), bootstrap_runs(own, videos[meant], other))
    return found
