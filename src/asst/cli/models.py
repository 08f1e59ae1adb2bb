"""``asst models``: what can be named with ``--model``, and ``asst models get``: what of it is fetched."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from asst.cli import options
from asst.cli.options import Verb, argument, option, print_grid, print_json
from asst.errors import counted
from asst.outputs.printable import printable

app = typer.Typer(name="models", invoke_without_command=True)


@app.callback()
def models(
    context: typer.Context,
    as_json: options.Json = False,
    devices: Annotated[
        bool, option("--devices", "Print what networks can be computed on here instead, the best first.")
    ] = False,
) -> None:
    """List the models that --model can name, and fetch those that are not packaged: asst models get NAME."""
    if context.invoked_subcommand is not None:
        return
    if devices:
        from asst.features.runtime import device_lines

        typer.echo("\n".join(device_lines()))
        return
    from asst.features.image_text.hub import IMAGE_TEXT
    from asst.features.weights import weights_home
    from asst.models import MODELS

    records: list[dict[str, Any]] = []
    for entry in MODELS.values():
        record: dict[str, Any] = {"name": entry.name, "summary": entry.summary}
        if model := IMAGE_TEXT.get(entry.name):
            record |= {key: getattr(model, key) for key in ("here", "repository", "megabytes", "licence", "dimension")}
        else:
            record["here"] = entry.name != "clip" or (weights_home() / "clip" / "config.json").is_file()
        records.append(record)
    if as_json:
        print_json(records)
        return
    rows = [[record["name"], record["summary"], "yes" if record["here"] else "no"] for record in records]
    notes = (
        [] if all(record["here"] for record in records) else ["what is not here is fetched by: asst models get NAME"]
    )
    print_grid("models", ["name", "summary", "here"], rows, notes, words=3)


@app.command(cls=Verb)
def get(
    name: Annotated[str, argument("NAME", "A model that asst models lists.")], as_json: options.Json = False
) -> None:
    """Fetch a model from the Hugging Face hub into the folder of ASST_WEIGHTS, or of the user's data without it.

    Each file is checked against the size and hash that the hub states. What was cut off is gone on with. HF_ENDPOINT
    names another hub, and with HF_HUB_OFFLINE nothing is fetched.

    Exit codes: 0 when it is there and whole, 2 when it could not be fetched.
    """
    from rich.progress import DownloadColumn, TransferSpeedColumn

    from asst.cli.progress import counting
    from asst.features.image_text.hub import fetch, image_text_named

    model = image_text_named(name)
    with counting(name, DownloadColumn(), TransferSpeedColumn()) as progress:
        manifest = fetch(model, progress)
    if as_json:
        files = {path: stated.size for path, stated in manifest.files.items()}
        told = {"name": name, "folder": str(model.place), "repository": manifest.repository, "files": files}
        print_json([told | {"revision": manifest.revision}])
        return
    size = sum(stated.size for stated in manifest.files.values())
    typer.echo(
        f"{name} is in {printable(str(model.place))}: {counted(len(manifest.files), 'file')}, {size / 1e6:.1f} MB, "
        f"{manifest.repository} at {manifest.revision[:12]}, as the hub states them"
    )
