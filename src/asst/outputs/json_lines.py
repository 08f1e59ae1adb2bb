"""Answers for a program: JSON lines, or one JSON list of the same objects. docs/formats.md states the schemas.

All JSON of moments, the page's too, is made here. It is ASCII, so that every stream can take it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from asst.data.files import as_list, as_number, as_object, read_object_lines
from asst.errors import InputError
from asst.moments import LEAST, Answer, Moment

T = TypeVar("T")


def as_lines(records: Iterable[dict[str, Any]]) -> str:
    """One object a line."""
    return "".join(json.dumps(record, allow_nan=False) + "\n" for record in records)


def as_whole(records: Iterable[dict[str, Any]]) -> str:
    """One list of the objects."""
    return json.dumps(list(records), allow_nan=False, indent=2) + "\n"


def moment_record(moment: Moment) -> dict[str, Any]:
    """A moment."""
    record = {key: float(getattr(moment, key)) for key in ("start_s", "end_s", "score")}
    words = {key: getattr(moment, key) for key in ("label", "confidence", "said")}
    return record | {key: word for key, word in words.items() if word is not None}


def answer_facts(answer: Answer) -> dict[str, Any]:
    """What an answer says of a sentence beside its moments."""
    return {"query": answer.query, **_duration(answer), "model": answer.model, "found": bool(answer.moments)}


def answer_record(answer: Answer) -> dict[str, Any]:
    """What was found for a sentence in one video."""
    record = {"video": answer.video, **answer_facts(answer)}
    record["moments"] = [moment_record(moment) for moment in answer.moments or answer.weaker]
    if answer.moments and answer.weaker:
        record["weaker"] = [moment_record(moment) for moment in answer.weaker]
    return record if answer.understood is None else {**record, "understood": answer.understood}


def moment_records(answers: Iterable[Answer], *, every: bool = False) -> list[dict[str, Any]]:
    """What was found in many videos: an object a moment; with ``every``, or where nothing was found, the weaker too."""
    return [
        {"video": moment.video, "query": moment.query}
        | moment_record(moment)
        | {"found": found, "understood": answer.understood}
        for answer in answers
        for found, moments in ((True, answer.moments), (False, answer.weaker))
        for moment in (moments if found or every or not answer.moments else ())
    ]


def detections_record(answer: Answer) -> dict[str, Any]:
    """The actions detected in a video."""
    named = {"model": answer.model} if answer.model else {}
    return _of_video(answer) | named | {"moments": [moment_record(moment) for moment in answer.moments]}


def shots_record(answer: Answer) -> dict[str, Any]:
    """The shots of a video."""
    shots = [{"start_s": float(shot.start_s), "end_s": float(shot.end_s)} for shot in answer.moments]
    return _of_video(answer) | {"shots": shots}


def _of_video(answer: Answer) -> dict[str, Any]:
    return {"video": answer.video, **_duration(answer)}


def _duration(answer: Answer) -> dict[str, float]:
    """That of the video, where it is known: other systems do not say it."""
    return {"duration_s": float(answer.duration_s)} if answer.duration_s > 0 else {}


def read_answers(path: Path) -> list[Answer]:
    """Read lines of `answer_record`, ours or another system's; keys that this version does not know are ignored.

    Without a duration the last moment's end stands for it. The curve and the threshold are not in the format, so the
    answers have none. Blank lines are skipped. Raises an `InputError` for a file that cannot be read, or a line that
    does not keep to the schema.
    """
    return _read(path, _answer, "an answer")


def read_detections(path: Path) -> list[Answer]:
    """Read lines of `detections_record` likewise, as answers to no sentence; moments are put in order, best first."""
    return _read(path, _detections, "a line of detections")


def _read(path: Path, parse: Callable[[dict[str, Any]], T], what: str) -> list[T]:
    found = []
    for where, parsed in read_object_lines(path, "a file of answers"):
        try:
            found.append(parse(parsed()))
        except ValueError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}, {where}: not {what} ({reason}); see docs/formats.md") from error
    return found


def _answer(record: dict[str, Any]) -> Answer:
    video, query = _text(record, "video"), _text(record, "query")
    moments = _moments(record, "moments", video, query)
    weaker = _moments(record, "weaker", video, query) if "weaker" in record else ()
    if not isinstance(found := record.get("found", True), bool):
        raise ValueError('"found" must be true or false')
    duration_s = _duration_s(record, moments)
    if "duration_s" in record and duration_s <= 0:
        raise ValueError(f'"duration_s" must be positive, not {duration_s}')
    answer = Answer(video, query, duration_s, _text(record, "model", ""), moments, weaker=weaker)
    return answer if found else replace(answer, moments=(), weaker=moments + weaker)


def _detections(record: dict[str, Any]) -> Answer:
    video = _text(record, "video")
    moments = _moments(record, "moments", video, None)
    if any(not moment.label for moment in moments):
        raise ValueError('a detected moment needs its "label"')
    best_first = tuple(sorted(moments, key=lambda moment: -moment.score))
    return Answer(video, "", _duration_s(record, moments), _text(record, "model", ""), best_first)


def _moments(record: dict[str, Any], key: str, video: str, query: str | None) -> tuple[Moment, ...]:
    rows = [as_object(row, "a moment") for row in as_list(record.get(key), key)]
    return tuple(
        Moment(
            start_s=as_number(row.get("start_s"), "start_s"),
            end_s=as_number(row.get("end_s"), "end_s"),
            score=as_number(row.get("score"), "score"),
            query=query,
            video=video,
            label=_text(row, "label") if "label" in row else None,
            confidence=word if (word := row.get("confidence")) in list(LEAST) else None,
        )
        for row in rows
    )


def _duration_s(record: dict[str, Any], moments: Iterable[Moment]) -> float:
    if "duration_s" in record:
        return as_number(record["duration_s"], "duration_s")
    return max((moment.end_s for moment in moments), default=0.0)


def _text(record: dict[str, Any], key: str, missing: str | None = None) -> str:
    """A text by its key; it may be any, also one of half characters, as a path of bytes that are no text is."""
    if not isinstance(value := record.get(key, missing), str):
        raise ValueError(f'"{key}" must be a string')
    return value
