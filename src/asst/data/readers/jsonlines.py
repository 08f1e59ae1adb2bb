"""Annotation in a form of our own, for a user's videos: one JSON object a line.

``{"video": "door.mp4", "duration": 12.4, "sentence": "the door opens", "moments": [[3.1, 5.0]]}``

Times are seconds. ``id`` may be given and is else the file's name and the line number; every other key is kept in the
record's ``extra``.
"""

from __future__ import annotations

from pathlib import Path

from asst.data.actions import ActionDataset, ActionRows
from asst.data.files import as_duration, as_list, as_number, as_object, as_span, as_text, read_object_lines
from asst.data.record import Dataset
from asst.data.rows import Rows

KEYS = ("id", "video", "duration", "sentence", "moments")


def read(path: Path, split: str) -> Dataset:
    """The records of one file; an `InputError` if it cannot be read."""
    rows = Rows(path, split)
    for where, parsed in read_object_lines(path):
        with rows.row(where):
            content = parsed()
            rows.add(
                where,
                id=as_text(content.get("id", f"{path.stem}-{where.split()[-1]}"), "id"),
                video=as_text(content.get("video"), "video"),
                sentence=as_text(content.get("sentence"), "sentence"),
                duration_s=as_duration(content.get("duration"), "duration"),
                spans=[as_span(span, "a moment") for span in as_list(content.get("moments"), "moments")],
                extra={key: value for key, value in content.items() if key not in KEYS},
            )
    return rows.dataset()


def read_actions(path: Path, split: str) -> ActionDataset:
    """The videos of one file of labelled spans; a bad action does not keep out its neighbours.

    ``{"video": "a.mp4", "duration": 31.4, "actions": [{"label": "jump", "start_s": 12.4, "end_s": 17.9}]}``

    ``actions`` may be empty. ``ignored`` may list spans ``[start, end]`` that are neither action nor background. Other
    keys are not read.
    """
    rows = ActionRows(split)
    for where, parsed in read_object_lines(path):
        with rows.reading(path, where):
            content = parsed()
            video = as_text(content.get("video"), "video")
            actions, ignored = (as_list(content.get(key, []), key) for key in ("actions", "ignored"))
            rows.video(video, as_duration(content.get("duration"), "duration"))
            for number, action in enumerate(actions):
                place = f"{where}, action {number}"
                with rows.reading(path, place):
                    entry = as_object(action, "an action")
                    span = (as_number(entry.get("start_s"), "start_s"), as_number(entry.get("end_s"), "end_s"))
                    rows.action(path, place, video, as_text(entry.get("label"), "label"), span)
            for number, span in enumerate(ignored):
                place = f"{where}, ignored {number}"
                with rows.reading(path, place):
                    rows.ignore(path, place, video, as_span(span, "an ignored span"))
    return rows.dataset({})
