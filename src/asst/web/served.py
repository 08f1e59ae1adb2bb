"""What the routes share: a library, its model (loaded behind their backs), the gate, the jobs, a folder of clips."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from asst.errors import InputError
from asst.library.corrections import Correction, Corrections
from asst.library.engine import Engine
from asst.library.library import Library
from asst.library.tables import Video
from asst.web.errors import Problem, not_found
from asst.web.jobs import Jobs
from asst.web.limits import Gate, Limits

_FEATURES_KEPT = 4


class Served:
    """A library being served.

    Args:
        library: it.
        load: makes the model, in a thread of its own, so that the page is there at once.
        limits: what is refused.

    Attributes:
        gate: for work that takes time.
        jobs: of indexing.
        corrections: of the library.
        clips: a folder for clips, which goes when the server does.
        closing: whether the server is about to go.
        features: gives a video's features; those asked for last are kept, and with them what the model keeps of them.
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
        """The model, waited for.

        Raises:
            InputError: when its weights are missing.
            Problem: when it cannot be loaded for any other reason.
        """
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
        raise Problem(404, "gone", f"{Path(videos[0].path).name} is no longer where it was indexed")

    def span(self, content: str, start_s: float, end_s: float, field: str) -> tuple[Video, float, float]:
        """A video and a span of it, cut off at its end.

        Raises a `Problem` 422 naming a field for a span that is none of it, or 404 as of `video`.
        """
        video = self.video(content)
        if not start_s < min(end_s, video.duration_s):
            message = f"{start_s:g} to {end_s:g} s is no span of {Path(video.path).name}, of {video.duration_s:g} s"
            raise Problem(422, "invalid", message, field=field)
        return video, start_s, min(end_s, video.duration_s)

    def said(self, query: str) -> list[Correction]:
        """What users said of answers to a sentence, the last first."""
        query = " ".join(query.split())
        return [correction for correction in reversed(self.corrections.all()) if correction.query == query]

    def owns(self, path: Path) -> bool:
        """Whether a file came through the page."""
        return path.is_relative_to(self.library.uploads)

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
