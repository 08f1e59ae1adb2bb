"""Answers as one HTML page that carries everything it shows: it works offline and asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asst.moments import Answer, Moment, format_time
from asst.outputs.chart import PATH_HEIGHT, PATH_WIDTH, Chart, draw
from asst.outputs.destination import check_destination, replacing
from asst.outputs.heat import Heat, draw_heat
from asst.outputs.pictures import Picture, take_pictures
from asst.outputs.time_axis import tick_label

if TYPE_CHECKING:
    from asst.video import VideoInfo

_STRIP_CELLS = 12


@dataclass(frozen=True, slots=True)
class _Still:
    """A picture as the page refers to it: the page holds each picture once, under ``key``."""

    key: str
    picture: Picture

    @property
    def caption(self) -> str:
        return f"Frame at {format_time(self.picture.time_s)}"


@dataclass(frozen=True, slots=True)
class _Row:
    """A moment in the table of its sentence."""

    moment: Moment
    still: _Still


@dataclass(frozen=True, slots=True)
class _Section:
    """One sentence on the page."""

    answer: Answer
    chart: Chart
    rows: tuple[_Row, ...]
    heat: Heat | None


def write_report(answers: Sequence[Answer], out: Path) -> None:
    """Write the page for one video and any number of sentences.

    The video is decoded once, for the film strip and for a key frame of every moment.

    Args:
        answers: what the model said, all of the same video; their ``video`` is the file to take pictures from.
        out: the ``.html`` file to write.

    Raises:
        InputError: when the video cannot be read or ``out`` cannot be written.
        ValueError: for no answers, or answers about several videos.
    """
    from asst.video import probe

    if len({answer.video for answer in answers}) != 1:
        raise ValueError("a report needs answers about one video")
    video = Path(answers[0].video)
    check_destination(out, ".html", source=video)
    page = _render(answers, probe(video))
    with replacing(out) as path:
        # A file name may hold bytes that are no text; the page shows a question mark for each.
        path.write_bytes(page.encode("utf-8", errors="replace"))


def _render(answers: Sequence[Answer], info: VideoInfo) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    duration_s = answers[0].duration_s
    strip_s = [(cell + 0.5) * duration_s / _STRIP_CELLS for cell in range(_STRIP_CELLS)]
    key_s = [[_key_instant_s(answer, moment) for moment in answer.moments] for answer in answers]
    pictures = take_pictures(Path(answers[0].video), [*strip_s, *itertools.chain.from_iterable(key_s)])
    # Instants that show the same frame share its bytes, so the page holds them once.
    held = {picture.href: picture for picture in pictures.values()}
    keys = {href: f"f{number}" for number, href in enumerate(held)}
    stills = {time_s: _Still(keys[picture.href], picture) for time_s, picture in pictures.items()}

    package = resources.files("asst.outputs")
    style = package.joinpath("report.css").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(clock=format_time, tick=tick_label)
    template = environment.from_string(package.joinpath("report.html").read_text("utf-8"))
    return template.render(
        title=Path(answers[0].video).name,
        facts=_facts(info, answers[0]),
        style=Markup(style),  # noqa: S704  it is our own file
        style_hash=base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii"),
        held=[_Still(keys[href], picture) for href, picture in held.items()],
        strip=[stills[time_s] for time_s in strip_s],
        sections=[
            _section(answer, [stills[time_s] for time_s in times_s])
            for answer, times_s in zip(answers, key_s, strict=True)
        ],
        path_width=PATH_WIDTH,
        path_height=PATH_HEIGHT,
    )


def _section(answer: Answer, stills: Sequence[_Still]) -> _Section:
    return _Section(
        answer=answer,
        chart=draw(answer),
        rows=tuple(itertools.starmap(_Row, zip(answer.moments, stills, strict=True))),
        heat=None if answer.attention is None else draw_heat(answer.attention, answer.duration_s),
    )


def _key_instant_s(answer: Answer, moment: Moment) -> float:
    """The instant inside the moment where the score is highest; its middle where the model has no curve there."""
    if answer.curve is not None:
        times_s = answer.curve.times_s
        inside = np.flatnonzero((times_s >= moment.start_s) & (times_s < moment.end_s))
        if inside.size:
            return float(times_s[inside[np.argmax(answer.curve.scores[inside])]])
    return (moment.start_s + moment.end_s) / 2


def _facts(info: VideoInfo, answer: Answer) -> list[tuple[str, str]]:
    return [
        ("Length", format_time(answer.duration_s)),
        ("Picture", f"{info.width} \N{MULTIPLICATION SIGN} {info.height}"),
        ("Frame rate", f"{float(info.rate):.4g} per second"),
        ("Codec", info.codec),
        ("Sound", "yes" if info.has_audio else "no"),
        ("Model", answer.model),
    ]
