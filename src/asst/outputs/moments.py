"""Moments of many videos: JSON objects, one a moment. docs/formats.md states the schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from asst.moments import Answer


def moment_records(answers: Iterable[Answer], *, every: bool = False) -> Iterator[dict[str, Any]]:
    """An object a moment, in order, that says of which video and sentence it is.

    Args:
        answers: what the model said; their moments name their videos.
        every: the weaker moments too; else only where nothing was found.
    """
    for answer in answers:
        for rank, moment in enumerate(answer.ranked if every else answer.moments or answer.weaker):
            record = {
                "video": moment.video,
                "query": moment.query,
                "start_s": float(moment.start_s),
                "end_s": float(moment.end_s),
                "score": float(moment.score),
                "found": rank < len(answer.moments),
                "understood": answer.understood,
            }
            yield record if moment.confidence is None else {**record, "confidence": moment.confidence}
