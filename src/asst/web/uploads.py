"""Files that come in, and the jobs that index them."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import unicodedata
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from asst.errors import InputError, WriteError
from asst.features.video_files import VIDEO_EXTENSIONS
from asst.library.folder import REMOVED, SharedLock
from asst.library.library import Library
from asst.local import canonical
from asst.video import probe
from asst.web.answers import JobAnswer, JobsAnswer, UploadAnswer
from asst.web.errors import Problem, documented
from asst.web.jobs import IndexJob
from asst.web.served import Limits, Served, ServedHere

router = APIRouter(prefix="/api", tags=["uploads"])

_NAME_MOST = 255
_NO_NAME = '<>:"|?*'
_LOOKED_AT_S = 0.15
_KEEP_ALIVE_S = 15.0
_BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_BODY = {"requestBody": {"required": True, "content": _BINARY}}


@router.post("/uploads", status_code=202, responses=documented(408, 413, 415, 507), openapi_extra=_BODY)
async def upload(
    served: ServedHere, request: Request, name: Annotated[str, Query(min_length=1, max_length=500)]
) -> UploadAnswer:
    """Takes a file, the body as it is, and begins to index it."""
    plain = safe_name(name)
    if Path(plain).suffix.lower() not in VIDEO_EXTENSIONS:
        raise Problem(415, "not_a_video", f"{plain}: no video file; upload one, such as .mp4 or .mxf", field="name")
    folder = served.library.uploads / uuid.uuid4().hex
    part, path = folder / ".upload.part", folder / plain

    def length_s() -> float:
        try:
            duration_s = probe(part).duration_s
        except InputError as error:
            raise Problem(415, "not_a_video", str(error).replace(str(part), plain)) from error
        if duration_s > (most_s := served.limits.upload_s):
            raise Problem(413, "too_large", f"{plain} lasts {duration_s:.0f} s, more than {most_s:.0f}; use asst index")
        return duration_s

    try:
        folder.mkdir(parents=True)
        content = await _received(request, part, served.limits)
        duration_s = await served.gate.run(length_s)
        part.rename(path)
        return UploadAnswer(job=served.jobs.add(path, plain, duration_s, received=content).answer())
    except BaseException:
        # The folder is this upload's own; one that stood still for an hour may have been tidied away.
        shutil.rmtree(folder, ignore_errors=True)
        raise


@router.get("/jobs", responses=documented())
async def jobs(served: ServedHere) -> JobsAnswer:
    """All jobs since the server started."""
    return JobsAnswer(jobs=[job.answer() for job in served.jobs.all()])


@router.get("/jobs/{job}", responses=documented(404))
async def job(served: ServedHere, job: str) -> JobAnswer:
    """One of them."""
    return served.jobs.get(job).answer()


@router.delete("/jobs/{job}", responses=documented(404))
async def cancel(served: ServedHere, job: str) -> JobAnswer:
    """Ends a job; what it had made goes."""
    return served.jobs.cancel(job).answer()


@router.get(
    "/jobs/{job}/events",
    response_class=StreamingResponse,
    responses=documented(404, sends=["text/event-stream"], about="Events named job"),
)
async def events(served: ServedHere, request: Request, job: str) -> StreamingResponse:
    """Server-sent events: the job at every change, the last when it has ended."""
    stream = _events(served, request, served.jobs.get(job))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(served: Served, request: Request, job: IndexJob) -> AsyncIterator[str]:
    sent, silent_s = -1, 0.0
    while not served.closing:
        if job.version != sent:
            sent, silent_s = job.version, 0.0
            ended = job.ended
            yield f"event: job\ndata: {job.answer().model_dump_json()}\n\n"
            if ended:
                return
        elif silent_s >= _KEEP_ALIVE_S:
            silent_s = 0.0
            yield ": still there\n\n"
        if await request.is_disconnected():
            return
        await asyncio.sleep(_LOOKED_AT_S)
        silent_s += _LOOKED_AT_S


@contextmanager
def looked_after(library: Library) -> Iterator[list[Path]]:
    """For as long as it is entered, no other server takes what comes in here for its own.

    Lends uploads that no job knows and no row names, as the server was killed that they had come to; none while another
    server runs, which may be about to index them. Of uploads that had not come in whole nothing stays.
    """
    try:
        lock = SharedLock(library.uploads_lock)
    except WriteError:
        # Nothing can be indexed there.
        yield []
        return
    with lock:
        left: list[Path] = []
        for folder in library.uploads.glob("*/") if lock.alone() else ():
            names = [path.name for path in folder.iterdir()]
            if REMOVED in names:
                continue
            whole = [folder / name for name in names if not name.startswith(".")]
            if not whole:
                shutil.rmtree(folder, ignore_errors=True)
            left += [path for path in whole if not library.tables.videos(path=str(canonical(path)))]
        lock.share()
        yield sorted(left, key=lambda path: path.stat().st_mtime)


async def _received(request: Request, path: Path, limits: Limits) -> str:
    """Writes the body to a file as it comes; the hash of it."""
    most = limits.upload_bytes
    too_large = Problem(413, "too_large", f"more than {most:,} bytes; index it with asst index instead")
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise too_large
    size, body, content = 0, request.stream(), hashlib.sha256()
    try:
        with path.open("wb") as file:
            while (chunk := await asyncio.wait_for(anext(body, None), limits.stalled_s)) is not None:
                size += len(chunk)
                if size > most:
                    raise too_large
                content.update(chunk)
                await asyncio.to_thread(file.write, chunk)
    except TimeoutError as error:
        message = f"nothing came for {limits.stalled_s:g} s; upload it again"
        raise Problem(408, "stalled", message) from error
    except ClientDisconnect as error:
        raise Problem(400, "cut_off", f"cut off after {size:,} bytes; upload it again") from error
    if not size:
        raise Problem(422, "invalid", "an empty file; send the video as the body")
    return content.hexdigest()


def safe_name(name: str) -> str:
    """A file's name without folders or what a file system or a terminal might take amiss, of 255 bytes at most.

    >>> safe_name("../../etc/pass wd.mp4"), safe_name("#1 [final] <new>.mov")
    ('pass wd.mp4', '#1 [final] _new_.mov')
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    bad = {letter for letter in last if letter in _NO_NAME or not (letter.isprintable() or _is_mark(letter))}
    plain = last.translate(dict.fromkeys(map(ord, bad), "_")).strip().lstrip(".")
    stem, dot, ending = plain.rpartition(".")
    ending = dot + ending[:10] if dot else ""
    name = stem if dot else plain
    # As much as so many bytes hold in UTF-8, without half a letter at the end.
    short = name.encode()[: _NAME_MOST - len(ending.encode())].decode(errors="ignore")
    while short and _is_mark(name[len(short) : len(short) + 1] or " "):
        short = short[:-1]
    return (short or "_") + ending


def _is_mark(letter: str) -> bool:
    """Whether it stands on the letter before, as an accent or a vowel sign does."""
    return unicodedata.category(letter).startswith("M")
