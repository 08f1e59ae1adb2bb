"""The shots of a video, for a program (one JSON object a video) and for a person. docs/formats.md has the schema."""

from __future__ import annotations

from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from asst.moments import Answer, format_time
from asst.outputs.grid import fit
from asst.outputs.printable import printable
from asst.outputs.table import print_captured


def shots_record(answer: Answer) -> dict[str, Any]:
    """The shots of one video as their JSON object."""
    shots = [{"start_s": float(shot.start_s), "end_s": float(shot.end_s)} for shot in answer.moments]
    return {"video": answer.video, "duration_s": float(answer.duration_s), "shots": shots}


def write_shots_table(answer: Answer, stream: TextIO) -> None:
    """Write the shots of one video as a table, their times in seconds to a millisecond."""
    count = len(answer.moments)
    title = f"{printable(answer.video)}: {count} shot{'s' * (count != 1)} in {format_time(answer.duration_s)}"
    print_captured(stream, title, lambda console: _table(answer, console))


def _table(answer: Answer, console: Console) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "at", "start", "end", "length"):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, shot in enumerate(answer.moments, start=1):
        seconds = (f"{time_s:.3f}" for time_s in (shot.start_s, shot.end_s, shot.duration_s))
        table.add_row(str(number), format_time(shot.start_s), *seconds)
    fit(console, table)
    return table
