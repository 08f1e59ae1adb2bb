"""DiDeMo: ``{train,val,test}_data.json``, four or more annotators a sentence, times in pieces of five seconds.

A clip ``[i, j]`` counts pieces from zero, both ends inclusive. Here it becomes seconds; the pieces are known to this
file alone. A video has six pieces, or five. All are taken as six: the authors' script ranks 21 clips for every video,
and their features have six rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asst.data.files import as_list, as_number, as_object, as_text, read_json
from asst.data.record import Dataset, Span
from asst.data.rows import Rows, UnusableRowError

Clip = tuple[int, int]

PIECE_S = 5.0
MOST_PIECES = 6
DURATION_S = MOST_PIECES * PIECE_S


def read(path: Path, split: str) -> Dataset:
    """The records of one of the data set's JSON files; an `InputError` if it cannot be read or is no JSON list.

    ``moments`` are the annotations that overlap at least one other of the same sentence, or all if none does;
    ``annotated`` are all of them. The id is the data set's ``annotation_id``.
    """
    rows = Rows(path, split)
    for index, content in enumerate(read_json(path, list)):
        where = f"entry {index}"
        with rows.row(where):
            entry = as_object(content, where)
            pieces = _whole(entry.get("num_segments"), "num_segments")
            if not 1 <= pieces <= MOST_PIECES:
                raise UnusableRowError(f"num_segments is 1 to {MOST_PIECES}, not {pieces}")
            clips = [_clip(pair, pieces) for pair in as_list(entry.get("times"), "times")]
            rows.add(
                where,
                id=str(_whole(entry.get("annotation_id"), "annotation_id")),
                video=as_text(entry.get("video"), "video"),
                sentence=as_text(entry.get("description"), "description"),
                duration_s=DURATION_S,
                spans=[clip_span(clip) for clip in agreeing(clips)],
                annotated=[clip_span(clip) for clip in clips],
            )
    return rows.dataset()


def clip_span(clip: Clip) -> Span:
    """A clip in seconds.

    >>> clip_span((1, 2))
    (5.0, 15.0)
    """
    return clip[0] * PIECE_S, (clip[1] + 1) * PIECE_S


def span_clip(span: Span) -> Clip:
    """The clip whose seconds are nearest to a span: the inverse of `clip_span` on every clip.

    >>> span_clip((5.0, 15.0)), span_clip((6.1, 6.9))
    ((1, 2), (1, 1))
    """
    first = round(span[0] / PIECE_S)
    return first, max(first, round(span[1] / PIECE_S) - 1)


def agreeing(clips: Sequence[Clip]) -> list[Clip]:
    """The annotations that overlap another of the same sentence; all of them if none does (section 4.2).

    >>> agreeing([(0, 1), (1, 1), (4, 4), (1, 1)])
    [(0, 1), (1, 1), (1, 1)]
    >>> agreeing([(0, 0), (4, 4)])
    [(0, 0), (4, 4)]
    """
    kept = [
        clip
        for index, clip in enumerate(clips)
        if any(clip[0] <= other[1] and other[0] <= clip[1] for position, other in enumerate(clips) if position != index)
    ]
    return kept or list(clips)


def _clip(value: object, pieces: int) -> Clip:
    pair = as_list(value, "a clip of times")
    if len(pair) != 2:
        raise UnusableRowError(f"a clip of times is no pair: {pair}")
    first, last = (_whole(index, "a clip of times") for index in pair)
    if not 0 <= first <= last < pieces:
        raise UnusableRowError(f"clip {pair} is not within {pieces} pieces")
    return first, last


def _whole(value: object, name: str) -> int:
    number = as_number(value, name)
    if not number.is_integer():
        raise UnusableRowError(f"{name} is no whole number: {number:g}")
    return int(number)
