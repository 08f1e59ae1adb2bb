"""What users say of answers, and that as annotation to train on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from asst.library.corrections import Correction, Proposed
from asst.library.tables import Video
from asst.outputs.printable import printable
from asst.web.answers import CorrectionAnswer, CorrectionBody, CorrectionsAnswer
from asst.web.errors import documented, not_found
from asst.web.served import ServedHere

router = APIRouter(prefix="/api", tags=["corrections"])


@router.get("/corrections", responses=documented())
def corrections(
    served: ServedHere, video: Annotated[str | None, Query(max_length=64, description="Of this video.")] = None
) -> CorrectionsAnswer:
    """All corrections, or those of one video."""
    known = {found.content: found for found in reversed(served.library.tables.videos())}
    return CorrectionsAnswer(
        corrections=[
            _answer(correction, known.get(correction.content))
            for correction in served.corrections.all()
            if video is None or correction.content == video
        ]
    )


@router.post("/corrections", status_code=201, responses=documented(404))
def correct(served: ServedHere, body: CorrectionBody) -> CorrectionAnswer:
    """Keeps one, in place of what was said of the same span before."""
    known = served.video(body.video)
    proposed = None if body.proposed is None else Proposed(**body.proposed.model_dump())
    made = served.corrections.add(body.video, body.query, body.verdict, (body.start_s, body.end_s), proposed)
    return _answer(made, known)


@router.delete("/corrections/{correction}", status_code=204, response_class=Response, responses=documented(404))
def forget(served: ServedHere, correction: str) -> Response:
    """Forgets one."""
    if not served.corrections.remove(correction):
        raise not_found(f"no correction {correction}")
    return Response(status_code=204)


@router.get(
    "/corrections.jsonl", response_class=Response, responses=documented(sends=["application/jsonl"], about="Annotation")
)
def annotation(served: ServedHere) -> Response:
    """Spans that are right, as annotation that ``asst train`` reads; what is only wrong is counted in a header."""
    lines, wrong = served.corrections.annotation()
    headers = {"Content-Disposition": 'attachment; filename="corrections.jsonl"', "X-Left-Out": str(wrong)}
    return Response(lines, media_type="application/jsonl", headers=headers)


def _answer(correction: Correction, video: Video | None) -> CorrectionAnswer:
    name = printable(Path(video.path).name) if video else ""
    facts = {**asdict(correction), "video": correction.content, "name": name}
    return CorrectionAnswer.model_validate(facts, from_attributes=True)
