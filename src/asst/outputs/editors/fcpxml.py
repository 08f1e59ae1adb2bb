"""Moments as a project of Final Cut Pro: FCPXML 1.8, in exact fractions of a second.

OpenTimelineIO's adapter for this format knows neither the rates of NTSC nor sources whose time code does not start at
zero, so the few elements that a row of clips needs are in a template.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from asst.outputs.editors.edits import Edit
from asst.outputs.editors.timeline import title_of

if TYPE_CHECKING:
    from jinja2 import Template


def fcpxml_text(edits: Sequence[Edit]) -> str:
    """A project of one sequence, whose clips lie one after the other at the rate of the first one's source.

    Each clip is named by its sentence and carries a marker with it. Where sources have several rates, a clip of another
    one lasts a whole number of the sequence's frames, at least one. There is one clip at least.
    """
    media = list(dict.fromkeys(edit.media for edit in edits))
    shapes = list(dict.fromkeys((one.rate, one.width, one.height) for one in media))
    rate, offset, clips = media[0].rate, 0, []
    for edit in edits:
        frames = max(1, round(edit.frames / edit.media.rate * rate))
        clips.append((edit, offset / rate, frames / rate))
        offset += frames
    template = _template()
    return template.render(title=title_of(edits), media=media, shapes=shapes, clips=clips, duration_s=offset / rate)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(fraction=_fraction, seconds=_seconds)
    return environment.from_string(Path(__file__).with_suffix(".xml").read_text("utf-8"))


def _fraction(time_s: Fraction) -> str:
    return f"{time_s.numerator}/{time_s.denominator}s"


def _seconds(time_s: Fraction) -> str:
    """A time as the format writes it: ``1001/24000s``, and ``5s`` where it is whole."""
    return f"{time_s.numerator}s" if time_s.denominator == 1 else _fraction(time_s)
