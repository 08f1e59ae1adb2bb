"""What the routes share: a library, its model (loaded behind their backs), the jobs, a folder of clips; and the limits.

Limits are on bytes, seconds, and requests at once, which a gate lets through.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from asst.errors import InputError
from asst.library.corrections import Corrections
from asst.library.engine import Engine
from asst.library.library import Library
from asst.library.tables import Video
from asst.web.errors import Problem, not_found
from asst.web.jobs import Jobs

T = TypeVar("T")

_FEATURES_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is refused: larger uploads, and longer videos and clips.

    So many requests work ``at_once`` and so many are ``waiting``; more are sent away. A request may take so long, one
    that encodes video longer, and an upload may stand still so long. So many ``jobs`` wait to be indexed.
    """

    upload_bytes: int = 4 * 2**30
    upload_s: float = 6 * 3600.0
    clip_s: float = 600.0
    at_once: int = 2
    waiting: int = 32
    request_s: float = 60.0
    encode_s: float = 900.0
    stalled_s: float = 60.0
    jobs: int = 100


class Gate:
    """Lets so many pieces of work run at once; one that takes too long is answered without, and ends on its own."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.at_once, "request")
        self._held = 0

    async def run(
        self, work: Callable[[], T], unwanted: Callable[[], None] = lambda: None, *, encodes: bool = False
    ) -> T:
        """The result of some work in a thread; work that ``encodes`` video may take longer.

        Where nobody takes the result, ``unwanted`` is called when the work has ended. Raises a `Problem` 503 if too
        much is waiting, or the work takes too long.
        """
        if self._held >= self._limits.at_once + self._limits.waiting:
            raise Problem(503, "busy", "too many requests at once; ask again in a moment", retry_s=2)
        self._held += 1
        longest_s = self._limits.encode_s if encodes else self._limits.request_s
        task = asyncio.wrap_future(self._pool.submit(work))
        task.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(task), longest_s)
        except BaseException as error:
            task.add_done_callback(lambda _: unwanted())
            if not isinstance(error, TimeoutError):
                raise
            message = f"this took longer than {longest_s:g} s; ask for less, or again later"
            raise Problem(503, "timeout", message, retry_s=10) from error

    def close(self) -> None:
        """Forget what is waiting."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, task: asyncio.Future[T]) -> None:
        self._held -= 1
        if not task.cancelled():
            # Of work that nobody waits for any more the error is taken, so that it is not told of at the end.
            task.exception()


class Served:
    """A library being served, whose model is loaded in a thread of its own, so that the page is there at once.

    Work that takes time goes through the gate. ``features`` gives those of a video; those asked for last are kept, and
    with them what the model keeps of them. The folder of clips goes when the server does.
    """

    def __init__(self, library: Library, load: Callable[[], Engine], limits: Limits) -> None:
        self.library, self.limits, self.gate = library, limits, Gate(limits)
        self.closing = False
        self.corrections = Corrections(library)
        self.features = lru_cache(_FEATURES_KEPT)(library.features.read)
        self._engine: Future[Engine] = Future()
        self._clips = tempfile.TemporaryDirectory(prefix="asst-clips-", ignore_cleanup_errors=True)
        self.clips = Path(self._clips.name)
        self.jobs = Jobs(library, self.engine, limits.jobs, self.owns)
        threading.Thread(target=self._load, args=(load,), name="loading", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._engine.done() and self._engine.exception() is None

    def engine(self) -> Engine:
        """The model, waited for; an `InputError` when its weights are missing, a `Problem` for any other reason."""
        return self._engine.result()

    def video(self, content: str) -> Video:
        """The first file of a content that is still there.

        Raises a `Problem` 404 for a content that the library has not, or none of whose files are there.
        """
        videos = self.library.tables.videos(content=content)
        if not videos:
            raise no_video()
        for video in videos:
            if Path(video.path).is_file():
                return video
        message = f"{Path(videos[0].path).name} is no longer where it was indexed; index the folder that it is in now"
        raise Problem(404, "gone", message)

    def span(self, content: str, start_s: float, end_s: float, field: str) -> tuple[Video, float, float]:
        """A video and a span of it, cut off at its end.

        Raises a `Problem` 422 naming a field for a span that is none of it, or 404 as of `video`.
        """
        video = self.video(content)
        if not start_s < min(end_s, video.duration_s):
            message = f"{start_s:g} to {end_s:g} s is no span of {Path(video.path).name}, of {video.duration_s:g} s"
            raise Problem(422, "invalid", message, field=field)
        return video, start_s, min(end_s, video.duration_s)

    def owns(self, path: Path) -> bool:
        """Whether a file came through the page."""
        return path.is_relative_to(self.library.uploads)

    def without_folders(self, message: str) -> str:
        """A line in which the files of the library, and clips, are called by their names alone."""
        folders = [self.library.folder.absolute(), self.clips]
        # They may be what is damaged.
        with suppress(InputError):
            folders += [Path(video.path).parent for video in self.library.tables.videos()]
        for folder in sorted(map(str, folders), key=len, reverse=True):
            message = message.replace(f"{folder}/", "")
        return message

    def close(self) -> None:
        """Ends jobs, and deletes clips."""
        self.closing = True
        self.jobs.close()
        self.gate.close()
        self._clips.cleanup()

    def _load(self, load: Callable[[], Engine]) -> None:
        try:
            self._engine.set_result(load())
        except InputError as error:
            self._engine.set_exception(error)
        except BaseException as error:
            # Whatever it is, those who wait for the model must hear of it.
            logging.getLogger(__name__).exception("the model cannot be loaded")
            told = f"the model cannot be loaded ({type(error).__name__}); the server has said more"
            self._engine.set_exception(Problem(500, "no_model", told))


def no_video() -> Problem:
    """What is said of a video that the library has not."""
    return not_found("this video is not in the library; it may have been removed")


def _served(request: Request) -> Served:
    served: Served = request.app.state.served
    return served


ServedHere = Annotated[Served, Depends(_served)]
"""What a route takes to get at it."""
