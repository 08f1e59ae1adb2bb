"""The form that ActivityNet Captions and TACoS share: one JSON object a video with parallel lists.

``{"VIDEO": {"sentences": [...], "timestamps": [[start, end], ...], ...}, ...}``
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asst.data.files import as_list, as_object, as_span, as_text
from asst.data.rows import Rows, UnusableRowError


@dataclass(frozen=True, slots=True)
class VideoEntry:
    """One video's object, with its two lists."""

    video: str
    content: dict[str, Any]
    sentences: list[Any]
    timestamps: list[Any]

    @classmethod
    def of(cls, video: str, content: object) -> VideoEntry:
        """The entry of a JSON value.

        Raises:
            UnusableRowError: if it has no name, is no object, or its lists are missing or of different lengths.
        """
        entry = as_object(content, "the entry")
        sentences = as_list(entry.get("sentences"), "sentences")
        timestamps = as_list(entry.get("timestamps"), "timestamps")
        if len(sentences) != len(timestamps):
            raise UnusableRowError(f"{len(sentences)} sentences and {len(timestamps)} timestamps")
        return cls(as_text(video, "the video's name"), entry, sentences, timestamps)


def add_sentences(rows: Rows, entry: VideoEntry, duration_s: float, per_second: float) -> None:
    """Adds each sentence of a video; a bad one does not keep out its neighbours.

    Args:
        rows: takes the records and problems.
        entry: the video.
        duration_s: its length in seconds.
        per_second: units of the timestamps in a second.
    """
    for index, (sentence, timestamp) in enumerate(zip(entry.sentences, entry.timestamps, strict=True)):
        where = f"{entry.video}, sentence {index}"
        with rows.row(where):
            start, end = as_span(timestamp, "a timestamp")
            rows.add(
                where,
                id=f"{entry.video}-{index}",
                video=entry.video,
                sentence=as_text(sentence, "the sentence"),
                duration_s=duration_s,
                spans=[(start / per_second, end / per_second)],
            )
