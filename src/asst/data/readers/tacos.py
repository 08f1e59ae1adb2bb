"""TACoS: a JSON object of videos, each with its sentences, their times in frames, ``fps`` and ``num_frames``.

Frame numbers become seconds here and are known to this file alone. Several annotators described each video, so its
sentences overlap and repeat.
"""

from __future__ import annotations

from pathlib import Path

from asst.data.files import as_duration, as_positive, read_json
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
            fps = as_positive(entry.content.get("fps"), "fps")
            frames = as_positive(entry.content.get("num_frames"), "num_frames")
            add_sentences(rows, entry, as_duration(frames / fps, "num_frames / fps"), per_second=fps)
    return rows.dataset()
