"""The sentences that a verb asks: words of the command line, and lines of a file or of a pipe."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from pathlib import Path

from asst.errors import InputError
from asst.local import check_ends


def sentences_of(given: Sequence[str], queries: str | None) -> list[str]:
    """All sentences to look for: those given, then those of a file.

    Args:
        given: on the command line.
        queries: the file or pipe, ``-`` for standard input, or None.

    Raises:
        InputError: for an empty sentence, none at all, or a file that is no UTF-8 text.
    """
    for sentence in given:
        if not sentence.strip():
            raise InputError("a sentence is empty; say what to look for")
    read = [] if queries is None else [line.strip() for line in _lines(queries) if line.strip()]
    asked = [*given, *read]
    if not asked:
        raise InputError("no sentence to look for; give one in quotes, or a file of them with --queries")
    for sentence in asked:
        if not sentence.isascii() and sentence != sentence.encode("utf-8", errors="replace").decode("utf-8"):
            raise InputError(f"not valid text: {sentence!r}; write the sentence in UTF-8")
    return asked


def _lines(queries: str) -> list[str]:
    """The lines of a file, which end at LF, CRLF or CR; bytes are parted there alone, text at other characters too."""
    if queries != "-":
        check_ends(Path(queries), pipes=True)
    try:
        content = sys.stdin.buffer.read() if queries == "-" else Path(queries).read_bytes()
    except OSError as error:
        raise InputError(f"{queries}: cannot be read ({error.strerror or error})") from error
    lines = []
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).splitlines(), start=1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(f"{queries}, line {number}: not UTF-8 text; save the file as UTF-8") from error
    return lines
