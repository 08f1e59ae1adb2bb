"""Annotation files as text, JSON and JSON Lines; what cannot be read at all is an error and not a row's problem."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from asst.data.fields import as_object
from asst.data.rows import Rows, UnusableRowError
from asst.errors import InputError
from asst.local import check_ends

_MOST_DIGITS = 300
_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}\n]')
"""Strings, in which no bracket counts, brackets, and ends of lines."""


def read_text(path: Path) -> str:
    """The text of an annotation file.

    Raises:
        InputError: if it cannot be read or is not UTF-8.
    """
    check_ends(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name an annotation file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); convert it") from error


def read_json(path: Path, kind: type) -> Any:
    """The content of a JSON file that holds one list or one object.

    Raises:
        InputError: if it cannot be read, is no JSON or holds something else.
    """
    text = read_text(path)
    try:
        content = _parsed(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not JSON ({error.msg}); fetch the file again") from error
    except UnusableRowError as error:
        raise InputError(f"{path}, line {_deepest_line(text)}: {error}; fetch the file again") from error
    if not isinstance(content, kind):
        expected = "list" if kind is list else "object"
        raise InputError(f"{path} holds no JSON {expected}; is it the file the data set's authors publish?")
    return content


def read_json_lines(path: Path, rows: Rows) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a JSON Lines file with the name of its line; other lines become problems, blank ones nothing."""
    for where, parsed in read_object_lines(path):
        content = None
        with rows.row(where):
            content = parsed()
        if content is not None:
            yield where, content


def read_object_lines(path: Path) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Each line of a JSON Lines file that is not blank: its name, and what gives its object.

    The latter raises an `UnusableRowError` for a line that holds none.

    Raises:
        InputError: if the file cannot be read.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield f"line {number}", partial(_object, line)


def _object(line: str) -> dict[str, Any]:
    try:
        return as_object(_parsed(line), "the line")
    except json.JSONDecodeError as error:
        raise UnusableRowError(f"not JSON ({error.msg})") from error


def _parsed(text: str) -> object:
    try:
        return json.loads(text, parse_int=_whole)
    except RecursionError as error:
        raise UnusableRowError("brackets nested too deep to be read") from error


def _whole(digits: str) -> float:
    """A whole number; one of more digits than a float can be is infinite, which no field takes."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _deepest_line(text: str) -> int:
    """The line, from one, in which JSON is nested deepest."""
    line, depth, deepest, where = 1, 0, 0, 1
    for sign in _SIGNS.findall(text):
        line += sign == "\n"
        depth += (sign in "[{") - (sign in "]}")
        if depth > deepest:
            deepest, where = depth, line
    return where
