"""Where an output goes: a path that is checked before the work starts and replaced in one step when it is done."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asst.atomic import check_writable, write_error
from asst.errors import InputError


def check_destination(path: Path, suffix: str, *, source: Path | None = None) -> None:
    """Refuse a path that could not be written, before anything long is computed for it.

    Args:
        path: the file to write.
        suffix: the ending the format needs, such as ``.html``.
        source: the input, which an output must not replace.

    Raises:
        InputError: for another ending, a folder that does not exist, a path that is a folder, or the input itself, or
            where nothing may be written.
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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend a temporary name beside ``path``, and give it the name ``path`` once the block has succeeded.

    A reader sees the old file or the whole new one. When the block fails the old file stays and nothing is left over.

    Raises:
        WriteError: when the file system refuses the file.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".asst-", dir=path.parent) as folder:
            # A file opened by name inside the folder gets the usual permissions, which mkstemp would narrow.
            lent = Path(folder) / path.name
            yield lent
            lent.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
