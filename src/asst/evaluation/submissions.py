"""Predictions in the forms that other systems write: Moment-DETR's submissions, and ActivityNet's JSON.

Times before a video's start are taken as its start, and a span without length as a millionth of a second, which hits
nothing; both happen in what networks write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from asst.data.files import as_list, as_number, as_object, as_text, read_json, read_object_lines
from asst.data.record import Record
from asst.data.rows import UnusableRowError
from asst.errors import InputError
from asst.evaluation.qvhighlights import CLIP_S
from asst.moments import Answer, Curve, Moment

_SHORTEST_S = 1e-6


def read_moment_detr(path: Path, records: Sequence[Record]) -> list[Answer]:
    """JSON lines with ``pred_relevant_windows``, as moment_detr, its successors and lighthouse write them.

    ``{"qid": 1, "vid": "v", "query": "...", "pred_relevant_windows": [[start, end, score], ...],
    "pred_saliency_scores": [...]}``. A line belongs to the record whose id is its ``qid``; where there is none, to its
    ``vid`` and ``query``. The windows count in the order they have. Saliency, a score each two seconds, becomes the
    answer's curve. Raises an `InputError` for a file that cannot be read, or the first line of another form.
    """
    asked = {record.id: record for record in records}
    answers = []
    for where, parsed in read_object_lines(path):
        with _refusing(path, where):
            content = parsed()
            record = asked.get(str(content.get("qid")))
            video = record.video if record else as_text(content.get("vid"), "vid")
            query = record.sentence if record else as_text(content.get("query"), "query")
            windows = as_list(content.get("pred_relevant_windows"), "pred_relevant_windows")
            moments = tuple(_moment(window, video, query) for window in windows)
            curve = _saliency(content.get("pred_saliency_scores"))
            answers.append(Answer(video, query, record.duration_s if record else 0.0, "", moments, curve))
    return answers


def read_activitynet(path: Path, records: Sequence[Record]) -> list[Answer]:
    """One JSON object whose ``results`` give each video's moments with ``sentence``, ``timestamp`` and ``score``.

    Raises an `InputError` for a file that cannot be read, or the first entry of another form.
    """
    found: dict[tuple[str, str], list[Moment]] = {}
    for video, entry in _entries(path):
        with _refusing(path, video):
            query = as_text(as_object(entry, "the entry").get("sentence"), "sentence")
            own = _moment([*as_list(entry.get("timestamp"), "timestamp"), entry.get("score", 0.0)], video, query)
            found.setdefault((video, query), []).append(own)
    return [Answer(*pair, 0.0, "", _best_first(moments)) for pair, moments in found.items()]


def read_activitynet_detections(path: Path) -> list[Answer]:
    """The same file with ``label``, ``segment`` and ``score`` of actions, as ActivityNet's detection task has it."""
    found: dict[str, list[Moment]] = {}
    for video, entry in _entries(path):
        with _refusing(path, video):
            label = as_text(as_object(entry, "the entry").get("label"), "label")
            segment = [*as_list(entry.get("segment"), "segment"), entry.get("score")]
            found.setdefault(video, []).append(_moment(segment, video, None, label))
    return [Answer(video, "", 0.0, "", _best_first(moments)) for video, moments in found.items()]


FORMATS: Mapping[str, Callable[[Path, Sequence[Record]], list[Answer]]] = {
    "moment-detr": read_moment_detr,
    "activitynet": read_activitynet,
}
"""How predictions are read that are not in our own form."""


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    """Each entry of each video under ``results``."""
    with _refusing(path, "results"):
        results = as_object(read_json(path, dict).get("results"), "results")
    for video, own in results.items():
        with _refusing(path, video):
            entries = as_list(own, "the list")
        for entry in entries:
            yield video, entry


@contextmanager
def _refusing(path: Path, where: str) -> Iterator[None]:
    try:
        yield
    except (UnusableRowError, ValueError) as error:
        raise InputError(f"{path}, {where}: not in the form that --format names ({error})") from error


def _moment(value: object, video: str, query: str | None, label: str | None = None) -> Moment:
    """A moment from a list of start, end and score in seconds."""
    window = as_list(value, "a window")
    if len(window) != 3:
        raise UnusableRowError(f"a window is start, end and score, not {len(window)} numbers")
    start_s, end_s, score = (
        as_number(part, name) for part, name in zip(window, ("start", "end", "score"), strict=True)
    )
    start_s = max(start_s, 0.0)
    return Moment(start_s, max(end_s, start_s + _SHORTEST_S), score, query, video, label)


def _best_first(moments: list[Moment]) -> tuple[Moment, ...]:
    return tuple(sorted(moments, key=lambda moment: -moment.score))


def _saliency(value: object) -> Curve | None:
    if value is None:
        return None
    scores = [as_number(score, "a saliency score") for score in as_list(value, "pred_saliency_scores")]
    if not scores:
        raise UnusableRowError("pred_saliency_scores is empty")
    return Curve(CLIP_S * (np.arange(len(scores), dtype=np.float64) + 0.5), np.array(scores, dtype=np.float64))
