"""Annotation files as text, JSON and JSON Lines, and the values of their rows, checked.

What cannot be read at all is an error and not a row's problem. A function of a value returns the type that it names, or
says what is wrong with the row.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from asst.data.record import Span
from asst.data.rows import LEAST_S, MOST_S, UnusableRowError
from asst.errors import InputError
from asst.local import check_ends

_MOST_DIGITS = 300
_ANNOTATION = "an annotation file"


def read_text(path: Path, wanted: str = _ANNOTATION) -> str:
    """The text of a file; an `InputError` if it cannot be read or is not UTF-8."""
    check_ends(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name {wanted}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); convert it") from error


def read_json(path: Path, kind: type) -> Any:
    """The list or object that a JSON file holds; raises InputError if it cannot be read or holds something else."""
    text = read_text(path)
    try:
        content = _parsed(text)
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); fetch the file again") from error
    if not isinstance(content, kind):
        expected = "list" if kind is list else "object"
        raise InputError(f"{path} holds no JSON {expected}; is it the file the data set's authors publish?")
    return content


def read_lines(path: Path, wanted: str = _ANNOTATION) -> Iterator[tuple[int, str]]:
    """Each line that is not blank with its number, from one; raises as `read_text`."""
    return ((number, line) for number, line in enumerate(read_text(path, wanted).split("\n"), start=1) if line.strip())


def read_object_lines(path: Path, wanted: str = _ANNOTATION) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Each line of a JSON Lines file: its name, and what gives its object or raises an `UnusableRowError`."""
    return ((f"line {number}", partial(_object, line)) for number, line in read_lines(path, wanted))


def _object(line: str) -> dict[str, Any]:
    try:
        content = _parsed(line)
    except ValueError as error:
        raise UnusableRowError(f"not JSON ({str(error).replace('line 1 column', 'column')})") from error
    return as_object(content, "the line")


def _parsed(text: str) -> object:
    """The content of JSON; a whole number of more digits than a float can be is infinite, which no field takes."""
    try:
        return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else math.inf)
    except RecursionError as error:
        raise ValueError("brackets nested too deep to be read") from error


def as_text(value: object, name: str) -> str:
    """A string that is not blank; an `UnusableRowError` for anything else, as of the functions below."""
    if not isinstance(value, str) or not value.strip():
        raise UnusableRowError(f"{name} is missing or no text: {_short(value)}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UnusableRowError(f"{name} holds half of a character: {_short(value)!a}")
    return value


def as_number(value: object, name: str) -> float:
    """A finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max:
        return float(value)
    raise UnusableRowError(f"{name} is missing or no number: {_short(value)}")


def as_duration(value: object, name: str) -> float:
    """A length that a video can have, in seconds."""
    number = as_number(value, name)
    if not LEAST_S <= number <= MOST_S:
        raise UnusableRowError(f"{name} must lie between {LEAST_S:g} and {MOST_S:g} s, not {number:g}")
    return number


def parse_number(text: str, name: str) -> float:
    """A finite number from text."""
    try:
        return as_number(float(text), name)
    except ValueError as error:
        raise UnusableRowError(f"{name} is no number: {_short(text)}") from error


def as_list(value: object, name: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise UnusableRowError(f"{name} is missing or no list: {_short(value)}")
    return value


def as_object(value: object, name: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise UnusableRowError(f"{name} is no object: {_short(value)}")
    return value


def as_span(value: object, name: str) -> Span:
    """A pair of finite numbers."""
    pair = as_list(value, name)
    if len(pair) != 2:
        raise UnusableRowError(f"{name} is no pair of start and end: {_short(value)}")
    return as_number(pair[0], name), as_number(pair[1], name)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
