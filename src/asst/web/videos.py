"""The videos: what is known of them, the files themselves, pictures and clips, and moments as one file."""

from __future__ import annotations

import mimetypes
import re
import shutil
import urllib.parse
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from asst.library.index import PICTURES
from asst.library.tables import Video
from asst.local import composed
from asst.moments import Answer, Moment
from asst.outputs.editors.edits import media_of
from asst.outputs.exports import write_export
from asst.outputs.printable import printable
from asst.video import STILL, cut, frames, jpeg, probe
from asst.web.answers import ExportBody, OneVideoAnswer, Seconds, Strip, TimeCodeAnswer, VideoAnswer, VideosAnswer
from asst.web.errors import Problem, documented, not_found
from asst.web.served import Served, ServedHere, no_video

router = APIRouter(prefix="/api", tags=["videos"])
Id = Annotated[str, InPath(pattern=r"^[0-9a-f]{16,64}$", description="A video's id.")]

Sort = Literal["name", "newest", "longest"]

_PLAYABLE = (".mp4", ".m4v", ".webm", ".mov")
_MEDIA_TYPES = {".mkv": "video/x-matroska", ".mov": "video/mp4", ".m4v": "video/mp4", ".ts": "video/mp2t"}
_SHORT_SIDE = 180
_SORTED: dict[Sort, Callable[[Video], tuple[float | str, ...]]] = {
    "name": lambda video: (Path(video.path).name.lower(), video.content),
    "newest": lambda video: (-video.mtime_ns, video.content),
    "longest": lambda video: (-video.duration_s, video.content),
}
_KEPT = "private, max-age=86400"
_TYPES = {
    "csv": "text/csv",
    "mp4": "video/mp4",
    "otio": "application/json",
    "fcpxml": "application/xml",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "edl": "text/plain",
}


def video_answer(served: Served, video: Video) -> VideoAnswer:
    """A video as JSON; of its path the names of the file and its folder alone."""
    base, path = f"/api/videos/{video.content}", Path(video.path)
    uploaded = served.owns(path)
    return VideoAnswer(
        id=video.content,
        name=printable(path.name),
        folder="" if uploaded else printable(path.parent.name),
        uploaded=uploaded,
        duration_s=video.duration_s,
        width=video.width,
        height=video.height,
        playable=path.suffix.lower() in _PLAYABLE,
        media=f"{base}/media",
        strip=Strip(url=f"{base}/strip", pictures=PICTURES),
    )


@router.get("/videos", responses=documented())
def videos(
    served: ServedHere,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    name: Annotated[str, Query(max_length=200, description="A part of the file's name, or of its folder's.")] = "",
    sort: Sort = "name",
) -> VideosAnswer:
    """The library's videos, one a content."""
    wanted = sorted(named(served, name), key=_SORTED[sort])
    page = [video_answer(served, video) for video in wanted[offset : offset + limit]]
    return VideosAnswer(total=len(wanted), hours=sum(video.duration_s for video in wanted) / 3600, videos=page)


@router.get("/videos/{video}", responses=documented(404))
async def video(served: ServedHere, video: Id) -> OneVideoAnswer:
    """One of them."""

    def found() -> OneVideoAnswer:
        known = served.video(video)
        info = probe(known.path)
        media = media_of(info)
        code = TimeCodeAnswer(first_frame=media.first, rate=float(media.rate), drop_frame=media.drop)
        shown = video_answer(served, known).model_dump()
        return OneVideoAnswer(**shown, start_s=info.start_s, rate=float(info.rate), time_code=code)

    return await served.gate.run(found)


@router.delete("/videos/{video}", status_code=204, response_class=Response, responses=documented(404))
def remove(served: ServedHere, video: Id) -> Response:
    """Takes a video out of the library. A file that came through the page is deleted, any other stays as it is."""
    known = served.library.tables.videos(content=video)
    if not known:
        raise no_video()
    served.library.remove(known)
    served.features.cache_clear()
    for path in (Path(own.path) for own in known):
        if served.owns(path):
            shutil.rmtree(path.parent, ignore_errors=True)
    return Response(status_code=204)


@router.get(
    "/videos/{video}/media",
    response_class=FileResponse,
    responses={**documented(404, 416, sends=["video/*"]), 206: {"description": "The part asked for"}},
)
def media(served: ServedHere, video: Id) -> FileResponse:
    """The file as it is; parts of it by ``Range``."""
    path = Path(served.video(video).path)
    kind = _MEDIA_TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": _KEPT})


