"""What the C library does with memory that is freed: glibc keeps or gives back as it has learnt, unless it is told."""

from __future__ import annotations

import ctypes
import sys

# What glibc's `mallopt` calls them.
_TRIM_THRESHOLD, _MAPPED_FROM, _MMAP_MAX = -1, -3, -4


def give_back() -> None:
    """Arrays of 128 KB and more go back to the system as they are freed; else a fifth more is held."""
    _tell(_MAPPED_FROM, 2**17)


def hold() -> None:
    """What is freed is held for the next step of a training.

    Else activations are mapped anew at each step, and every page of them costs a fault: half of a step's time.
    """
    _tell(_MMAP_MAX, 0)
    _tell(_TRIM_THRESHOLD, 2**31 - 1)


def _tell(what: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(what, value)
