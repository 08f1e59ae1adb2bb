"""What users say of a library's answers: right, wrong, or where the moment really is; kept as JSON lines."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import FiniteFloat, TypeAdapter, ValidationError

from asst.atomic import write_whole
from asst.data.files import read_object_lines
from asst.errors import InputError
from asst.library.folder import LibraryFolder, locked
from asst.moments import Moment, iou, overlap
from asst.settings import first_fault

Verdict = Literal["right", "wrong", "span"]

# From this IoU with what was spoken of on, or this share of the shorter with what is right, a moment is the one meant.
_SAME = 0.5


class Proposed(NamedTuple):
    """A span that the model proposed, in seconds, and its score."""

    start_s: FiniteFloat
    end_s: FiniteFloat
    score: FiniteFloat


@dataclass(frozen=True, slots=True)
class Correction:
    """What was said of one answer, a sentence and a span of a video, which ``content`` is the hash of.

    The verdict is ``right`` or ``wrong`` of the span in seconds, or ``span``: this is where the moment is.
    """

    id: str
    content: str
    query: str
    verdict: Verdict
    start_s: FiniteFloat
    end_s: FiniteFloat
    proposed: Proposed | None
    made_at: str

    @property
    def spans(self) -> set[tuple[float, float]]:
        """The spans it speaks of: its own, and what the model proposed."""
        return {
            (self.start_s, self.end_s),
            *([] if self.proposed is None else [(self.proposed.start_s, self.proposed.end_s)]),
        }


_CORRECTION = TypeAdapter(Correction)


class Corrections:
    """The corrections of a library; several processes may write."""

    def __init__(self, library: LibraryFolder) -> None:
        self._library = library

    def all(self) -> list[Correction]:
        """In the order they were made; an `InputError` if the file is damaged."""
        path, found = self._library.corrections, []
        for where, parsed in read_object_lines(path) if path.exists() else ():
            try:
                found.append(_CORRECTION.validate_python(parsed()))
            except ValueError as error:
                fault = first_fault(error) if isinstance(error, ValidationError) else error
                raise InputError(f"{path}, {where}: no correction ({fault}); mend or delete it") from error
        return found

    def of(self, query: str) -> list[Correction]:
        """What was said of answers to a sentence, in whatever case it is written; the last first."""
        asked = " ".join(query.split()).casefold()
        return [correction for correction in reversed(self.all()) if correction.query.casefold() == asked]

    def add(
        self, content: str, query: str, verdict: Verdict, span_s: tuple[float, float], proposed: Proposed | None = None
    ) -> Correction:
        """Keeps one; it replaces what was said of the same span, or of the same proposal, for the same sentence.

        Raises an `InputError` for a video that the library has not, an empty sentence, or a span outside the video.
        """
        videos = self._library.tables.videos(content=content)
        if not videos:
            raise InputError(f"no video {content} in the library; see asst library status")
        query = " ".join(query.split())
        if not query:
            raise InputError("an empty sentence describes nothing; give one with words in it")
        start_s, end_s = max(0.0, span_s[0]), min(span_s[1], videos[0].duration_s)
        if not start_s < end_s:
            raise InputError(f"{span_s[0]:g} to {span_s[1]:g} s is no span of a video of {videos[0].duration_s:g} s")
        made_at = datetime.now(UTC).isoformat("T", "seconds")
        made = Correction(uuid.uuid4().hex, content, query, verdict, start_s, end_s, proposed, made_at)
        with locked(self._library.rows_lock):
            others = [
                old
                for old in self.all()
                if (old.content, old.query) != (content, query) or made.spans.isdisjoint(old.spans)
            ]
            self._write([*others, made])
        return made

    def remove(self, identifier: str) -> bool:
        """Forgets one; whether there was one of that id."""
        with locked(self._library.rows_lock):
            known = self.all()
            left = [correction for correction in known if correction.id != identifier]
            if len(left) < len(known):
                self._write(left)
            return len(left) < len(known)

    def annotation(self) -> tuple[str, int]:
        """The corrections that say where a moment is, as `asst.data.readers.jsonlines` reads annotation.

        That is a line a sentence and video, whose moments are all spans said to be right; with it comes how many
        corrections say only what is wrong, which that form cannot hold.
        """
        known = {video.content: video for video in reversed(self._library.tables.videos())}
        spans: dict[tuple[str, str], list[tuple[float, float]]] = {}
        corrections = self.all()
        for one in corrections:
            if one.verdict != "wrong" and one.content in known:
                spans.setdefault((one.content, one.query), []).append((one.start_s, one.end_s))
        rows = (
            {
                "id": f"correction-{number}",
                "video": content,
                "duration": known[content].duration_s,
                "sentence": query,
                "moments": sorted(own),
                "file": Path(known[content].path).name,
            }
            for number, ((content, query), own) in enumerate(spans.items(), start=1)
        )
        return _lines(rows), sum(one.verdict == "wrong" for one in corrections)

    def _write(self, corrections: Iterable[Correction]) -> None:
        write_whole(self._library.corrections, _lines(map(asdict, corrections)))


def remembered(
    found: Sequence[Moment], weaker: Sequence[Moment], said: Sequence[Correction], query: str, video: str
) -> tuple[tuple[Moment, ...], tuple[Moment, ...]]:
    """What is found in a video and what is weaker, with what people ``said`` of it for this sentence put first.

    What is right has the score 1 and is found, what is wrong has 0 and is weaker. Of the model's moments those are left
    out whose IoU with a span that was spoken of is at least a half, or that share half of the shorter with a right one.
    """
    spoken_of = [span for one in said for span in one.spans]
    right = [(one.start_s, one.end_s) for one in said if one.verdict != "wrong"]

    def kept(moments: Sequence[Moment]) -> tuple[Moment, ...]:
        spans = [(own.start_s, own.end_s) for own in moments]
        known = np.hstack([iou(spans, spoken_of), overlap(spans, right)]).max(axis=1, initial=0) >= _SAME
        return tuple(own for own, dropped in zip(moments, known.tolist(), strict=True) if not dropped)

    by_people = [Moment(*span, 1.0, query, video, said="right") for span in dict.fromkeys(right)]
    refused = [
        Moment(one.start_s, one.end_s, 0.0, query, video, said="wrong") for one in said if one.verdict == "wrong"
    ]
    return (*by_people, *kept(found)), (*kept(weaker), *refused)


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
