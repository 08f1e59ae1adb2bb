"""Doing two things at once: the next item is made while the last one is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_WAIT_S = 0.1


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class _End:
    pass


def made_ahead(items: Iterable[T], most: int = 3) -> Iterator[T]:
    """The items of an iterable, made by a thread that keeps at most ``most`` of them ready.

    An exception in the thread is raised here, in its place. When the consumer stops early the thread ends after the
    item it is at.
    """
    ready: queue.Queue[T | _Failure | _End] = queue.Queue(maxsize=most)
    stopped = threading.Event()

    def offer(item: T | _Failure | _End) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=_WAIT_S)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for item in items:
                if not offer(item):
                    return
        except BaseException as error:  # whatever it is, it belongs to the consumer
            offer(_Failure(error))
        else:
            offer(_End())

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, _End):
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stopped.set()
        thread.join()
