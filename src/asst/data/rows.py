"""From the rows of an annotation file to records: types, known faults, and a note of each.

Faults that published files are known to have, and what is done:

* a span that runs backwards is turned round;
* a span that starts before zero or ends after the video is cut to it;
* a span of no length, or wholly outside the video, is left out, and with the last of its spans the row;
* a sentence without a word leaves its row out, and so does a second row with the same id;
* a video whose rows give it several lengths keeps the first.

A row of the wrong shape is left out. Each of these is a `Problem`; nothing is mended in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from asst.data.record import Dataset, Problem, Record, Span

LEAST_S, MOST_S = 1e-3, 1e7
"""Lengths that videos have, in seconds: from less than a frame to months."""

SAME_LENGTH_S = 0.01
"""Durations of one video that differ by less are the same duration, rounded twice."""


class UnusableRowError(ValueError):
    """A row that gives no record; its text is the reason."""


class ProblemLog:
    """Notes what is wrong with the rows of files."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    @contextmanager
    def reading(self, path: Path, where: str) -> Iterator[None]:
        """A block that reads one row: what is unusable in it becomes a problem of ``path`` at ``where``."""
        try:
            yield
        except UnusableRowError as reason:
            self._problems.append(Problem(path, where, str(reason), dropped=True))

    def problems(self) -> tuple[Problem, ...]:
        """All of them, in order."""
        return tuple(self._problems)

    def note(self, path: Path, where: str, reason: str) -> None:
        """A problem that was repaired."""
        self._problems.append(Problem(path, where, reason, dropped=False))


class Rows(ProblemLog):
    """Collects the records and problems of one file."""

    def __init__(self, path: Path, split: str) -> None:
        super().__init__()
        self._path = path
        self._split = split
        self._records: dict[str, Record] = {}
        self._durations_s: dict[str, float] = {}

    def row(self, where: str) -> AbstractContextManager[None]:
        """As `reading`, of the file."""
        return self.reading(self._path, where)

    def add(
        self,
        where: str,
        *,
        id: str,
        video: str,
        sentence: str,
        duration_s: float,
        spans: Sequence[Span],
        annotated: Sequence[Span] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Checks, repairs and keeps one row, in seconds; an `UnusableRowError` if no record comes of it."""
        words = " ".join(sentence.split())
        if not any(character.isalnum() for character in words):
            raise UnusableRowError("the sentence has no word")
        if id in self._records:
            raise UnusableRowError(f"a second row with id {id}")
        first_s = self._durations_s.setdefault(video, duration_s)
        reasons = []
        if abs(first_s - duration_s) > SAME_LENGTH_S:
            reasons.append(f"{video} lasts {duration_s:.7g} s here and {first_s:.7g} s before; took {first_s:.7g} s")
        moments = []
        for span in spans:
            moment, faults = clean_span(span, first_s)
            reasons += faults
            if moment is not None:
                moments.append(moment)
        if not moments:
            raise UnusableRowError("; ".join(reasons) or "no moment")
        self._records[id] = Record(
            id, video, self._split, words, first_s, tuple(moments), tuple(annotated or spans), dict(extra or {})
        )
        if reasons:
            self.note(self._path, where, "; ".join(reasons))

    def dataset(self) -> Dataset:
        """Everything collected."""
        return Dataset(tuple(self._records.values()), self.problems())


def clean_span(span: Span, duration_s: float) -> tuple[Span | None, list[str]]:
    """A span as it lies in its video, or None if nothing of it does, and what was wrong with it.

    A time that no video has is an `UnusableRowError`.

    >>> clean_span((26.0, 20.0), 24.0)
    ((20.0, 24.0), ['26-20 s runs backwards; turned round', '20-26 s ends after the video (24 s); cut'])
    """
    start_s, end_s = span
    if not max(abs(start_s), abs(end_s)) <= MOST_S:
        raise UnusableRowError(f"{start_s:.7g}-{end_s:.7g} s are no times of a video")
    faults = []
    if start_s > end_s:
        faults.append(f"{start_s:.7g}-{end_s:.7g} s runs backwards; turned round")
        start_s, end_s = end_s, start_s
    text = f"{start_s:.7g}-{end_s:.7g} s"
    if start_s == end_s:
        return None, [*faults, f"{text} has no length"]
    if start_s >= duration_s or end_s <= 0:
        return None, [*faults, f"{text} lies outside the video ({duration_s:.7g} s)"]
    if start_s < 0:
        faults.append(f"{text} starts before the video; cut")
    if end_s > duration_s:
        faults.append(f"{text} ends after the video ({duration_s:.7g} s); cut")
    return (max(start_s, 0.0), min(end_s, duration_s)), faults
