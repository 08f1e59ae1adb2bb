"""Where an output goes: a path that is checked before the work starts."""

from __future__ import annotations

from pathlib import Path

from asst.atomic import check_writable
from asst.errors import InputError


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
