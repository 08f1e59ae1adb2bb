"""How long the first stage of a library's search takes: one array mapped into memory, against LanceDB's own search.

Both are exact and read the same half-precision vectors of the library's width; both are asked the same sentences' worth
of random vectors, after one that is not timed. Of LanceDB the 8,192 best are asked, of the array all products, and the
order of the parts that follows from either. What both pick first must be the same.

Run: ``python benchmarks/library_search.py [--vectors 200000 1000000] [--asked 10]``
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from asst.features.zeroshot.space import CROPS
from asst.library.engine import DIMENSION, Identity
from asst.library.library import Library
from asst.library.matrix import matrix_of
from asst.library.search import Part, parts_by_match
from asst.library.tables import Rows, Tables
from asst.library.windows import WindowVectors, windows_of

STEP_S = 0.5
VIDEO_S = 3600
NEAREST = 8192
FIRST_PARTS = 10

Sentence = npt.NDArray[np.float32]


def filled(folder: Path, vectors: int, draw: np.random.Generator) -> Library:
    """A library of hour-long videos whose windows are random."""
    library = Library.made(folder, Identity("random", "random", "", "", "", DIMENSION))
    spans, parts = (np.repeat(rows, CROPS, axis=0) for rows in windows_of(round(VIDEO_S / STEP_S), STEP_S))
    left, number = vectors, 0
    while left > 0:
        rows = min(left, len(spans))
        seen = draw.normal(size=(rows, DIMENSION)).astype(np.float16)
        library.tables.put_windows(f"{number:032x}", WindowVectors(spans[:rows], parts[:rows], seen))
        left, number = left - rows, number + 1
    library.tables.tidy()
    return library


def nearest(tables: Tables, sentence: Sentence) -> tuple[Rows, Sentence]:
    """The windows that match best, and their products, by LanceDB; its distance is one less the product."""
    asked: Any = tables._windows.search(sentence, vector_column_name="vector")
    found = asked.distance_type("dot").limit(NEAREST).to_arrow().combine_chunks()
    return tables._rows(found), 1 - found["_distance"].to_numpy()


def timed(ask: Callable[[Sentence], list[Part]], sentences: list[Sentence]) -> tuple[float, list[list[Part]]]:
    """The median of the milliseconds that a sentence takes, and what was picked first."""
    ask(sentences[0])
    took, picked = [], []
    for sentence in sentences:
        started = time.perf_counter()
        parts = ask(sentence)
        took.append((time.perf_counter() - started) * 1000)
        picked.append(parts[:FIRST_PARTS])
    return float(np.median(took)), picked


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--vectors", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--asked", type=int, default=10)
    options = parser.parse_args()
    table = Table(title=f"first stage, {DIMENSION} numbers a vector; median of {options.asked} sentences")
    for heading in ("vectors", "hours of video", "array, ms", "LanceDB, ms", "ratio", "making the array, s"):
        table.add_column(heading, justify="right")
    draw = np.random.default_rng(0)
    hour = CROPS * len(windows_of(round(VIDEO_S / STEP_S), STEP_S)[0])
    for vectors in options.vectors:
        with tempfile.TemporaryDirectory() as folder:
            library = filled(Path(folder) / "library", vectors, draw)
            started = time.perf_counter()
            matrix = matrix_of(library)
            made_s = time.perf_counter() - started
            sentences = [draw.normal(size=DIMENSION).astype(np.float32) for _ in range(options.asked)]
            tables = library.tables
            array_ms, by_array = timed(
                lambda s, m=matrix: parts_by_match(m.rows, m.products(s)),  # type: ignore[misc]
                sentences,
            )
            lance_ms, by_lance = timed(
                lambda s, t=tables: parts_by_match(*nearest(t, s)),  # type: ignore[misc]
                sentences,
            )
            if by_array != by_lance:
                Console(stderr=True).print("the two do not pick the same parts first")
            cells = (f"{vectors / hour:.0f}", f"{array_ms:.1f}", f"{lance_ms:.1f}", f"{lance_ms / array_ms:.1f}")
            table.add_row(f"{vectors:,}", *cells, f"{made_s:.1f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
