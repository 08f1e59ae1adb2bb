"""Short hashes of what decides features: how pictures were prepared, and which weights looked at them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
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


def files_hash(paths: Iterable[Path]) -> str:
    """A short hash of the content of files, in this order; of one file, the start of its sha256.

    Raises:
        InputError: for a file that cannot be read.
    """
    digests = []
    for path in paths:
        try:
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}; check the file") from error
    return (digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest())[:LENGTH]
