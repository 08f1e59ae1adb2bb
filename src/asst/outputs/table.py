"""Tables for a person at a terminal: of answers, with a bar that shows where each moment lies; of figures, in grids."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TextIO

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from asst.moments import Answer, Moment, format_time, shown_score
from asst.outputs.printable import printable

_BAR_WIDEST = 60
_BAR_NARROWEST = 10
_OTHER_COLUMNS = 40
_WIDEST = 10_000


def write_table(answers: Iterable[Answer], stream: TextIO, *, every: bool = False) -> None:
    """Write one table a sentence, in order; of moments in several videos a table a video.

    A terminal gets colour and block characters; a pipe or a file gets plain ASCII around the sentences. With ``every``
    the weaker moments are shown too; else they are counted, and the best is shown where nothing was found.
    """
    with console_of(stream) as console:
        for number, answer in enumerate(answers):
            if number:
                console.print()
            title = Text(_heading(answer, every=every) if answer.moments else nothing_found(answer))
            console.print(title, style="bold" if answer.moments else None, soft_wrap=True)
            durations_s, rank = {own.video: own.duration_s for own in answer.by_video}, 1
            shown = answer.shown(every=every)
            for video, group in groupby(shown, key=lambda moment: "" if answer.video else moment.video or ""):
                own = list(group)
                if durations_s:
                    console.print(Text(printable(video)), soft_wrap=True)
                duration_s = durations_s.get(video, answer.duration_s)
                console.print(_moments(own, duration_s, console, rank=rank, found=len(answer.moments)))
                rank += len(own)


def write_detections_table(answer: Answer, stream: TextIO) -> None:
    """Write the actions found in one video as a table with a bar that shows where each lies, or that there are none."""
    title = f"{printable(answer.video)}: {len(answer.moments)} actions in {format_time(answer.duration_s)}"
    with console_of(stream) as console:
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(_moments(answer.moments, answer.duration_s, console))


def write_shots_table(answer: Answer, stream: TextIO) -> None:
    """Write the shots of one video as a table, their times in seconds to a millisecond."""
    count = len(answer.moments)
    rows = [
        [str(number), format_time(own.start_s), *(f"{t:.3f}" for t in (own.start_s, own.end_s, own.duration_s))]
        for number, own in enumerate(answer.moments, start=1)
    ]
    title = f"{answer.video}: {count} shot{'s' * (count != 1)} in {format_time(answer.duration_s)}"
    write_grids([Grid(title, ["", "at", "start", "end", "length"], rows, words=0)], stream)


def _heading(answer: Answer, *, every: bool) -> str:
    """The line for a sentence that moments answer, with how many there are where weaker ones are folded.

    >>> found, weaker = (Moment(0, 1, 0.9),), (Moment(2, 3, 0.1), Moment(4, 5, 0.1))
    >>> _heading(Answer("a.mp4", "a dog", 10.0, "m", found, weaker=weaker), every=False)
    'a dog: 1 found, 2 weaker (--all)'
    """
    folded = "" if every or not answer.weaker else f": {len(answer.moments)} found, {len(answer.weaker)} weaker (--all)"
    return f"{printable(answer.query)}{folded}"


def nothing_found(answer: Answer) -> str:
    """The line for a sentence that no moment answers, with the best score and the threshold where they are known.

    >>> nothing_found(Answer("a.mp4", "a penguin", 10.0, "similarity", moments=(), threshold=0.3))
    'a penguin: nothing found (threshold 0.300)'
    """
    known = []
    if answer.best_score is not None:
        known.append(f"best score {answer.best_score:.3f}")
    if answer.threshold is not None:
        known.append(f"threshold {answer.threshold:.3f}")
    return f"{printable(answer.query)}: nothing found" + (f" ({', '.join(known)})" if known else "")


def not_understood(query: str) -> str:
    """The line beside what was found for a sentence of which no word is known.

    >>> not_understood("of the")
    'of the: no word of this is understood, so what is found is a guess; describe it in English'
    """
    return f"{printable(query)}: no word of this is understood, so what is found is a guess; describe it in English"


def _moments(
    moments: Sequence[Moment], duration_s: float, console: Console, *, rank: int = 1, found: int | None = None
) -> Table:
    """Moments of a video, numbered from ``rank`` on, each with a bar of the video; those past ``found`` are dim."""
    plain = not console.is_terminal or console.options.ascii_only
    width = min(_BAR_WIDEST, max(_BAR_NARROWEST, console.width - _OTHER_COLUMNS))
    labelled = any(moment.label is not None for moment in moments)
    words = any(moment.said or moment.confidence for moment in moments)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", justify="right")
    for heading in ("start", "end", *([""] if words else []), "score"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    # The bar's heading: the first and the last instant of the video, at the bar's two ends.
    first, last = format_time(0.0), format_time(duration_s)
    ends = first + last.rjust(width - len(first)) if len(first) + len(last) < width else last.rjust(width)
    table.add_column(ends, no_wrap=True)
    if labelled:
        table.add_column("label")
    for place, moment in enumerate(moments, start=rank):
        times = [str(place), format_time(moment.start_s), format_time(moment.end_s)]
        cells = [*times, *([moment.said or moment.confidence or ""] if words else []), shown_score(moment.score)]
        label = [Text(printable(moment.label or ""))] if labelled else []
        style = "dim" if found is not None and place > found else "bold" if place == 1 else None
        table.add_row(*map(Text, cells), _bar(moment, duration_s, width, plain=plain), *label, style=style)
    fit(console, table)
    return table


def _bar(moment: Moment, duration_s: float, width: int, *, plain: bool) -> Text:
    """``width`` cells from the video's start to its end; a moment fills one at least."""
    first = min(width - 1, round(moment.start_s / duration_s * width))
    last = min(width, max(first + 1, round(moment.end_s / duration_s * width)))
    rest, filled = (".", "#") if plain else ("\N{MIDDLE DOT}", "\N{FULL BLOCK}")
    return Text.assemble((rest * first, "dim"), (filled * (last - first), "green"), (rest * (width - last), "dim"))


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
            table = Table(box=None, pad_edge=False, header_style="dim")
            for place, heading in enumerate(grid.headings):
                side: Literal["left", "right"] = "left" if place < grid.words else "right"
                table.add_column(Text(heading), justify=side, no_wrap=True, vertical="bottom")
            for row in grid.rows:
                table.add_row(*(Text(printable(cell)) for cell in row))
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
