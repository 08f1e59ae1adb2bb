"""Files that are written whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from asst.errors import InputError


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes a file under a temporary name beside it and renames it, making its folder if need be.

    A reader sees the old file or the whole new one; if the write fails the old one stays and nothing is left over.

    Args:
        path: the file.
        content: a text is written as UTF-8.

    Raises:
        InputError: if it cannot be written.
    """
    with writing_whole(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def writing_whole(path: Path) -> Iterator[IO[bytes]]:
    """Lends a file to write in parts, which gets its name once the block has succeeded; else as `write_whole`.

    Raises:
        InputError: if it cannot be written.
    """
    with moved_into_place(path) as lent, lent.open("wb") as file:
        yield file


@contextmanager
def moved_into_place(path: Path) -> Iterator[Path]:
    """Lends a temporary name beside a path, for what opens files itself; else as `writing_whole`.

    Raises:
        InputError: if it cannot be written.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise InputError(f"cannot write {path}: {error.strerror}; free space or name another folder") from error
