"""The lock of those who write a library's files: many hold it at once, or one alone, who may then tidy up."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from asst.atomic import write_error


class SharedLock:
    """A lock that the system takes back when its process ends, however it ends; a context manager.

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

    def alone(self) -> bool:
        """Takes it alone, unless another process or thread holds it; whether that was so."""
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Takes it with others, or lets them take it too; waits for one who has it alone."""
        import fcntl

        fcntl.flock(self._file, fcntl.LOCK_SH)
