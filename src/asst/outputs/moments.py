"""Moments of many videos: JSON lines, one a moment, and a table. docs/formats.md states the schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from asst.moments import Moment, format_time
from asst.outputs.grid import fit
from asst.outputs.json_lines import write_lines
from asst.outputs.printable import printable


def write_moments_json(moments: Iterable[Moment], stream: TextIO, *, found: bool, understood: bool) -> None:
    """Write one line a moment, in order; as `found_record`. Only ASCII is written, so every stream can take it."""
    write_lines((found_record(moment, found=found, understood=understood) for moment in moments), stream)


def found_record(moment: Moment, *, found: bool, understood: bool) -> dict[str, Any]:
    """A moment of one of many videos as its JSON object.

    Args:
        moment: as above.
        found: whether it is convincing; else it is a guess.
        understood: whether a word of the sentence is known.
    """
    return {
        "video": moment.video,
        "query": moment.query,
        "start_s": float(moment.start_s),
        "end_s": float(moment.end_s),
        "score": float(moment.score),
        "found": found,
        "understood": understood,
    }


def write_moments_table(moments: Iterable[Moment], stream: TextIO, *, found: bool = True) -> None:
    """Write a table with a row a moment, in order, dim for guesses; paths are never cut short."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", justify="right")
    for heading in ("start", "end", "score"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("video", overflow="fold")
    for rank, moment in enumerate(moments, start=1):
        times = (Text(format_time(seconds)) for seconds in (moment.start_s, moment.end_s))
        cells = (*times, Text(f"{moment.score:.3f}"), Text(printable(moment.video or "")))
        table.add_row(Text(str(rank)), *cells, style="bold" if rank == 1 else None)
    # Captured, because the console itself would end the process where it meets a closed pipe.
    fit(console, table)
    with console.capture() as capture:
        console.print(table, style="" if found else "dim")
    stream.write(capture.get())
