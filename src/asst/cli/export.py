"""``asst export``: a trained network for ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asst.cli.options import argument


def export(
    checkpoint: Annotated[Path, argument("CHECKPOINT", "A .safetensors file that asst train wrote, of any method.")],
    out: Annotated[Path, argument("OUT.onnx", "What is written.")],
) -> None:
    """Write a trained method as a network that runs without PyTorch: asst locate --model OUT.onnx."""
    from asst.training.export import export_checkpoint

    description = export_checkpoint(checkpoint, out)
    use = (
        f"detect VIDEO --checkpoint {out}"
        if "labels" in description.settings
        else f"locate VIDEO SENTENCE --model {out}"
    )
    typer.echo(f"wrote {out} ({description.method}), which runs without PyTorch: asst {use}")
