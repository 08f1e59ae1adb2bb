"""Answers as one HTML page that carries everything it shows: it works offline and asks nothing of the network.

The videos alone are not in it: a row plays its moment of the file, where that lies as it did beside the page.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import numpy as np

from asst.moments import Answer, Moment, format_time
from asst.outputs.destination import check_destination, replacing
from asst.outputs.headings import headings, several_videos
from asst.outputs.pictures import Picture, take_pictures
from asst.outputs.report.chart import PATH_HEIGHT, PATH_WIDTH, Chart, draw
from asst.outputs.report.heat import Heat, draw_heat
from asst.outputs.report.time_axis import tick_label

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
    play: str


@dataclass(frozen=True, slots=True)
class _Section:
    """One sentence, or one of several videos, on the page."""

    answer: Answer
    heading: str
    facts: list[tuple[str, str]]
    strip: list[_Still]
    chart: Chart
    rows: tuple[_Row, ...]
    heat: Heat | None


def write_report(answers: Sequence[Answer], out: Path) -> None:
    """Write the page for one video and any number of sentences, or for the answers of several videos.

    Each video is decoded once, for the film strip and for a key frame of every moment.

    Args:
        answers: what the model said; their ``video`` is the file to take pictures from.
        out: the ``.html`` file to write.

    Raises:
        InputError: when a video cannot be read or ``out`` cannot be written.
        ValueError: for no answers.
    """
    if not answers:
        raise ValueError("a report needs one answer at least")
    for video in {answer.video for answer in answers}:
        check_destination(out, ".html", source=Path(video))
    page = _render(answers, out.parent)
    with replacing(out) as path:
        # A file name may hold bytes that are no text; the page shows a question mark for each.
        path.write_bytes(page.encode("utf-8", errors="replace"))


def _render(answers: Sequence[Answer], folder: Path) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    held: dict[str, _Still] = {}
    shown = {video: _stills(video, answers, held) for video in dict.fromkeys(answer.video for answer in answers)}
    several = several_videos(answers)
    sections = [
        _section(answer, heading, shown[answer.video], folder, several=several)
        for answer, heading in zip(answers, headings(answers), strict=True)
    ]

    package = resources.files("asst.outputs.report")
    style = package.joinpath("report.css").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(clock=format_time, tick=tick_label)
    template = environment.from_string(package.joinpath("report.html").read_text("utf-8"))
    return template.render(
        title=answers[0].query if several else Path(answers[0].video).name,
        facts=_facts_of_all(answers) if several else _facts(answers[0]),
        parts="Videos" if several else "Sentences",
        curves=any(answer.curve is not None for answer in answers),
        style=Markup(style),  # noqa: S704  it is our own file
        style_hash=base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii"),
        held=list(held.values()),
        sections=sections,
        path_width=PATH_WIDTH,
        path_height=PATH_HEIGHT,
    )


def _stills(video: str, answers: Sequence[Answer], held: dict[str, _Still]) -> dict[float, _Still]:
    """All pictures that the page shows of one video, by their instants in seconds; new ones are added to ``held``."""
    own = [answer for answer in answers if answer.video == video]
    key_s = [_key_instant_s(answer, moment) for answer in own for moment in answer.moments]
    pictures = take_pictures(Path(video), [*_strip_s(own[0].duration_s), *key_s])
    # Instants that show the same frame share its bytes, so the page holds them once.
    for picture in pictures.values():
        held.setdefault(picture.href, _Still(f"f{len(held)}", picture))
    return {time_s: _Still(held[picture.href].key, picture) for time_s, picture in pictures.items()}


def _strip_s(duration_s: float) -> list[float]:
    """The instants of the film strip, in seconds."""
    return [(cell + 0.5) * duration_s / _STRIP_CELLS for cell in range(_STRIP_CELLS)]


def _section(answer: Answer, heading: str, stills: dict[float, _Still], folder: Path, *, several: bool) -> _Section:
    from asst.video import probe

    address, zero_s = _address(Path(answer.video), folder), probe(Path(answer.video)).start_s
    return _Section(
        answer=answer,
        heading=heading,
        facts=[("File", answer.video), *_facts(answer)] if several else [],
        strip=[stills[time_s] for time_s in _strip_s(answer.duration_s)],
        chart=draw(answer),
        rows=tuple(
            _Row(
                moment,
                stills[_key_instant_s(answer, moment)],
                # Players count by the file's own clock.
                f"{address}#t={zero_s + moment.start_s:.3f},{zero_s + moment.end_s:.3f}",
            )
            for moment in answer.moments
        ),
        heat=None if answer.attention is None else draw_heat(answer.attention, answer.duration_s),
    )


def _address(video: Path, folder: Path) -> str:
    """Where a page in a folder finds a video: by the way from there; by the whole path if there is none."""
    try:
        way = Path(os.path.relpath(video, folder))
    except ValueError:
        return video.absolute().as_uri()
    return "./" + quote(os.fsencode(way.as_posix()))


def _key_instant_s(answer: Answer, moment: Moment) -> float:
    """The instant inside the moment where the score is highest; its middle where the model has no curve there."""
    if answer.curve is not None:
        times_s = answer.curve.times_s
        inside = np.flatnonzero((times_s >= moment.start_s) & (times_s < moment.end_s))
        if inside.size:
            return float(times_s[inside[np.argmax(answer.curve.scores[inside])]])
    return (moment.start_s + moment.end_s) / 2


def _facts_of_all(answers: Sequence[Answer]) -> list[tuple[str, str]]:
    return [
        ("Videos", str(len({answer.video for answer in answers}))),
        ("Moments", str(sum(len(answer.moments) for answer in answers))),
        ("Model", answers[0].model),
    ]


def _facts(answer: Answer) -> list[tuple[str, str]]:
    from asst.video import probe

    info = probe(Path(answer.video))
    return [
        ("Length", format_time(answer.duration_s)),
        ("Picture", f"{info.width} \N{MULTIPLICATION SIGN} {info.height}"),
        ("Frame rate", f"{float(info.rate):.4g} per second"),
        ("Codec", info.codec),
        ("Sound", "yes" if info.has_audio else "no"),
        ("Model", answer.model),
    ]
