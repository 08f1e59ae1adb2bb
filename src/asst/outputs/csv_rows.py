"""Answers for a spreadsheet: a row a moment. docs/formats.md states the columns."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TextIO

from asst.moments import Answer
from asst.outputs.editors.edits import chosen

COLUMNS = ("video", "query", "rank", "start_s", "end_s", "score", "label", "confidence")


def write_csv(answers: Sequence[Answer], stream: TextIO, *, every: bool = False) -> None:
    """Write a heading and then one row a moment, those of a sentence best first; none for a sentence without any.

    Numbers are written in full, so that reading gives back the same values.

    Args:
        answers: what the model said.
        stream: where to write, opened with ``newline=""``.
        every: the weaker moments too.
    """
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for answer, rank, moment in chosen(answers, every=every):
        video, query = moment.video or answer.video, moment.query or answer.query
        times = (repr(float(value)) for value in (moment.start_s, moment.end_s, moment.score))
        writer.writerow([video, query, rank, *times, moment.label or "", moment.confidence or ""])
