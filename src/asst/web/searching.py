"""A sentence asked of all videos, or of one with all that the model can show of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import APIRouter

from asst.library.corrections import Correction
from asst.library.search import SCORED_S, search
from asst.library.tables import Video
from asst.models.base import Attentive
from asst.moments import LEAST, Answer, Attention, Curve, Moment
from asst.outputs.json_lines import answer_facts, moment_record
from asst.outputs.printable import printable
from asst.text import EMPTY_WORDS
from asst.web import answers
from asst.web.errors import documented
from asst.web.served import Served, ServedHere
from asst.web.videos import Id, named, picture_url, video_answer

router = APIRouter(prefix="/api", tags=["sentences"])

CURVE_MOST = 600
ATTENTION_MOST = 200
"""Times that are sent at most; more would not be told apart on a screen."""
_CONTRAST = 1.8
"""The share of a word where it is looked at most, over its mean share, from which on that is worth telling."""


@router.post("/search", responses=documented(404))
async def search_library(served: ServedHere, body: answers.SearchBody) -> answers.SearchAnswer:
    """The best moments of all videos."""

    def found_in_all() -> answers.SearchAnswer:
        contents = {video.content for video in named(served, body.name)}
        if body.video is not None:
            contents &= {served.video(body.video).content}
        found = _found(served, body, within_glob=body.within or None, contents=contents)
        known = {video.path: video for video in served.library.tables.videos()}
        said = _said(served, found)
        moments = [
            answers.FoundMoment(**_ranked(moment, video, found, said), video=video_answer(served, video))
            for moment in found.ranked
            if (video := known.get(moment.video or "")) is not None
        ]
        curves = {
            known[own.video].content: curve_answer(own.curve)
            for own in (found.by_video if body.curves else ())
            if own.curve is not None and own.video in known
        }
        # A line about a file, with its name in place of its path.
        parts = (fault.partition(": ") for fault in found.faults)
        faults = [printable(f"{Path(path).name}{colon}{rest}") for path, colon, rest in parts]
        return answers.SearchAnswer(**_facts(found), moments=moments, curves=curves, faults=faults)

    return await served.gate.run(found_in_all)


@router.post("/videos/{video}/locate", responses=documented(404))
async def locate(served: ServedHere, video: Id, body: answers.LocateBody) -> answers.LocateAnswer:
    """The best moments of one video, with the score over time and the words that the model looked at."""

    def found_in_one() -> answers.LocateAnswer:
        # As a search of this video alone, so that the moments are the same.
        known, attention = served.video(video), None
        found = _found(served, body, contents={video}, scored_s=SCORED_S + 2 * known.duration_s)
        if body.attention and isinstance(model := served.engine().model, Attentive):
            attention = model.word_attention(served.features(video), body.query)
        curve = next((own.curve for own in found.by_video), None)
        said = _said(served, found)
        return answers.LocateAnswer(
            **_facts(found),
            video=video_answer(served, known),
            moments=[answers.RankedMoment(**_ranked(moment, known, found, said)) for moment in found.ranked],
            curve=None if curve is None else curve_answer(curve),
            attention=None if attention is None else attention_answer(attention),
        )

    return await served.gate.run(found_in_one)


def _found(served: Served, body: answers.SearchBody | answers.LocateBody, **where: Any) -> Answer:
    return search(served.library, served.engine(), body.query, top=body.top, min_score=body.min_score, **where)


def _said(served: Served, found: Answer) -> list[Correction]:
    """What users said of moments that were found, the last first."""
    return served.corrections.of(found.query) if any(moment.said for moment in found.ranked) else []


def curve_answer(curve: Curve) -> answers.CurveAnswer:
    """A curve of no more than `CURVE_MOST` times; of each group of steps the one with the highest score stays."""
    groups = _groups(len(curve.times_s), CURVE_MOST)
    kept = [int(group[curve.scores[group].argmax()]) for group in groups]
    return answers.CurveAnswer(times_s=_rounded(curve.times_s[kept]), scores=_rounded(curve.scores[kept]))


def attention_answer(attention: Attention) -> answers.AttentionAnswer:
    """Attention at no more than `ATTENTION_MOST` times, the mean of those between."""
    groups = _groups(len(attention.times_s), ATTENTION_MOST)
    times_s = np.array([attention.times_s[group].mean() for group in groups])
    weights = np.stack([attention.weights[:, group].mean(axis=1) for group in groups], axis=1)
    means = attention.weights.mean(axis=1)
    contrasts = weights.max(axis=1) >= _CONTRAST * means
    return answers.AttentionAnswer(
        words=list(attention.words),
        telling=[bool(far) and word not in EMPTY_WORDS for word, far in zip(attention.words, contrasts, strict=True)],
        times_s=_rounded(times_s),
        weights=[_rounded(row) for row in weights],
        layers=list(attention.layers),
    )


def _groups(count: int, most: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Neighbours that share a place."""
    return np.array_split(np.arange(count), min(count, most))


def _rounded(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    return [round(float(value), 4) if math.isfinite(value) else 0.0 for value in values]


def _facts(answer: Answer) -> dict[str, Any]:
    """What both answers say beside the moments; scores that are no probabilities have no scale of words."""
    words = any(moment.confidence for moment in answer.ranked)
    scale = answers.ScaleAnswer(sure=LEAST["sure"], likely=LEAST["likely"]) if words else None
    own = {key: getattr(answer, key) for key in ("understood", "threshold", "best_score")}
    return answer_facts(answer) | own | {"scale": scale}


def _ranked(moment: Moment, video: Video, answer: Answer, said: Sequence[Correction]) -> dict[str, Any]:
    """What `RankedMoment` says of a moment."""
    span = (moment.start_s, moment.end_s)
    own = next((one for one in said if one.content == video.content and span in one.spans), None)
    return moment_record(moment) | {
        "found": moment in answer.moments,
        "picture": picture_url(video.content, sum(span) / 2),
        "said": own and answers.SaidAnswer.model_validate(own, from_attributes=True),
    }
