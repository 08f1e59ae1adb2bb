"""What a file holds, as a hash: by it a video is known again, whatever it is called."""

from __future__ import annotations

import hashlib
from pathlib import Path

from asst.errors import InputError
from asst.local import check_ends

DIGITS = 32
"""Of the hash, in hexadecimal."""


def content_hash(path: Path) -> str:
    """The first half of the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        InputError: if it cannot be read, or is a folder or a pipe.
    """
    check_ends(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    except IsADirectoryError as error:
        raise InputError(f"{path}: is a folder that cannot be read; change its permissions (chmod +rx)") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
