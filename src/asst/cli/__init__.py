"""The command line: each verb parses its options, makes one call to the library and hands the result to one writer."""

from __future__ import annotations

import os

from asst.memory import give_back


def main() -> None:
    """Run ``asst`` on the process's arguments and exit."""
    # PyTorch's threads wait for each other awake. Where anything else takes a core, each of many small operations then
    # lasts as long as the other's turn, and all is many times slower. It is read when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    give_back()
    from asst.cli.app import run

    run()
