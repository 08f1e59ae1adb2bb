"""Detected actions, for a program (JSON lines, one object a video) and for a person. docs/formats.md has the schema."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from asst.moments import Detections, format_time
from asst.outputs.json_lines import moment_record, number_of, read_moment, read_objects, text_of, write_lines
from asst.outputs.printable import printable
from asst.outputs.table import moments_table, print_captured


def write_detections(detections: Iterable[Detections], stream: TextIO) -> None:
    """Write one line a video, in order. Only ASCII is written, so every stream can take it."""
    write_lines(map(detections_record, detections), stream)


def detections_record(entry: Detections) -> dict[str, Any]:
    """The detections of one video as their JSON object."""
    record: dict[str, Any] = {"video": entry.video}
    if entry.duration_s is not None:
        record["duration_s"] = float(entry.duration_s)
    if entry.model:
        record["model"] = entry.model
    record["moments"] = [moment_record(moment) for moment in entry.moments]
    return record


def read_detections(path: Path) -> list[Detections]:
    """Read what :func:`write_detections` wrote, or another system; keys that this version does not know are ignored.

    Moments are put in order of their scores, best first.

    Raises:
        InputError: for a file that cannot be read, or a line that does not keep to the schema.
    """
    return read_objects(path, _detections, "a line of detections")


def write_detections_table(entry: Detections, stream: TextIO) -> None:
    """Write the detections of one video as a table with a bar that shows where each lies, or that there are none."""
    duration_s = entry.duration_s or max((moment.end_s for moment in entry.moments), default=0.0)
    title = f"{printable(entry.video)}: {len(entry.moments)} actions in {format_time(duration_s)}"
    print_captured(stream, title, lambda console: moments_table(entry.moments, duration_s, console))


def _detections(record: dict[str, Any]) -> Detections:
    video, moments = text_of(record, "video"), record.get("moments")
    if not isinstance(moments, list):
        raise ValueError('"moments" must be a list')
    found = [read_moment(moment, video, None) for moment in moments]
    if any(not moment.label for moment in found):
        raise ValueError('a detected moment needs its "label"')
    return Detections(
        video=video,
        moments=tuple(sorted(found, key=lambda moment: -moment.score)),
        duration_s=number_of(record, "duration_s") if "duration_s" in record else None,
        model=text_of(record, "model") if "model" in record else "",
    )
