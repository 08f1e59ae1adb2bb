"""What to know of a data set before believing a number on it: its spans, its sentences, its leaks, its prior."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.data.record import Dataset, Record
from asst.evaluation.prior import fitted_prior
from asst.evaluation.scoring import Evaluation, evaluate
from asst.text import WordVectors, tokenize

WHOLE = 0.95
"""A moment that takes at least this share of its video is the whole of it."""

NAMED = 5


@dataclass(frozen=True, slots=True)
class Spread:
    """How numbers are distributed: least, quartiles, greatest, and mean."""

    least: float
    lower: float
    median: float
    upper: float
    greatest: float
    mean: float

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Spread:
        """Of at least one number.

        >>> Spread.of([1, 2, 3, 4, 5]).median
        3.0
        """
        numbers = np.asarray(values, dtype=np.float64)
        least, lower, median, upper, greatest = np.quantile(numbers, (0, 0.25, 0.5, 0.75, 1)).tolist()
        return cls(least, lower, median, upper, greatest, float(numbers.mean()))


@dataclass(frozen=True, slots=True)
class SplitAudit:
    """One split; `docs/formats.md` says what each figure is.

    Shares are of the video, ``whole`` and ``distinct_sentences`` of moments and sentences. ``same_span`` counts queries
    that have the same moments as another about the same video, in other words. ``grid`` is the share of moments that
    start in one fifth of the video (rows) and end in another (columns), shape (5, 5).
    """

    queries: int
    videos: int
    repaired: int
    dropped: int
    duration_s: Spread
    moment_s: Spread
    moment_share: Spread
    start_share: Spread
    end_share: Spread
    moments_a_query: Spread
    words: Spread
    vocabulary: int
    unknown_words: int
    whole: float
    distinct_sentences: float
    duplicates: int
    same_span: int
    grid: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """What two splits have in common: so many videos, the first few of them named, and sentences.

    ``sentences`` is the share of the queries of ``second`` whose words are, in the same order, those of one in
    ``first``.
    """

    first: str
    second: str
    videos: int
    named: tuple[str, ...]
    sentences: float


@dataclass(frozen=True, slots=True)
class Audit:
    """One data set: splits by name, and leaks of each pair of them.

    ``priors`` are what the moment frequency prior, which looks at nothing, reaches on each split but the one it was
    fitted on.
    """

    dataset: str
    splits: Mapping[str, SplitAudit]
    leaks: tuple[Leak, ...]
    priors: tuple[Evaluation, ...]

    @property
    def fitted(self) -> str:
        """The split that the prior was fitted on."""
        return next(iter(self.splits))

    def as_json(self) -> dict[str, Any]:
        """The form that docs/formats.md describes."""
        return {
            "dataset": self.dataset,
            "splits": {name: asdict(split) for name, split in self.splits.items()},
            "leaks": [asdict(leak) for leak in self.leaks],
            "prior": [{"fitted": self.fitted, **prior.in_per_cent()} for prior in self.priors],
        }


def audit(dataset: str, splits: Mapping[str, Dataset]) -> Audit:
    """Looks at a data set's annotation; no feature is needed.

    ``splits`` are by name, at least one, each with a record; the prior is fitted on the first. Raises an `InputError`
    for annotation that the data set's protocol cannot judge.
    """
    names = list(splits)
    prior = fitted_prior(dataset, splits[names[0]].records)
    judged = [splits[name].records for name in names[1:] or names]
    return Audit(
        dataset=dataset,
        splits={name: audit_split(own) for name, own in splits.items()},
        leaks=tuple(
            leak(first, splits[first].records, second, splits[second].records)
            for place, first in enumerate(names)
            for second in names[place + 1 :]
        ),
        priors=tuple(evaluate(dataset, records, prior.answers(records)) for records in judged),
    )


def audit_split(split: Dataset) -> SplitAudit:
    """The figures of one split with at least one record."""
    records = split.records
    durations_s = {record.video: record.duration_s for record in records}
    spans = np.array([span for record in records for span in record.moments])
    lengths = np.array([record.duration_s for record in records for _ in record.moments])
    shares = spans / lengths[:, None]
    tokens = [tuple(tokenize(record.sentence)) for record in records]
    vocabulary = sorted({word for own in tokens for word in own})
    words = WordVectors.packaged()
    words.prepare(vocabulary)
    dropped = sum(problem.dropped for problem in split.problems)
    length_shares = shares[:, 1] - shares[:, 0]
    return SplitAudit(
        queries=len(records),
        videos=len(durations_s),
        repaired=len(split.problems) - dropped,
        dropped=dropped,
        duration_s=Spread.of(list(durations_s.values())),
        moment_s=Spread.of(spans[:, 1] - spans[:, 0]),
        moment_share=Spread.of(length_shares),
        start_share=Spread.of(shares[:, 0]),
        end_share=Spread.of(shares[:, 1]),
        moments_a_query=Spread.of([len(record.moments) for record in records]),
        words=Spread.of([len(own) for own in tokens]),
        vocabulary=len(vocabulary),
        unknown_words=sum(not words.covers(word) for word in vocabulary),
        whole=float((length_shares >= WHOLE).mean()),
        distinct_sentences=len(set(tokens)) / len(tokens),
        duplicates=len(records) - len({(record.video, own) for record, own in zip(records, tokens, strict=True)}),
        same_span=_same_span(records, tokens),
        grid=_grid(shares),
    )


def leak(first: str, ours: Sequence[Record], second: str, theirs: Sequence[Record]) -> Leak:
    """What the records of two splits have in common."""
    shared = sorted({record.video for record in ours} & {record.video for record in theirs})
    known = {tuple(tokenize(record.sentence)) for record in ours}
    repeated = sum(tuple(tokenize(record.sentence)) in known for record in theirs)
    return Leak(first, second, len(shared), tuple(shared[:NAMED]), repeated / len(theirs))


def _same_span(records: Sequence[Record], tokens: Sequence[tuple[str, ...]]) -> int:
    """Queries whose moments are those of another query of the video with another sentence."""
    said: dict[Any, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for record, own in zip(records, tokens, strict=True):
        said[record.video, tuple(sorted(set(record.moments)))][own] += 1
    return sum(sum(sentences.values()) for sentences in said.values() if len(sentences) > 1)


def _grid(shares: Collection[Any]) -> tuple[tuple[float, ...], ...]:
    places = np.asarray(shares)
    # An end that falls on the border of two fifths belongs to the earlier one.
    starts = np.clip((places[:, 0] * 5 + 1e-9).astype(int), 0, 4)
    ends = np.clip(np.ceil(places[:, 1] * 5 - 1e-9).astype(int) - 1, 0, 4)
    counts = np.zeros((5, 5))
    np.add.at(counts, (starts, ends), 1)
    return tuple(tuple(float(value) for value in row) for row in counts / len(places))
