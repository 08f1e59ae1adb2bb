"""Which prediction answers which record: by video and sentence, never by position.

A video may be named by its path where the annotation has its name alone, as ``asst locate --json`` does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from asst.data.record import Record
from asst.errors import InputError, counted
from asst.features.stores.native import named as some_named
from asst.moments import Answer, FloatArray

Pair = tuple[str, str]
"""A video and a sentence about it, white space as a record has it."""


def pair_of(video: str, sentence: str) -> Pair:
    """The pair that a sentence and a video make.

    >>> pair_of("a.mov", " the  dog jumps ")
    ('a.mov', 'the dog jumps')
    """
    return video, " ".join(sentence.split())


def by_pair(answers: Iterable[Answer]) -> dict[Pair, Answer]:
    """The answers by what they answer, in order; equal ones count once, and two that differ are an `InputError`."""
    found: dict[Pair, Answer] = {}
    different: dict[Pair, None] = {}
    for answer in answers:
        pair = pair_of(answer.video, answer.query)
        # How sentences are spaced and who answered does not matter.
        first, own = (
            [(moment.start_s, moment.end_s, moment.score) for moment in said.ranked]
            for said in (found.setdefault(pair, answer), answer)
        )
        if first != own:
            different[pair] = None
    if different:
        raise InputError(f"two different predictions for {named(different)}; keep one each")
    return found


def answers_of(records: Sequence[Record], answers: Iterable[Answer]) -> list[Answer]:
    """The answer to each record. Records of the same sentence about the same video share one.

    A video that the records do not name is theirs if its file's name, with or without the ending, is that of one alone.
    Raises an `InputError` if a record has no answer, an answer no record, or two answers of one pair differ.
    """
    given = by_pair(_as_annotated(list(answers), {record.video for record in records}))
    asked = [pair_of(record.video, record.sentence) for record in records]
    known = dict.fromkeys(asked)
    if unanswered := [pair for pair in known if pair not in given]:
        raise InputError(
            f"of {counted(len(known), 'pair')} no prediction for {named(unanswered)}; predict every sentence"
        )
    if unknown := [pair for pair in given if pair not in known]:
        raise InputError(f"a prediction but no annotation for {named(unknown)}; is it the right data set and split?")
    return [given[pair] for pair in asked]


def _as_annotated(answers: Sequence[Answer], videos: Collection[str]) -> list[Answer]:
    """The answers with their videos named as the annotation names them, where that can be told."""
    owners: dict[str, set[str]] = {}
    for video in videos:
        for name in _names(video):
            owners.setdefault(name, set()).add(video)
    known = {video: video for video in videos}
    for video in {answer.video for answer in answers} - known.keys():
        found = next((owners[name] for name in _names(video) if name in owners), ())
        if len(found) == 1:
            known[video] = next(iter(found))
    if answers and videos and not any(answer.video in known for answer in answers):
        raise InputError(
            f"no prediction is about a video of the annotation: one names {answers[0].video!r}, the annotation "
            f"{min(videos)!r}; name videos as the annotation does, folder and ending aside"
        )
    return [replace(answer, video=known.get(answer.video, answer.video)) for answer in answers]


def _names(video: str) -> tuple[str, ...]:
    """A file's name without folder, then without ending."""
    name = video.replace("\\", "/").rpartition("/")[2]
    return name, name.rpartition(".")[0] or name


def named(pairs: Collection[Pair]) -> str:
    """How many pairs there are, and the first five of them.

    >>> named([("a.mov", "a dog")])
    "1 pair: a.mov 'a dog'"
    """
    shown = some_named([f"{video} {sentence!r}" for video, sentence in pairs])
    return f"{counted(len(pairs), 'pair')}: {shown}"


def spans_of(answer: Answer) -> FloatArray:
    """An answer's spans in its order, shape ``(moments, 2)``, seconds."""
    return np.array([(moment.start_s, moment.end_s) for moment in answer.ranked], dtype=np.float64).reshape(-1, 2)
