"""Charades, who does what when, in which scene, with which objects; and Charades-STA, sentences of its actions."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from asst.data.actions import LabelledSpan
from asst.data.files import as_duration, as_text, parse_number, read_lines, read_text
from asst.data.record import Dataset, Problem
from asst.data.rows import ProblemLog, Rows, UnusableRowError, clean_span
from asst.errors import InputError

COLUMNS = ("id", "scene", "objects", "actions", "length")
ACTION = re.compile(r"c\d{3}")


@dataclass(frozen=True, slots=True)
class CharadesVideo:
    """One row of a Charades CSV: objects seen, and actions inside the video, in the file's order; these overlap freely.

    Labels are ``c000`` to ``c156``, which `read_classes` names.
    """

    video: str
    duration_s: float
    scene: str
    objects: tuple[str, ...]
    actions: tuple[LabelledSpan, ...]


@dataclass(frozen=True, slots=True)
class Charades:
    """What one Charades CSV holds: videos by name, and rows left out or repaired by the rules of `asst.data.rows`."""

    videos: Mapping[str, CharadesVideo]
    problems: tuple[Problem, ...]


def read_videos(path: Path) -> Charades:
    """The videos of ``Charades_v1_{train,test}.csv``, actions cut to them; raises InputError if it cannot be read."""
    videos: dict[str, CharadesVideo] = {}
    log = ProblemLog()
    for where, row in _rows(path):
        with log.reading(path, where):
            video, faults = _video(row)
            if video.video in videos:
                raise UnusableRowError(f"a second row for {video.video}")
            videos[video.video] = video
            if faults:
                log.note(path, where, "; ".join(faults))
    return Charades(videos, log.problems())


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str | None]]]:
    table = csv.DictReader(io.StringIO(read_text(path), newline=""))
    try:
        missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise InputError(f"{path} lacks the column {missing[0]}; is it one of the Charades_v1 CSV files?")
        for row in table:
            yield f"line {table.line_num}", row
    except csv.Error as error:
        raise InputError(f"{path}, line {table.line_num + 1}: not CSV ({error}); fetch the file again") from error


def read_classes(path: Path) -> dict[str, str]:
    """The action classes by their codes, from lines such as ``c008 Opening a door``; others are an `InputError`."""
    classes = {}
    for number, line in read_lines(path):
        code, _, name = line.strip().partition(" ")
        if ACTION.fullmatch(code) and name:
            classes[code] = name
        else:
            raise InputError(f"{path}, line {number}: expected a class such as 'c008 Opening a door'")
    return classes


def _video(row: Mapping[str, str | None]) -> tuple[CharadesVideo, list[str]]:
    duration_s = as_duration(parse_number(row["length"] or "", "length"), "length")
    actions, faults = [], []
    for text in _parts(row["actions"]):
        words = text.split()
        if len(words) != 3 or not ACTION.fullmatch(words[0]):
            raise UnusableRowError(f"an action is 'class start end', not {text!r}")
        raw = parse_number(words[1], f"start of {words[0]}"), parse_number(words[2], f"end of {words[0]}")
        span, found = clean_span(raw, duration_s)
        faults += [f"{words[0]} {fault}" for fault in found]
        if span is not None:
            actions.append(LabelledSpan(words[0], *span))
    name = as_text(row["id"], "id")
    return CharadesVideo(name, duration_s, row["scene"] or "", _parts(row["objects"]), tuple(actions)), faults


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(";") if part.strip())


def read_sta(path: Path, videos: Path, split: str) -> Dataset:
    """The records of one of the two text files, by file and line; raises InputError if a file cannot be read."""
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
