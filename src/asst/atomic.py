"""Files that are written whole or not at all, and what is said, before the work starts, where none can be."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from asst.errors import InputError, WriteError

_FULL, _CLOSED = "free space or name another folder", "name a folder that may be written to"
_UNKNOWN = "check the folder"
_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FULL),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), _CLOSED),
}


def is_refusal(error: OSError) -> bool:
    """Whether a disk that is full, or that may not be written to, is what an error tells of."""
    return error.errno in _ADVICE


def write_error(path: object, error: OSError) -> WriteError:
    """The line that says why a path could not be written."""
    return WriteError(path, f"{error.strerror or error}; {_ADVICE.get(error.errno or 0, _UNKNOWN)}")


def check_writable(path: Path) -> None:
    """Refuses by a `WriteError` a path that could not be made, before anything long is computed for it."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
    if not os.access(there, os.W_OK):
        read_only = hasattr(os, "statvfs") and os.statvfs(there).f_flag & os.ST_RDONLY
        code = errno.EROFS if read_only else errno.EACCES
        raise write_error(path, OSError(code, os.strerror(code)))


def check_destination(path: Path, suffix: str, *, source: Path | None = None) -> None:
    """Refuse a path that could not be written, before anything long is computed for it.

    Raises an `InputError` for another extension than ``suffix``, a folder that does not exist, a path that is a folder,
    or the ``source`` itself, or where nothing may be written.
    """
    if path.suffix.lower() != suffix:
        raise InputError(f"{path}: the name must end in {suffix}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: no such folder {path.parent}; create it first")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it")
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise InputError(f"{path}: is the input itself; write to another file")
    check_writable(path)


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes a file under a temporary name beside it and renames it, making its folder if need be.

    A reader sees the old file or the whole new one; if the write fails the old one stays and nothing is left over. A
    text is written as UTF-8. Raises a `WriteError` if it cannot be written.
    """
    with writing_whole(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def writing_whole(path: Path) -> Iterator[IO[bytes]]:
    """Lends a file to write in parts, which gets its name once the block has succeeded; else as `write_whole`."""
    with moved_into_place(path) as lent, lent.open("wb") as file:
        yield file


@contextmanager
def moved_into_place(path: Path) -> Iterator[Path]:
    """Lends a temporary name beside a path, for what opens files itself; else as `writing_whole`."""
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
        raise write_error(path, error) from error
