"""Charades-STA: ``charades_sta_{train,test}.txt``, one ``VIDEO START END##sentence`` a line, seconds.

Each span is the interval of an action in the Charades CSV, which also gives the length of the video. Annotators could
mark ends past the video's end, by less than two seconds: ``moments`` are cut to the video, ``annotated`` are not.
"""

from __future__ import annotations

from pathlib import Path

from asst.data.files import parse_number, read_lines
from asst.data.readers.charades import read_videos
from asst.data.record import Dataset
from asst.data.rows import Rows, UnusableRowError


def read(path: Path, videos: Path, split: str) -> Dataset:
    """The records of one of the two text files; the id is the file's name and the line number.

    Raises an `InputError` if a file cannot be read, or the CSV lacks a column.
    """
    known = read_videos(videos).videos
    rows = Rows(path, split)
    for number, line in read_lines(path):
        where = f"line {number}"
        with rows.row(where):
            head, separator, sentence = line.partition("##")
            words = head.split()
            if not separator or len(words) != 3:
                raise UnusableRowError("expected 'VIDEO START END##sentence'")
            if words[0] not in known:
                raise UnusableRowError(f"{words[0]} has no length in {videos.name}")
            rows.add(
                where,
                id=f"{path.stem}-{number}",
                video=words[0],
                sentence=sentence,
                duration_s=known[words[0]].duration_s,
                spans=[(parse_number(words[1], "start"), parse_number(words[2], "end"))],
            )
    return rows.dataset()
