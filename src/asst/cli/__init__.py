"""The command line: each verb parses its options, makes one call to the library and hands the result to one writer."""

from __future__ import annotations

import ctypes
import os
import sys

# glibc's M_MMAP_THRESHOLD.
_MAPPED_FROM = -3


def main() -> None:
    """Run ``asst`` on the process's arguments and exit."""
    # PyTorch's threads wait for each other awake. Where anything else takes a core, each of many small operations then
    # lasts as long as the other's turn, and all is many times slower. It is read when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        # glibc learns to keep what large arrays leave: a fifth more memory. Told a size, it gives them back.
        mallopt(_MAPPED_FROM, 2**17)
    from asst.cli.app import run

    run()
