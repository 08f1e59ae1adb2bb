"""Files that are written whole or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path

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
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {error.strerror}; free space or name another folder") from error
