"""The command line: each verb parses its options, makes one call to the library and hands the result to one writer."""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


def main() -> None:
    """Run ``asst`` on the process's arguments and exit."""
    try:
        _run()
    except (KeyboardInterrupt, ImportError) as error:
        # Modules were being loaded; compiled ones make an ImportError of it.
        if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        sys.exit(INTERRUPTED)


def _run() -> None:
    # PyTorch's threads wait for each other awake. Where anything else takes a core, each of many small operations then
    # lasts as long as the other's turn, and all is many times slower. It is read when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Of an export PyTorch warns of what was tested, in its own terms.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    # What loads modules may lose an exception. Until the verb begins Ctrl-C ends the process, and nothing is at stake.
    taken = signal.getsignal(signal.SIGINT)
    if taken is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from asst.memory import give_back

    give_back()
    from asst.cli.app import run

    signal.signal(signal.SIGINT, taken)
    run()
