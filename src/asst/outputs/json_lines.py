"""Answers for a program: JSON lines, one object a sentence, or one JSON list of the same objects.

docs/formats.md states the schema.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn, TextIO, TypeVar

from asst.confidence import LEAST
from asst.errors import InputError
from asst.moments import Answer, Moment

T = TypeVar("T")


def write_answers(answers: Iterable[Answer], stream: TextIO) -> None:
    """Write one line a sentence, in order. Only ASCII is written, so every stream can take it."""
    write_lines(map(answer_record, answers), stream)


def write_lines(records: Iterable[dict[str, Any]], stream: TextIO) -> None:
    """Write one object a line, in ASCII."""
    for record in records:
        stream.write(json.dumps(record, allow_nan=False) + "\n")


def write_list(records: Iterable[dict[str, Any]], stream: TextIO) -> None:
    """Write one JSON list of the objects that :func:`write_lines` writes a line each, in ASCII."""
    json.dump(list(records), stream, allow_nan=False, indent=2)
    stream.write("\n")


def read_answers(path: Path) -> list[Answer]:
    """Read what :func:`write_answers` wrote, or another system; keys that this version does not know are ignored.

    Without a duration the last moment's end stands for it. The curve and the threshold are not in the format, so the
    answers have none. Blank lines are skipped.

    Raises:
        InputError: for a file that cannot be read, or a line that does not keep to the schema.
    """
    return read_objects(path, _answer, "an answer")


def read_objects(path: Path, parse: Callable[[dict[str, Any]], T], what: str) -> list[T]:
    """What a file of JSON lines holds; blank lines are skipped.

    Args:
        path: the file.
        parse: makes a value of one line's object, or raises a ValueError.
        what: a line is to be, for messages.

    Raises:
        InputError: for a file that cannot be read, or a line that does not keep to the schema.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
            if not isinstance(record, dict):
                raise ValueError("not a JSON object")
            found.append(parse(record))
        except (ValueError, RecursionError, OverflowError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}, line {number}: not {what} ({reason}); see docs/formats.md") from error
    return found


def answer_record(answer: Answer) -> dict[str, Any]:
    """An answer as its JSON object."""
    record: dict[str, Any] = {
        "video": answer.video,
        "query": answer.query,
        "duration_s": float(answer.duration_s),
        "model": answer.model,
        "found": bool(answer.moments),
        "moments": [moment_record(moment) for moment in answer.moments or answer.weaker],
    }
    if answer.moments and answer.weaker:
        record["weaker"] = [moment_record(moment) for moment in answer.weaker]
    return record if answer.understood is None else {**record, "understood": answer.understood}


def moment_record(moment: Moment) -> dict[str, Any]:
    """A moment as its JSON object."""
    record: dict[str, Any] = {
        "start_s": float(moment.start_s),
        "end_s": float(moment.end_s),
        "score": float(moment.score),
    }
    if moment.label is not None:
        record["label"] = moment.label
    if moment.confidence is not None:
        record["confidence"] = moment.confidence
    return record


def _answer(record: dict[str, Any]) -> Answer:
    video, query = text_of(record, "video"), text_of(record, "query")
    moments, weaker = record.get("moments"), record.get("weaker", [])
    if not isinstance(moments, list) or not isinstance(weaker, list):
        raise ValueError('"moments" and "weaker" must be lists')
    found = record.get("found", True)
    read, less = (tuple(read_moment(moment, video, query) for moment in some) for some in (moments, weaker))
    last_s = max((moment.end_s for moment in read), default=0.0)
    duration_s = number_of(record, "duration_s") if "duration_s" in record else last_s
    if "duration_s" in record and duration_s <= 0:
        raise ValueError(f'"duration_s" must be positive, not {duration_s}')
    if not isinstance(found, bool):
        raise ValueError('"found" must be true or false')
    return Answer(
        video=video,
        query=query,
        duration_s=duration_s,
        model=text_of(record, "model") if "model" in record else "",
        moments=read if found else (),
        weaker=less if found else read + less,
    )


def read_moment(record: object, video: str, query: str | None) -> Moment:
    """A moment from its JSON object.

    Raises:
        ValueError: if it does not keep to the schema.
    """
    if not isinstance(record, dict):
        raise ValueError("a moment is not a JSON object")
    return Moment(
        start_s=number_of(record, "start_s"),
        end_s=number_of(record, "end_s"),
        score=number_of(record, "score"),
        query=query,
        video=video,
        label=text_of(record, "label") if "label" in record else None,
        confidence=confidence if (confidence := record.get("confidence")) in LEAST else None,
    )


def text_of(record: dict[str, Any], key: str) -> str:
    """A text by its key.

    Raises:
        ValueError: if it is missing or no text.
    """
    value = record.get(key)
    if not isinstance(value, str):
        raise ValueError(f'"{key}" must be a string')
    return value


def number_of(record: dict[str, Any], key: str) -> float:
    """A finite number by its key.

    Raises:
        ValueError: if it is missing or no such number.
    """
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f'"{key}" must be a finite number')
    return float(value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
