"""Files that wait to be indexed, one at a time in the background, and what can be seen of them meanwhile."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from asst.errors import InputError
from asst.library.engine import Engine
from asst.library.index import index
from asst.library.library import Library
from asst.local import canonical
from asst.outputs.printable import printable
from asst.web.answers import JobAnswer, JobState
from asst.web.errors import Problem, not_found


class _CancelledError(Exception):
    """Ends the reading of a file from within."""


@dataclass(slots=True, eq=False)
class IndexJob:
    """A file on its way into the library.

    `done_s` of its `total_s` seconds are read, since `began`; `message` is one line on how it ended, and `content` the
    hash of the video when it is in the library. `version` counts changes, for those who wait for one. A file that came
    through the page has the hash that was `received`.
    """

    path: Path
    name: str
    total_s: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: JobState = "waiting"
    done_s: float = 0.0
    message: str = ""
    content: str | None = None
    version: int = 0
    cancelled: bool = False
    received: str = ""
    began: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed", "cancelled")

    def answer(self) -> JobAnswer:
        """As JSON, with the time until it will have been read at the pace until now, where that is known."""
        left_s = None
        if self.state == "running" and self.done_s:
            left_s = round((time.monotonic() - self.began) * max(0.0, self.total_s / self.done_s - 1), 1)
        words: dict[str, Any] = {"name": printable(self.name), "message": printable(self.message)}
        read_s: dict[str, Any] = {"done_s": round(self.done_s, 2), "total_s": round(self.total_s, 2), "left_s": left_s}
        return JobAnswer(id=self.id, state=self.state, video=self.content, **words, **read_s)


class Jobs:
    """The queue of files for a library, and the thread that works it off.

    ``engine`` waits for the model and gives it; ``most`` jobs may wait; a file that is ``owned`` was made by the
    server, and goes when its job fails or is cancelled.
    """

    def __init__(
        self, library: Library, engine: Callable[[], Engine], most: int, owned: Callable[[Path], bool]
    ) -> None:
        self._library, self._engine, self._most, self._owned = library, engine, most, owned
        self._jobs: dict[str, IndexJob] = {}
        self._queue: SimpleQueue[IndexJob | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="indexing", daemon=True)
        self._thread.start()

    def add(self, path: Path, name: str, total_s: float, *, received: str = "", always: bool = False) -> IndexJob:
        """A new job, with ``always`` however many wait.

        For an upload whose like, by the hash ``received``, already waits, it is the job of that, and the file goes. The
        length in seconds is 0 where it is not known yet. Raises a `Problem` 503 if too many wait.
        """
        for job in self._jobs.values():
            if received and job.received == received and not (job.ended or job.cancelled):
                _discard(path)
                return job
        if not always and sum(not job.ended for job in self._jobs.values()) >= self._most:
            message = f"{self._most} files wait to be indexed; upload more when they are done"
            raise Problem(503, "busy", message, retry_s=30)
        job = IndexJob(path, name, total_s, received=received)
        self._jobs[job.id] = job
        self._queue.put(job)
        return job

    def all(self) -> list[IndexJob]:
        """Oldest first."""
        return list(self._jobs.values())

    def get(self, identifier: str) -> IndexJob:
        """One of them, or a `Problem` 404 where there is none."""
        if identifier not in self._jobs:
            raise not_found(f"no job {identifier}")
        return self._jobs[identifier]

    def cancel(self, identifier: str) -> IndexJob:
        """Ends a job that waits or runs, or raises as `get`; one that has ended stays as it is."""
        job = self.get(identifier)
        job.cancelled = True
        if job.state == "waiting":
            self._end(job, "cancelled", "cancelled before it began")
        return job

    def close(self) -> None:
        """Cancels everything; what is being read ends within a picture or so."""
        for job in self._jobs.values():
            job.cancelled = True
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            if job.ended:
                continue
            job.state = "running"
            job.version += 1
            try:
                self._index(job)
            except _CancelledError:
                self._end(job, "cancelled", "cancelled; nothing of it was kept")
            except InputError as error:
                self._end(job, "failed", str(error).replace(str(job.path), job.name))
            except Exception as error:
                reason = str(error) if isinstance(error, Problem) else f"could not be indexed ({type(error).__name__})"
                self._end(job, "failed", f"{job.name}: {reason}")

    def _index(self, job: IndexJob) -> None:
        engine = self._engine()

        def progress(done_s: float, total_s: float) -> None:
            if job.cancelled:
                raise _CancelledError
            job.done_s, job.total_s = done_s, total_s or job.total_s
            job.version += 1

        progress(0.0, 0.0)
        job.began = time.monotonic()
        for done in index([job.path], self._library, engine, watch=lambda _: progress):
            if done.state == "failed":
                raise InputError(done.reason)
            (video,) = self._library.tables.videos(path=str(canonical(job.path)))
            job.content = video.content
            job.done_s = job.total_s
            if done.state == "copied" and self._owned(job.path):
                # The library has another file of this content, which serves as well.
                _discard(job.path)
                self._library.remove([video])
            self._end(job, "done", "was in the library already" if done.state != "indexed" else "in the library")

    def _end(self, job: IndexJob, state: JobState, message: str) -> None:
        if state != "done" and self._owned(job.path):
            _discard(job.path)
        job.message, job.state = message, state
        job.version += 1


def _discard(upload: Path) -> None:
    """Deletes an upload, which has a folder of its own; on a disk that has become read-only it stays."""
    with suppress(OSError):
        upload.unlink(missing_ok=True)
        upload.parent.rmdir()
