"""Answers as one PNG: for each sentence, or video, the score curve, the spans found and a time axis."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asst.atomic import check_destination, moved_into_place
from asst.errors import InputError
from asst.extras import require
from asst.outputs.report.drawing import headings, tick_label, ticks_s

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from asst.moments import Answer

SENTENCES_MOST = 100
"""Sentences in one plot; the renderer has a limit on the height of an image."""

_WIDTH_INCHES = 9.0
_ROW_INCHES = 1.9
_DOTS_PER_INCH = 120
_BEST, _OTHER, _LINE, _THRESHOLD = "#0b7a75", "#8fb8b5", "#26323a", "#b4532a"


def check_plot(sentences: int) -> None:
    """Refuse more sentences than ``SENTENCES_MOST``, and to draw without the extra ``plot``, by an `InputError`."""
    require("plot", "a plot")
    if sentences > SENTENCES_MOST:
        raise InputError(f"a plot holds at most {SENTENCES_MOST} sentences, not {sentences}; ask fewer at a time")


def write_plot(answers: Sequence[Answer], out: Path) -> None:
    """Draw one row an answer, in order, and write a ``.png`` file.

    Raises an `InputError` when ``out`` cannot be written or there are more than ``SENTENCES_MOST`` sentences, and a
    `ValueError` for no answers.
    """
    if not answers:
        raise ValueError("a plot needs one answer at least")
    check_destination(out, ".png")
    check_plot(len(answers))
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_INCHES, _ROW_INCHES * len(answers)), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    rows = figure.subplots(len(answers), squeeze=False)[:, 0]
    for axes, answer, heading in zip(rows, answers, headings(answers), strict=True):
        _draw(axes, answer, heading)
    named = {text: handle for axes in rows for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside lower right", ncols=4, fontsize=8, frameon=False)
    with warnings.catch_warnings(), moved_into_place(out) as path:
        # A sentence in a script that the font lacks is drawn with boxes; that is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        canvas.print_figure(path, dpi=_DOTS_PER_INCH, format="png")


def _draw(axes: Axes, answer: Answer, heading: str) -> None:
    short = textwrap.shorten(heading, 100, placeholder=" ...")
    title = axes.set_title(short if answer.moments else f"{short}: nothing found", loc="left", fontsize=10)
    title.set_parse_math(False)
    # Drawn from the weakest up, so that the best lies on top.
    for rank, moment in sorted(enumerate(answer.moments), reverse=True):
        best = rank == 0
        look = (_BEST, 0.45, "best moment") if best else (_OTHER, 0.25, "other moments")
        axes.axvspan(moment.start_s, moment.end_s, color=look[0], alpha=look[1], lw=0, label=look[2])
        middle_s = (moment.start_s + moment.end_s) / 2
        label = f"{rank + 1}\n{moment.score:.2f}"
        axes.text(middle_s, 0.97, label, fontsize=8, ha="center", va="top", transform=axes.get_xaxis_transform())
    if answer.curve is not None:
        axes.plot(answer.curve.times_s, answer.curve.scores, color=_LINE, lw=1.3, label="score")
    if answer.threshold is not None:
        axes.axhline(answer.threshold, color=_THRESHOLD, lw=1.0, ls="--", label="threshold")
    ticks = ticks_s(answer.duration_s)
    axes.set_xticks(ticks, [tick_label(tick) for tick in ticks])
    axes.set_xlim(0.0, answer.duration_s)
    axes.set_ylabel("score", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
