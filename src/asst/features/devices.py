"""Which number format and device run a network fastest here."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

from asst.features.runtime import DEVICE

if TYPE_CHECKING:
    import torch

_SIZE = 384
_ROUNDS = 5
# What PyTorch calls processors that emulate ``bfloat16``.
_WITHOUT_HALF = frozenset({"DEFAULT", "NO AVX", "AVX2"})


@cache
def fastest_device() -> str:
    """``cuda`` where PyTorch has one and ``ASST_DEVICE`` names no other, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() and os.environ.get(DEVICE, "cuda") == "cuda" else "cpu"


@cache
def fastest_dtype() -> torch.dtype:
    """``bfloat16`` where it multiplies matrices faster than ``float32``, else ``float32``.

    Measured once a process, in a few milliseconds: processors with the instructions gain several times, others lose.
    Those that cannot have them are not measured, as one product takes a third of a second there.
    """
    import torch

    if fastest_device() == "cpu" and torch.backends.cpu.get_cpu_capability() in _WITHOUT_HALF:
        return torch.float32

    def seconds(dtype: torch.dtype) -> float:
        a = torch.ones(_SIZE, _SIZE, dtype=dtype, device=fastest_device())
        best = float("inf")
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            (a @ a)[0, 0].item()
            best = min(best, time.perf_counter() - start)
        return best

    return torch.bfloat16 if seconds(torch.bfloat16) < seconds(torch.float32) else torch.float32


def precision_name() -> str:
    """What `fastest_dtype` is called in the header of features: ``bfloat16`` or ``float32``."""
    return str(fastest_dtype()).removeprefix("torch.")