@router.get("/videos/{video}/strip", response_class=FileResponse, responses=documented(404, sends=["image/jpeg"]))
def strip(served: ServedHere, video: Id) -> FileResponse:
    """A row of small pictures, each from the middle of an equal share of the video."""
    path = served.library.picture(served.video(video).content)
    if not path.is_file():
        raise not_found("no pictures of this video; run asst library verify --repair")
    return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": _KEPT})


@router.get("/videos/{video}/picture", response_class=Response, responses=documented(404, sends=["image/jpeg"]))
async def picture(served: ServedHere, video: Id, at_s: Seconds) -> Response:
    """The picture that is shown at an instant, or the last one before the end."""

    def found() -> bytes:
        known = served.video(video)
        time_s = min(at_s, max(0.0, known.duration_s - 0.05))
        for batch in frames(Path(known.path), times_s=[time_s], short_side=_SHORT_SIDE, crop=STILL, threads=1):
            return jpeg(batch.pixels[0])
        raise not_found(f"no picture at {time_s:g} s")

    return Response(await served.gate.run(found), media_type="image/jpeg", headers={"Cache-Control": _KEPT})


@router.get(
    "/videos/{video}/clip",
    response_class=FileResponse,
    responses=documented(404, 413, sends=["video/mp4"], about="X-Clip-Start-S and X-Clip-End-S say what it holds"),
)
async def clip(served: ServedHere, video: Id, start_s: Seconds, end_s: Seconds, fast: bool = False) -> FileResponse:
    """A span of a video as a file: exact, encoded anew; or fast, copied from the key frame before."""
    out = served.clips / f"{uuid.uuid4().hex}.mp4"

    def made() -> dict[str, str]:
        known, first_s, last_s = served.span(video, start_s, end_s, "end_s")
        if last_s - first_s > served.limits.clip_s:
            raise Problem(413, "too_large", f"a clip lasts {served.limits.clip_s:g} s at most; ask for a shorter one")
        report = cut(known.path, first_s, last_s, out, exact=not fast)
        first, last = (f"{int(t // 60)}m{t % 60:05.2f}s" for t in (first_s, last_s))
        name = _attachment(f"{Path(known.path).stem} {first}-{last}.mp4")
        ends = {"X-Clip-Start-S": f"{report.start_s:.3f}", "X-Clip-End-S": f"{report.end_s:.3f}"}
        return {"Content-Disposition": name, **ends}

    headers = await served.gate.run(made, lambda: out.unlink(missing_ok=True), encodes=not fast)
    return _SentOnce(out, media_type="video/mp4", headers=headers)


@router.post("/export", response_class=FileResponse, responses=documented(404, 413, sends=[*_TYPES.values()]))
async def export(served: ServedHere, body: ExportBody) -> FileResponse:
    """One file of the moments, in their order. Timelines name the files of the videos as the server knows them."""
    out, long = served.clips / f"{uuid.uuid4().hex}.{body.format}", body.format == "mp4"

    def made() -> None:
        answers = []
        for one in body.moments:
            video, start_s, end_s = served.span(one.video, one.start_s, one.end_s, "moments")
            moment = Moment(start_s, end_s, one.score, one.query, video.path)
            named = (video.path, one.query, video.duration_s, served.library.identity.model)
            answers.append(Answer(*named, (moment,)))
        length_s = sum(answer.moments[0].duration_s for answer in answers)
        if long and length_s > served.limits.clip_s:
            raise Problem(413, "too_large", f"a reel lasts {served.limits.clip_s:g} s at most, not {length_s:.0f}")
        write_export(answers, out)

    await served.gate.run(made, lambda: out.unlink(missing_ok=True), encodes=long)
    headers = {"Content-Disposition": _attachment(f"moments.{body.format}")}
    return _SentOnce(out, media_type=_TYPES[body.format], headers=headers)


class _SentOnce(FileResponse):
    """A file that goes when it has been sent, or when whoever asked for it has gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            Path(self.path).unlink(missing_ok=True)


def _attachment(name: str) -> str:
    """The header that saves an answer under a name, whatever characters it has."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    exact = urllib.parse.quote(name.encode("utf-8", errors="replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def picture_url(content: str, at_s: float) -> str:
    """Where the picture of an instant is."""
    return f"/api/videos/{content}/picture?at_s={at_s:.2f}"


def named(served: Served, part: str) -> list[Video]:
    """The videos with a text in their file's name or in that of its folder; of equal files the first of them."""
    part, known = composed(part).strip().lower(), served.library.tables.videos()
    wanted = [video for video in known if part in composed("/".join(Path(video.path).parts[-2:])).lower()]
    return list({video.content: video for video in reversed(wanted)}.values())
