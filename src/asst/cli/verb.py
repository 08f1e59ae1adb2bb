"""What every verb of the command line has in common."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from asst.extras import VERBS, install, require
from asst.local import check_ends

Rows = Sequence[Sequence[str]]

_WHOLE = 1000
"""Letters of a line that is wrapped and not cut."""


class Verb(TyperCommand):
    """Refuses, before the verb begins, files that are none, and to begin without the extra that the verb needs."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        if name in VERBS:
            settings["epilog"] = f"Needs: {install(VERBS[name])}"
        super().__init__(name, **settings)

    def get_short_help_str(self, limit: int = 45) -> str:
        """What the list of verbs says of it, with the extra that it needs."""
        return with_extra(self.name or "", super().get_short_help_str(_WHOLE))

    def invoke(self, ctx: Any) -> Any:
        """Run the verb, without pipes, sockets and devices among its files, and with the extra that it needs."""
        for value in ctx.params.values():
            for path in value if isinstance(value, list | tuple) else (value,):
                if isinstance(path, Path):
                    check_ends(path)
        verb = " ".join(ctx.command_path.split()[1:2])
        if verb in VERBS:
            require(VERBS[verb], f"asst {verb}")
        return super().invoke(ctx)


def print_json(records: Iterable[dict[str, Any]]) -> None:
    """One object a line, to standard output."""
    from asst.outputs.json_lines import as_lines

    typer.echo(as_lines(records), nl=False)


def print_grid(title: str, headings: Sequence[str], rows: Rows, notes: Sequence[str] = (), words: int = 1) -> None:
    """One table to standard output, as `asst.outputs.grid.Grid` has it."""
    from asst.outputs.grid import Grid, write_grids

    write_grids([Grid(title, headings, rows, notes, words)], sys.stdout)


def tell(line: str) -> None:
    """Say something on standard error."""
    typer.echo(line, err=True)


def with_extra(verb: str, summary: str) -> str:
    """A line about a verb, with the extra that it needs."""
    return f"{summary.removesuffix('.')} (extra: {VERBS[verb]})." if verb in VERBS else summary
