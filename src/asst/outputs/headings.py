"""What tells answers apart for a reader: sentences asked of one video, or videos that one sentence was asked of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asst.moments import Answer


def headings(answers: Sequence[Answer]) -> list[str]:
    """A heading for each answer: the sentence, the file's name where the answers are about several videos, or both.

    >>> headings([Answer("a/b.mp4", "a dog", 9.0, "m", ()), Answer("c.mp4", "a dog", 9.0, "m", ())])
    ['b.mp4', 'c.mp4']
    """
    if several_videos(answers):
        several = len({answer.query for answer in answers}) > 1
        return [f"{answer.query}: " * several + Path(answer.video).name for answer in answers]
    return [answer.query or "Actions" for answer in answers]


def several_videos(answers: Sequence[Answer]) -> bool:
    """Whether answers are about more than one video."""
    return len({answer.video for answer in answers}) > 1
