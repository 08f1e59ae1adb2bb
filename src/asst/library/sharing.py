"""The locks of those who write a library's files; the system takes one back when its process ends, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from asst.atomic import write_error


class SharedLock:
    """A lock that many hold at once, or one alone, who may then tidy up; a context manager.

    Raises a `WriteError` if the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise write_error(path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def alone(self, *, wait: bool = False) -> bool:
        """Takes it alone; without ``wait`` unless another process or thread holds it. Whether that was so."""
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Takes it with others, or lets them take it too; waits for one who has it alone."""
        import fcntl

        fcntl.flock(self._file, fcntl.LOCK_SH)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock alone, once it is free; a `WriteError` if it cannot be written."""
    with SharedLock(path) as lock:
        lock.alone(wait=True)
        yield
