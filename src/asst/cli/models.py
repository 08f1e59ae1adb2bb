"""``asst models``: what can be named with ``--model``, and ``asst models get``: what of it is fetched."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from asst.cli.verb import Verb
from asst.outputs.printable import printable

app = typer.Typer(name="models", invoke_without_command=True)


@app.callback()
def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a model.")] = False,
    devices: Annotated[
        bool, typer.Option("--devices", help="Print what networks can be computed on here instead, the best first.")
    ] = False,
) -> None:
    """List the models that --model can name, and fetch those that are not packaged: asst models get NAME."""
    if context.invoked_subcommand is not None:
        return
    if devices:
        from asst.features.runtime import device_lines

        typer.echo("\n".join(device_lines()))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from asst.outputs.grid import fit

    records = _records()
    if as_json:
        for record in records:
            typer.echo(json.dumps(record, allow_nan=False))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("name", no_wrap=True)
    table.add_column("summary", overflow="fold")
    table.add_column("here", no_wrap=True)
    for record in records:
        here = "yes" if record["here"] else "no"
        table.add_row(Text(record["name"], style="bold"), Text(record["summary"]), here)
    console = Console(file=sys.stdout, highlight=False)
    fit(console, table)
    with console.capture() as capture:
        console.print(table)
    told = (
        "" if all(record["here"] for record in records) else "\nwhat is not here is fetched by: asst models get NAME\n"
    )
    sys.stdout.write(capture.get() + told)


@app.command(cls=Verb)
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model that asst models lists.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fetch a model from the Hugging Face hub into the folder of ASST_WEIGHTS, or of the user's data without it.

    Each file is checked against the size and hash that the hub states. What was cut off is gone on with. HF_ENDPOINT
    names another hub, and with HF_HUB_OFFLINE nothing is fetched.

    Exit codes: 0 when it is there and whole, 2 when it could not be fetched.
    """
    from asst.cli.progress import fetching
    from asst.features.image_text.hub import fetch, image_text_named

    model = image_text_named(name)
    with fetching(name) as progress:
        manifest = fetch(model, progress)
    if as_json:
        files = {path: stated.size for path, stated in manifest.files.items()}
        told = {"name": name, "folder": str(model.place), "repository": manifest.repository, "files": files}
        typer.echo(json.dumps({**told, "revision": manifest.revision}, allow_nan=False))
        return
    size = sum(stated.size for stated in manifest.files.values())
    typer.echo(
        f"{name} is in {printable(str(model.place))}: {len(manifest.files)} files, {size / 1e6:.1f} MB, "
        f"{manifest.repository} at {manifest.revision[:12]}, as the hub states them"
    )


def _records() -> list[dict[str, Any]]:
    """What is known of each model; fit for JSON."""
    from asst.features.image_text.hub import IMAGE_TEXT
    from asst.features.weights import weights_home
    from asst.models import MODELS

    records: list[dict[str, Any]] = []
    for entry in MODELS.values():
        record: dict[str, Any] = {"name": entry.name, "summary": entry.summary}
        if model := IMAGE_TEXT.get(entry.name):
            kept = {"repository": model.repository, "megabytes": model.megabytes, "licence": model.licence}
            record |= {"here": model.here, **kept, "dimension": model.dimension}
        else:
            record["here"] = entry.name != "clip" or (weights_home() / "clip" / "config.json").is_file()
        records.append(record)
    return records
