"""THUMOS14's temporal annotation: ``CLASS_{val,test}.txt`` of 20 classes, one ``VIDEO START END`` a line, seconds.

``Ambiguous_{val,test}.txt`` names stretches that its authors could not call action or not: they are ignored, in
training and in evaluation. ``video_info.json`` gives the videos' lengths. Every cliff dive is a dive too; the published
files repeat its spans, and a span that they do not repeat is added.

The published validation files hold 3,007 actions in 200 videos, the test files 3,358 in 213. Four and 26 of them lie
wholly after the end of their video, 22 in ``video_test_0000270`` alone: they are left out of ``actions`` and kept in
``annotated``, as published figures count them. ``video_test_0001292`` has ambiguous stretches alone and no length.
"""

from __future__ import annotations

from pathlib import Path

from asst.data.actions import ActionDataset, ActionRows
from asst.data.files import as_duration, as_object, parse_number, read_json, read_lines
from asst.data.record import Span
from asst.data.rows import UnusableRowError
from asst.errors import InputError

AMBIGUOUS = "Ambiguous"
INCLUDES = {"Diving": ("CliffDiving",)}


def read(folder: Path, info: Path, split: str) -> ActionDataset:
    """The videos of one part, from its folder and ``video_info.json``; raises InputError if they cannot be read."""
    files = sorted(path for path in folder.glob("*_*.txt"))
    if not files:
        raise InputError(f"no annotation such as Diving_test.txt in {folder}; name THUMOS14's folder of annotation")
    lengths = read_json(info, dict)
    rows = ActionRows(split)
    lines = [(path, f"line {number}", line) for path in files for number, line in read_lines(path)]
    for video in dict.fromkeys(line.split()[0] for _, _, line in lines):
        with rows.reading(info, video):
            if video in lengths:
                rows.video(video, as_duration(as_object(lengths[video], video).get("duration"), "duration"))
            else:
                last_s = max(_row(line)[1][1] for _, _, line in lines if line.split()[0] == video)
                rows.video(video, as_duration(last_s, "the end of its last span"))
                rows.note(info, video, f"{video} has no length; took the end of its last span, {last_s:.7g} s")
    for path, where, line in lines:
        with rows.reading(path, where):
            video, span = _row(line)
            label = path.stem.rsplit("_", 1)[0]
            if label == AMBIGUOUS:
                rows.ignore(path, where, video, span)
            else:
                rows.action(path, where, video, label, span)
    return rows.dataset(INCLUDES)


def _row(line: str) -> tuple[str, Span]:
    words = line.split()
    if len(words) != 3:
        raise UnusableRowError("expected 'VIDEO START END'")
    return words[0], (parse_number(words[1], "start"), parse_number(words[2], "end"))
