"""Short hashes of what decides features: how pictures were prepared, and which weights looked at them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from asst.errors import InputError

LENGTH = 12
"""Hexadecimal digits of a short hash."""


def settings_hash(settings: Mapping[str, object]) -> str:
    """A short hash of settings, whatever their order.

    >>> settings_hash({"rate": 4, "side": 224}) == settings_hash({"side": 224, "rate": 4})
    True
    """
    text = json.dumps(settings, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def sha256(path: Path) -> str:
    """The hash of a file's content, in hexadecimal; kept for the next time that the same file is asked for.

    Raises:
        InputError: for a file that cannot be read.
    """
    try:
        at = path.stat()
        return _digest(path.absolute(), at.st_size, at.st_mtime_ns)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the file") from error


@lru_cache(maxsize=64)
def _digest(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_hash(paths: Iterable[Path]) -> str:
    """A short hash of the content of files, in this order; of one file, the start of its sha256.

    Raises:
        InputError: for a file that cannot be read.
    """
    digests = [sha256(path) for path in paths]
    return (digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest())[:LENGTH]
