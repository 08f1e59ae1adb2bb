"""What freed arrays leave with the process, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
from asst import memory
getattr(memory, sys.argv[1])()
def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = resident_mb()
arrays = [np.ones(2**20) for _ in range(12)]
del arrays
print(resident_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told")
@pytest.mark.parametrize(("told", "least", "most"), [("give_back", -5, 10), ("hold", 90, 130)])
def test_a_hundred_megabytes_are_given_back_or_held(told: str, least: float, most: float) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, told], capture_output=True, text=True, check=True)
    assert least < float(done.stdout) < most
