"""Answers as one HTML page that carries everything it shows: it works offline and asks nothing of the network.

The videos alone are not in it: a row plays its moment of the file, where that lies as it did beside the page.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from asst.atomic import check_destination, write_whole
from asst.errors import counted
from asst.moments import Answer, Moment, format_time, shown_score
from asst.outputs.report.drawing import PATH_HEIGHT, PATH_WIDTH, draw, draw_heat, headings, several_videos, tick_label

_STRIP_CELLS = 12
_SHORT_SIDE = 180


class _Still(NamedTuple):
    """The frame on display at an instant in seconds, its size in pixels, and the JPEG as a ``data:`` address."""

    time_s: float
    width: int
    height: int
    href: str

    @property
    def key(self) -> str:
        """The page holds each frame once, under its key."""
        return f"f{hashlib.sha256(self.href.encode()).hexdigest()[:16]}"

    @property
    def caption(self) -> str:
        return f"Frame at {format_time(self.time_s)}"


def write_report(answers: Sequence[Answer], out: Path) -> None:
    """Write the ``.html`` page for one video and any number of sentences, or for the answers of several videos.

    Each video is decoded once, for the film strip and for a key frame of every moment. Raises an `InputError` when a
    video cannot be read or ``out`` cannot be written, and a `ValueError` for no answers.
    """
    if not answers:
        raise ValueError("a report needs one answer at least")
    for video in {answer.video for answer in answers}:
        check_destination(out, ".html", source=Path(video))
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    instants_s: dict[str, list[float]] = {}
    for answer in answers:
        key_s = [_key_instant_s(answer, moment) for moment in answer.moments]
        instants_s.setdefault(answer.video, _strip_s(answer.duration_s)).extend(key_s)
    stills = {video: take_stills(Path(video), times_s) for video, times_s in instants_s.items()}
    several = several_videos(answers)
    queries = list(dict.fromkeys(answer.query for answer in answers))
    asked = queries[0] if len(queries) == 1 else counted(len(queries), "sentence")
    moments = str(sum(len(answer.moments) for answer in answers))
    of_all = [("Videos", str(len(instants_s))), ("Moments", moments), ("Model", answers[0].model)]
    package = resources.files("asst.outputs.report")
    style = package.joinpath("report.css").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(clock=format_time, tick=tick_label, score=shown_score)
    template = environment.from_string(package.joinpath("report.html").read_text("utf-8"))
    page = template.render(
        title=asked if several else Path(answers[0].video).name,
        facts=of_all if several else _facts(answers[0]),
        parts="Videos" if several else "Sentences",
        curves=any(answer.curve is not None for answer in answers),
        style=Markup(style),  # noqa: S704  it is our own file
        style_hash=base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii"),
        held={still.key: still for own in stills.values() for still in own.values()}.values(),
        sections=[
            _section(answer, heading, stills[answer.video], out.parent, several=several)
            for answer, heading in zip(answers, headings(answers), strict=True)
        ],
        path_width=PATH_WIDTH,
        path_height=PATH_HEIGHT,
    )
    # A file name may hold bytes that are no text; the page shows a question mark for each.
    write_whole(out, page.encode("utf-8", errors="replace"))


def take_stills(video: Path, times_s: Iterable[float]) -> dict[float, _Still]:
    """The frame on display at each instant, in seconds, in any order; the video is decoded once.

    Raises an `InputError` when the video cannot be read or ends before one of the instants.
    """
    from asst.video import STILL, frames, jpeg

    return {
        time_s: _Still(
            time_s,
            pixels.shape[1],
            pixels.shape[0],
            f"data:image/jpeg;base64,{base64.b64encode(jpeg(pixels)).decode()}",
        )
        for batch in frames(video, times_s=sorted(set(times_s)), short_side=_SHORT_SIDE, crop=STILL)
        for pixels, time_s in zip(batch.pixels, batch.times_s.tolist(), strict=True)
    }


def _strip_s(duration_s: float) -> list[float]:
    """The instants of the film strip, in seconds."""
    return [(cell + 0.5) * duration_s / _STRIP_CELLS for cell in range(_STRIP_CELLS)]


def _section(
    answer: Answer, heading: str, stills: dict[float, _Still], folder: Path, *, several: bool
) -> dict[str, Any]:
    """One sentence, or one of several videos: a row a moment, with its frame and where it is played."""
    from asst.video import probe

    video = Path(answer.video)
    try:
        address = "./" + quote(os.fsencode(Path(os.path.relpath(video, folder)).as_posix()))
    except ValueError:
        # There is no way from the page to the video.
        address = video.absolute().as_uri()
    # Players count by the file's own clock.
    zero_s = probe(video).start_s
    return {
        "answer": answer,
        "heading": heading,
        "facts": [("File", answer.video), *_facts(answer)] if several else [],
        "strip": [stills[time_s] for time_s in _strip_s(answer.duration_s)],
        "chart": draw(answer),
        "rows": [
            {
                "moment": moment,
                "still": stills[_key_instant_s(answer, moment)],
                "play": f"{address}#t={zero_s + moment.start_s:.3f},{zero_s + moment.end_s:.3f}",
            }
            for moment in answer.moments
        ],
        "heat": None if answer.attention is None else draw_heat(answer.attention, answer.duration_s),
    }


def _key_instant_s(answer: Answer, moment: Moment) -> float:
    """The instant inside the moment where the score is highest; its middle where the model has no curve there."""
    if answer.curve is not None:
        times_s = answer.curve.times_s
        inside = np.flatnonzero((times_s >= moment.start_s) & (times_s < moment.end_s))
        if inside.size:
            return float(times_s[inside[np.argmax(answer.curve.scores[inside])]])
    return (moment.start_s + moment.end_s) / 2


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
