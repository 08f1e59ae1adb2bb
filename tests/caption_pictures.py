"""Generated pictures of coloured shapes with sentences about them, as Parquet files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

COLOURS = {"red": (220, 30, 30), "green": (30, 190, 40), "blue": (40, 60, 230), "yellow": (240, 220, 40)}
SHAPES = ("circle", "square", "stripe")
SCHEMA = pa.schema(
    [
        ("set", pa.string()),
        ("id", pa.string()),
        ("frame", pa.int64()),
        ("group", pa.string()),
        ("image", pa.binary()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("sentences", pa.list_(pa.string())),
        ("labels", pa.list_(pa.string())),
    ]
)


def picture(colour: str, shape: str, seed: int, size: tuple[int, int] = (80, 60)) -> bytes:
    """An encoded picture of one shape on a grey ground, at a place that the seed draws."""
    random = np.random.default_rng(seed)
    drawn = Image.new("RGB", size, (90, 90, 90))
    pen = ImageDraw.Draw(drawn)
    left, top = (int(random.integers(4, 24)) for _ in range(2))
    box = (left, top, left + 32, top + 32)
    if shape == "circle":
        pen.ellipse(box, fill=COLOURS[colour])
    elif shape == "square":
        pen.rectangle(box, fill=COLOURS[colour])
    else:
        pen.rectangle((0, top, size[0], top + 12), fill=COLOURS[colour])
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


def row(colour: str, shape: str, seed: int, **changes: Any) -> dict[str, Any]:
    """A row about such a picture."""
    values = {
        "set": "shapes",
        "id": f"{colour}-{shape}-{seed}",
        "frame": 0,
        "group": f"group-{colour}-{shape}-{seed}",
        "image": picture(colour, shape, seed, (80, 60) if seed % 2 else (60, 60)),
        "width": 80 if seed % 2 else 60,
        "height": 60,
        "sentences": [f"A {colour} {shape}.", f"the {shape} is {colour}"],
        "labels": [],
    }
    return {**values, **changes}


def shapes(seeds: range) -> list[dict[str, Any]]:
    """Every colour and shape, once a seed."""
    return [row(colour, shape, seed) for seed in seeds for colour in COLOURS for shape in SHAPES]


def write(folder: Path, rows: list[dict[str, Any]], name: str = "part0.parquet", schema: pa.Schema = SCHEMA) -> Path:
    """A file of rows."""
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / name, row_group_size=8)
    return folder
