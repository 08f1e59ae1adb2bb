"""Figures for a person at a terminal: rows under headings, with a title above and notes below."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from asst.outputs.printable import printable

_WIDEST = 10_000


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of text: a title above it, a heading a column, as many cells in each row, and notes below.

    Line breaks in a heading make more rows of headings, which stand at the bottom. So many of the first columns hold
    ``words``, and stand left; the others hold figures, and stand right.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    words: int = 1


@contextmanager
def console_of(stream: TextIO) -> Iterator[Console]:
    """Lends a console, and writes to the stream at the end: the console would end the process at a closed pipe."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        yield console
    # rich fills every line up to its width; a file or a pipe has no use for that.
    stream.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))


def fit(console: Console, table: Table, *, whole: bool = False) -> None:
    """Widen a console until it holds every word of a table, or with ``whole`` every cell, however narrow the terminal.

    A narrower one would have them cut off or parted.
    """
    needed = Measurement.get(console, console.options.update(max_width=_WIDEST), table)
    console.width = max(console.width, needed.maximum if whole else needed.minimum)


def write_grids(grids: Iterable[Grid], stream: TextIO) -> None:
    """Write the grids in order, a blank line between two; no cell is cut or folded, however narrow the terminal."""
    with console_of(stream) as console:
        for number, grid in enumerate(grids):
            table = _table(grid)
            if number:
                console.print()
            console.print(Text(printable(grid.title), style="bold"), soft_wrap=True)
            fit(console, table, whole=True)
            console.print(table)
            for note in grid.notes:
                console.print(Text(printable(note), style="dim"), soft_wrap=True)


def write_csv(grids: Iterable[Grid], stream: TextIO) -> None:
    """Write the grids as CSV, each row after the title of its grid; notes are left out."""
    rows = csv.writer(stream, lineterminator="\n")
    for grid in grids:
        rows.writerow(["table", *(heading.replace("\n", " ") for heading in grid.headings)])
        rows.writerows([grid.title, *row] for row in grid.rows)


def write_latex(grids: Iterable[Grid], stream: TextIO) -> None:
    """Write the grids as LaTeX tables with the rules of booktabs, their notes as comments."""
    for grid in grids:
        columns = "l" * grid.words + "r" * (len(grid.headings) - grid.words)
        cells = [[heading.replace("\n", " ") for heading in grid.headings], *grid.rows]
        first, *others = (" & ".join(map(_latex, row)) + r" \\" for row in cells)
        body = "\n".join([r"\toprule", first, r"\midrule", *others, r"\bottomrule"])
        notes = "".join(f"% {note}\n" for note in grid.notes)
        stream.write(
            f"\\begin{{table}}\n\\caption{{{_latex(grid.title)}}}\n\\begin{{tabular}}{{{columns}}}\n"
            f"{body}\n\\end{{tabular}}\n\\end{{table}}\n{notes}"
        )


_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
}


def _latex(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _table(grid: Grid) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(grid.headings):
        table.add_column(
            Text(heading), justify="left" if place < grid.words else "right", no_wrap=True, vertical="bottom"
        )
    for row in grid.rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
