"""The command line: each verb parses its options, makes one call to the library and hands the result to one writer."""

from __future__ import annotations


def main() -> None:
    """Run ``asst`` on the process's arguments and exit."""
    from asst.cli.app import run

    run()
