"""ActivityNet Captions and TACoS: one JSON object a video with parallel lists, sentences and their times.

``{"VIDEO": {"sentences": [...], "timestamps": [[start, end], ...], ...}, ...}``

ActivityNet's published ``val_1`` and ``val_2`` are used as validation and test parts, as the field does. Charades-CD
and ActivityNet-CD, which divide Charades-STA and ActivityNet Captions so that moments lie elsewhere in ``test_ood``
than in training (Yuan et al. 2021), have the same form. TACoS counts in frames, which become seconds here; several
annotators described each of its videos, so its sentences overlap and repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from asst.data.files import as_duration, as_list, as_number, as_object, as_span, as_text, read_json
from asst.data.record import Dataset
from asst.data.rows import Rows, UnusableRowError

Clock = Callable[[dict[str, Any]], tuple[float, float]]
"""From a video's entry its length in seconds, and the units of its timestamps in a second."""


def read_activitynet(path: Path, split: str) -> Dataset:
    """The records of one JSON file, by video and place of the sentence; an `InputError` if it is none."""

    def clock(entry: dict[str, Any]) -> tuple[float, float]:
        # Charades-CD calls the length otherwise.
        return as_duration(entry.get("duration", entry.get("video_duration")), "duration"), 1.0

    return _read(path, split, clock)


def read_tacos(path: Path, split: str) -> Dataset:
    """As `read_activitynet`, with ``fps`` and ``num_frames`` in place of a length."""

    def clock(entry: dict[str, Any]) -> tuple[float, float]:
        fps, frames = (as_number(entry.get(key), key) for key in ("fps", "num_frames"))
        return as_duration(frames / fps if fps > 0 else 0.0, "num_frames / fps"), fps

    return _read(path, split, clock)


def _read(path: Path, split: str, clock: Clock) -> Dataset:
    rows = Rows(path, split)
    for video, content in read_json(path, dict).items():
        with rows.row(video):
            entry = as_object(content, "the entry")
            sentences, timestamps = (as_list(entry.get(key), key) for key in ("sentences", "timestamps"))
            if len(sentences) != len(timestamps):
                raise UnusableRowError(f"{len(sentences)} sentences and {len(timestamps)} timestamps")
            name = as_text(video, "the video's name")
            duration_s, per_second = clock(entry)
            for index, (sentence, timestamp) in enumerate(zip(sentences, timestamps, strict=True)):
                where = f"{name}, sentence {index}"
                # A bad sentence does not keep out its neighbours.
                with rows.row(where):
                    start, end = as_span(timestamp, "a timestamp")
                    rows.add(
                        where,
                        id=f"{name}-{index}",
                        video=name,
                        sentence=as_text(sentence, "the sentence"),
                        duration_s=duration_s,
                        spans=[(start / per_second, end / per_second)],
                    )
    return rows.dataset()
