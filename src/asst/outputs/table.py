"""Answers for a person at a terminal: a table a sentence, with a bar that shows where in the video each moment lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from asst.moments import Answer, Moment, format_time
from asst.outputs.grid import fit
from asst.outputs.printable import printable

_BAR_WIDEST = 60
_BAR_NARROWEST = 10
_OTHER_COLUMNS = 40


def write_table(answers: Iterable[Answer], stream: TextIO) -> None:
    """Write one table a sentence, in order.

    A terminal gets colour and block characters; a pipe or a file gets plain ASCII around the sentences.

    Args:
        answers: what the model said.
        stream: where to write, usually standard output.
    """
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    # Captured, because the console itself would end the process where it meets a closed pipe.
    with console.capture() as capture:
        for number, answer in enumerate(answers):
            if number:
                console.print()
            if answer.moments:
                console.print(Text(printable(answer.query), style="bold"), soft_wrap=True)
                console.print(moments_table(answer.moments, answer.duration_s, console))
            else:
                console.print(Text(nothing_found(answer)), soft_wrap=True)
                if answer.weaker:
                    console.print(moments_table(answer.weaker[:1], answer.duration_s, console), style="dim")
    stream.write(capture.get())


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


def print_captured(stream: TextIO, title: str, table: Callable[[Console], Table]) -> None:
    """Write a title and, below it, a table made for the console that the stream is."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(table(console))
    stream.write(capture.get())


def moments_table(moments: Sequence[Moment], duration_s: float, console: Console) -> Table:
    """Moments in their order, each with a bar of the video; a column of labels where one has a label.

    The console is made as wide as it needs.
    """
    plain = not console.is_terminal or console.options.ascii_only
    width = min(_BAR_WIDEST, max(_BAR_NARROWEST, console.width - _OTHER_COLUMNS))
    labelled = any(moment.label is not None for moment in moments)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", justify="right")
    for heading in ("start", "end", "score"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(_ends(duration_s, width), no_wrap=True)
    if labelled:
        table.add_column("label")
    for rank, moment in enumerate(moments, start=1):
        cells = [
            Text(str(rank)),
            Text(format_time(moment.start_s)),
            Text(format_time(moment.end_s)),
            Text(f"{moment.score:.3f}"),
            _bar(moment, duration_s, width, plain=plain),
        ]
        if labelled:
            cells.append(Text(printable(moment.label or "")))
        table.add_row(*cells, style="bold" if rank == 1 else None)
    fit(console, table)
    return table


def _ends(duration_s: float, width: int) -> str:
    """The bar's heading: the first and the last instant of the video, at the bar's two ends."""
    first, last = format_time(0.0), format_time(duration_s)
    return first + last.rjust(width - len(first)) if len(first) + len(last) < width else last.rjust(width)


def _bar(moment: Moment, duration_s: float, width: int, *, plain: bool) -> Text:
    """``width`` cells from the video's start to its end; a moment fills one at least."""
    first = min(width - 1, round(moment.start_s / duration_s * width))
    last = min(width, max(first + 1, round(moment.end_s / duration_s * width)))
    rest, filled = (".", "#") if plain else ("\N{MIDDLE DOT}", "\N{FULL BLOCK}")
    return Text.assemble((rest * first, "dim"), (filled * (last - first), "green"), (rest * (width - last), "dim"))
