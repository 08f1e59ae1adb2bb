"""ActivityNet Captions: a JSON object of videos, each with its sentences and their times in seconds.

The published ``val_1`` and ``val_2`` are used as validation and test parts, as the field does. Charades-CD and
ActivityNet-CD, which divide Charades-STA and this data set so that moments lie elsewhere in ``test_ood`` than in
training (Yuan et al. 2021), have the same form; Charades-CD calls the length ``video_duration``.
"""

from __future__ import annotations

from pathlib import Path

from asst.data.files import as_duration, read_json
from asst.data.readers.video_entries import VideoEntry, add_sentences
from asst.data.record import Dataset
from asst.data.rows import Rows


def read(path: Path, split: str) -> Dataset:
    """The records of one JSON file; the id is the video's name and the sentence's place, from zero.

    Raises:
        InputError: if the file cannot be read or is no JSON object.
    """
    rows = Rows(path, split)
    for video, content in read_json(path, dict).items():
        with rows.row(video):
            entry = VideoEntry.of(video, content)
            length = entry.content.get("duration", entry.content.get("video_duration"))
            add_sentences(rows, entry, as_duration(length, "duration"), per_second=1.0)
    return rows.dataset()
