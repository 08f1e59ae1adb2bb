"""Moments of many videos as one file for an editor, a spreadsheet or a player, or as one reel."""

from __future__ import annotations

import uuid
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from asst.moments import Answer, Moment
from asst.outputs.exports import write_export
from asst.web.answers import ChosenMoment, ExportBody
from asst.web.errors import Problem, documented
from asst.web.served import Served, ServedHere
from asst.web.videos import SentOnce, attachment

router = APIRouter(prefix="/api", tags=["videos"])

_TYPES = {
    "csv": "text/csv",
    "mp4": "video/mp4",
    "otio": "application/json",
    "fcpxml": "application/xml",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "edl": "text/plain",
}


@router.post("/export", response_class=FileResponse, responses=documented(404, 413, sends=[*_TYPES.values()]))
async def export(served: ServedHere, body: ExportBody) -> FileResponse:
    """One file of the moments, in their order. Timelines name the files of the videos as the server knows them."""
    out = served.clips / f"{uuid.uuid4().hex}.{body.format}"
    long = body.format == "mp4"
    await served.gate.run(lambda: _write(served, body, out), lambda: out.unlink(missing_ok=True), encodes=long)
    headers = {"Content-Disposition": attachment(f"moments.{body.format}")}
    return SentOnce(out, media_type=_TYPES[body.format], headers=headers)


def _write(served: Served, body: ExportBody, out: Path) -> None:
    answers = [_answer(served, chosen) for chosen in body.moments]
    if body.format == "mp4":
        length_s = sum(answer.moments[0].duration_s for answer in answers)
        if length_s > served.limits.clip_s:
            raise Problem(413, "too_large", f"a reel lasts {served.limits.clip_s:g} s at most, not {length_s:.0f}")
    write_export(answers, out)


def _answer(served: Served, chosen: ChosenMoment) -> Answer:
    """A moment as the only one of its sentence."""
    video, start_s, end_s = served.span(chosen.video, chosen.start_s, chosen.end_s, "moments")
    moment = Moment(start_s, end_s, chosen.score, chosen.query, video.path)
    return Answer(video.path, chosen.query, video.duration_s, served.library.identity.model, (moment,))
