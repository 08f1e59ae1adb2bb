"""One sentence with its moments in one video, and what a reader makes of an annotation file."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from asst.errors import InputError

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Record:
    """One sentence about one video, with its moments.

    Attributes:
        id: unique in its data set's split; the data set's own identifier where it has one.
        sentence: never empty, without surrounding or doubled white space.
        moments: true spans in seconds, each inside the video. Usually one; several if the event repeats
            (QVHighlights) or several people marked it (DiDeMo, one span an agreeing annotator, equal ones included).
        annotated: every span as the file has it, in seconds, before repairs.
        extra: what else the file says of the sentence, by the file's own keys.
    """

    id: str
    video: str
    split: str
    sentence: str
    duration_s: float
    moments: tuple[Span, ...]
    annotated: tuple[Span, ...]
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not (self.id and self.video and self.sentence.strip()):
            raise ValueError(f"a record needs an id, a video and a sentence: {self.id!r}, {self.video!r}")
        if not (math.isfinite(self.duration_s) and self.duration_s > 0):
            raise ValueError(f"record {self.id}: a video lasts a positive time, not {self.duration_s} s")
        if not self.moments or not self.annotated:
            raise ValueError(f"record {self.id}: no moment")
        for start_s, end_s in self.moments:
            if not 0 <= start_s < end_s <= self.duration_s:
                raise ValueError(f"record {self.id}: {start_s}-{end_s} s is no span of {self.duration_s} s")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one row of an annotation file."""

    path: Path
    where: str
    reason: str
    dropped: bool

    def __str__(self) -> str:
        return f"{self.path}, {self.where}: {self.reason} ({'left out' if self.dropped else 'repaired'})"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a reader found: usable records in the file's order, and every problem."""

    records: tuple[Record, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def video_names(self) -> tuple[str, ...]:
        """The videos that have a record, sorted."""
        return tuple(sorted({record.video for record in self.records}))

    def about(self, videos: Collection[str], split: str) -> Dataset:
        """The records of these videos under the name of another split; the problems stay, being the file's."""
        chosen = tuple(replace(record, split=split) for record in self.records if record.video in videos)
        return Dataset(chosen, self.problems)

    def strict(self) -> Dataset:
        """The same data set; an `InputError` if its file has any problem, naming the first and how many there are."""
        if self.problems:
            raise InputError(f"{first_problem(self.problems)}; correct the file or read it without strict")
        return self


def first_problem(problems: Sequence[Problem]) -> str:
    """The first of some problems and how many there are; an empty file where there is none."""
    if not problems:
        return "its files hold no row"
    return f"{problems[0]}" + (f"; {len(problems) - 1} more like it" if len(problems) > 1 else "")


def faulty_rows(problems: Sequence[Problem]) -> str:
    """How many rows of a file were at fault, and what became of them."""
    dropped = sum(problem.dropped for problem in problems)
    return f"{len(problems) - dropped} annotation rows were repaired and {dropped} left out"
