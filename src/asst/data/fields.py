"""Values of an annotation row, checked: each function returns the type it names or says what is wrong with the row."""

from __future__ import annotations

import math
import reprlib
from typing import Any

from asst.data.record import Span
from asst.data.rows import LEAST_S, MOST_S, UnusableRowError


def as_text(value: object, name: str) -> str:
    """A string that is not blank.

    Raises:
        UnusableRowError: for anything else; likewise the functions below.
    """
    if not isinstance(value, str) or not value.strip():
        raise UnusableRowError(f"{name} is missing or no text: {_short(value)}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UnusableRowError(f"{name} holds half of a character: {_short(value)!a}")
    return value


def as_number(value: object, name: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnusableRowError(f"{name} is missing or no number: {_short(value)}")
    return float(value)


def as_positive(value: object, name: str) -> float:
    """A positive number."""
    number = as_number(value, name)
    if number <= 0:
        raise UnusableRowError(f"{name} must be positive, not {number:g}")
    return number


def as_duration(value: object, name: str) -> float:
    """A length that a video can have, in seconds."""
    number = as_positive(value, name)
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


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 60


def _short(value: object) -> str:
    text = _SHORT.repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
