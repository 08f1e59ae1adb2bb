"""Doing two things at once: the next item is made while the last one is used."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat, takewhile
from pathlib import Path
from typing import Any, TypeVar

from asst.features.extractor import Progress
from asst.video import Frames, frames

T = TypeVar("T")

_END: Any = object()


def in_order(results: Iterable[Callable[[], T]], most: int) -> Iterator[T]:
    """Results of work under way, each waited for once ``most`` more have been begun."""
    begun: deque[Callable[[], T]] = deque()
    for result in results:
        begun.append(result)
        if len(begun) > most:
            yield begun.popleft()()
    while begun:
        yield begun.popleft()()


def made_ahead(items: Iterable[T], most: int = 3) -> Iterator[T]:
    """Items made by a thread: at most ``most`` wait, and one more is being made; its exceptions are raised here."""
    source = iter(items)
    pool = ThreadPoolExecutor(1, "ahead")
    try:
        made = in_order((pool.submit(next, source, _END).result for _ in repeat(None)), most + 1)
        yield from takewhile(lambda item: item is not _END, made)
    finally:
        pool.shutdown(cancel_futures=True)


def decoded_ahead(
    video: str | Path, rate: float, length_s: float, progress: Progress | None, **options: Any
) -> Iterator[Frames]:
    """As `frames`, decoded by half of the cores; ``progress`` is told how much of the length has been used."""
    threads = max(1, (os.cpu_count() or 1) // 2)
    for batch in made_ahead(frames(video, rate=rate, threads=threads, **options)):
        yield batch
        if progress is not None:
            progress(min(length_s, float(batch.times_s[-1]) + 1 / rate), length_s)
