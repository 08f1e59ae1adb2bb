"""What happens when, as people described it: the sentences of annotated videos at their real spans."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from asst.data import read_dataset
from asst.data.folders import data_folder
from asst.data.record import Record, Span
from asst.errors import InputError

SOURCES = (
    ("activitynet_captions", "train"),
    ("charades_sta", "trainval"),
    ("tacos", "train"),
    ("qvhighlights", "train"),
    ("didemo", "val"),
)
"""Data sets and their splits, in the order they are read."""

# Longer sentences tell a story rather than what is seen at once.
_LETTERS_MOST = 160


@dataclass(frozen=True, slots=True)
class Event:
    """A sentence and when it holds.

    Attributes:
        sentence: as it was written.
        span_s: start and end in seconds.
    """

    sentence: str
    span_s: Span


@dataclass(frozen=True, slots=True)
class Timeline:
    """One video as its annotation tells it.

    Attributes:
        duration_s: its length in seconds.
        events: at least one, in the order of the annotation.
    """

    duration_s: float
    events: tuple[Event, ...]


def read_timelines(sources: Sequence[tuple[str, str]] = SOURCES) -> list[Timeline]:
    """The videos of several data sets, whose annotation lies where `asst.data.folders.data_folder` finds it.

    Args:
        sources: names of data sets and splits.

    Raises:
        InputError: for annotation that is missing or cannot be read.
    """
    timelines = [
        timeline for name, split in sources for timeline in _of(read_dataset(name, data_folder(name), split).records)
    ]
    if not timelines:
        raise InputError(f"no sentence in {', '.join(f'{name} {split}' for name, split in sources)}; check the files")
    return timelines


def _of(records: Sequence[Record]) -> list[Timeline]:
    videos: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if len(record.sentence) <= _LETTERS_MOST:
            videos[record.video].append(record)
    return [
        Timeline(
            own[0].duration_s,
            # Of several spans, the one that most annotators marked; the first of equals.
            tuple(Event(record.sentence, Counter(record.moments).most_common(1)[0][0]) for record in own),
        )
        for own in videos.values()
    ]
