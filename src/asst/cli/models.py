"""``asst models``: what can be named with ``--model``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a model.")] = False,
) -> None:
    """List the models that --model can name."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from asst.models import MODELS
    from asst.outputs.grid import fit

    if as_json:
        for entry in MODELS.values():
            typer.echo(json.dumps({"name": entry.name, "summary": entry.summary}, allow_nan=False))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("name", no_wrap=True)
    table.add_column("summary")
    for entry in MODELS.values():
        table.add_row(Text(entry.name, style="bold"), Text(entry.summary))
    console = Console(file=sys.stdout, highlight=False)
    fit(console, table)
    with console.capture() as capture:
        console.print(table)
    sys.stdout.write(capture.get())
