"""Paths of this machine's file systems: told from addresses, from pipes and devices, and one for each file."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from pathlib import Path

from asst.errors import InputError

# Two letters at least, as one is a drive's; one slash at least, as a path of two has become one of one.
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/+")
_ENDLESS = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}


def local_path(path: str | Path, what: str) -> Path:
    """The path, where it is none of another place: taken for a path, an address would name a folder ``s3:`` here.

    Raises an `InputError` for an address.

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


def composed(name: str) -> str:
    """A name with each accented letter as one character: a Mac writes two, and a keyboard types one."""
    return unicodedata.normalize("NFC", name)


def canonical(path: Path) -> Path:
    """The one path of a file: absolute, every link followed; a link that leads nowhere keeps its own name."""
    real = Path(os.path.realpath(path))
    return real if os.path.lexists(real) else Path(os.path.realpath(path.parent), path.name)


def check_ends(path: Path, *, pipes: bool = False) -> None:
    """Refuses what is neither a file nor a folder: to open a pipe may wait for ever, and a device may never end.

    Raises an `InputError` for a socket or a device, and without ``pipes`` for a pipe, which is read once, from start to
    end.
    """
    try:
        kind = _ENDLESS.get(stat.S_IFMT(path.stat().st_mode))
    except OSError:
        # What is not there is told by whoever opens it.
        return
    if kind is not None and not (pipes and kind == "pipe"):
        raise InputError(f"{path}: is a {kind}, and no file; save it as a file and name that")
