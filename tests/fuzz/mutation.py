"""Inputs made from good ones by small damage, the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_TEXTS = (
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\xe2\x80\xa8",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"NaN",
    b"-1",
    b"1e999",
    b"9" * 400,
)
_MORE_TEXTS = (
    b"[" * 3000,
    b'{"a":' * 2000,
    b"%s%n",
    b"../" * 9,
    b"\x1b[2J",
    "\N{DOG FACE}".encode(),
    b"##",
    b'"',
    b"\\u0000",
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    -1e-308,
    10**400,
    float("nan"),
    float("-inf"),
    "",
    "\ud800",
    [],
    {},
)
_MORE_VALUES: tuple[Any, ...] = ([[]], {"": {}}, "9" * 5000, [1, 2, 3], [[2, 1]], "\u2028", 2**63, [None, 5], 1e-320)
_HEAD = 1024


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A content with one to four things wrong with it."""
    for _ in range(rng.randint(1, 4)):
        change = rng.choice(_CHANGES)
        content = change(content, rng)
    return content


def _place(content: bytes, rng: random.Random) -> int:
    """Somewhere, and mostly where the headers are: near the beginning or the end."""
    last = max(0, len(content) - 1)
    where = rng.random()
    if where < 0.5:
        return rng.randint(0, min(last, _HEAD))
    return rng.randint(max(0, last - _HEAD), last) if where < 0.8 else rng.randint(0, last)


def _put(content: bytes, at: int, piece: bytes, over: int) -> bytes:
    return content[:at] + piece + content[at + over :]


def _flip(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return _put(content, at, bytes([(content[at] if content else 0) ^ 1 << rng.randint(0, 7)]), 1)


def _number(content: bytes, rng: random.Random) -> bytes:
    width = rng.choice((1, 2, 4, 8))
    value = rng.choice(_NUMBERS) & (1 << 8 * width) - 1
    return _put(content, _place(content, rng), value.to_bytes(width, rng.choice(("big", "little"))), width)


def _text(content: bytes, rng: random.Random) -> bytes:
    return _put(content, _place(content, rng), rng.choice(_TEXTS + _MORE_TEXTS), rng.choice((0, 0, 1, 8)))


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: _place(content, rng)]


def _drop(content: bytes, rng: random.Random) -> bytes:
    return _put(content, _place(content, rng), b"", rng.choice((1, 2, 4, 16, 200)))


def _repeat(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return _put(content, at, content[at : at + rng.choice((1, 4, 8, 64, 500))] * rng.choice((1, 2, 20)), 0)


def _value(content: bytes, rng: random.Random) -> bytes:
    """Another value somewhere in the JSON of one line; other text is damaged as bytes."""
    lines = content.split(b"\n")
    number = rng.randrange(len(lines))
    try:
        parsed = json.loads(lines[number])
    except (ValueError, RecursionError):
        return _flip(content, rng)
    lines[number] = json.dumps(_elsewhere(parsed, rng)).encode()
    return b"\n".join(lines)


def _elsewhere(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict | list) and value and rng.random() < 0.85:
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        value[key] = _elsewhere(value[key], rng)
        return value
    return rng.choice(_VALUES + _MORE_VALUES)


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...]
_CHANGES = (_flip, _number, _number, _text, _cut, _drop, _repeat, _value, _value)
