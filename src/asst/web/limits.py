"""How much the server takes on: bytes, seconds, and requests at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from asst.web.errors import Problem

T = TypeVar("T")

ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv")
"""Of files that may be uploaded; what is in them is looked at all the same."""


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
