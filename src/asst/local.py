"""Paths of this machine's file systems, told from addresses such as ``s3://bucket/folder``."""

from __future__ import annotations

import re
from pathlib import Path

from asst.errors import InputError

# Two letters at least, as one is a drive's; one slash at least, as a path of two has become one of one.
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/+")


def local_path(path: str | Path, what: str) -> Path:
    """The path, where it is none of another place: taken for a path, an address would name a folder ``s3:`` here.

    Args:
        path: as the user gave it.
        what: it is to be, for the message.

    Raises:
        InputError: for an address.

    >>> local_path("videos/a.mp4", "a video").name
    'a.mp4'
    """
    found = _SCHEME.match(str(path))
    if found is None:
        return Path(path)
    address = f"{found[1]}://{str(path)[found.end() :]}"
    raise InputError(
        f"{address}: {what} must be on a file system of this machine; files are wanted, not addresses: download "
        "it first, or see docs/library.md, Object storage"
    )
