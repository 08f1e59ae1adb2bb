"""Moments as a timeline of clips: OpenTimelineIO, the CMX 3600 edit decision list (EDL), and FCPXML 1.8."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from asst.errors import InputError
from asst.outputs.editors.edits import Edit, Media
from asst.outputs.printable import one_line

if TYPE_CHECKING:
    from opentimelineio import opentime, schema

_REEL_WIDTH = 8
_TAKEN_REELS = ("AX", "BL", "BLACK", "BARS")
"""What CMX 3600 means a source of its own kind by: none, black and test bars."""


def title_of(edits: Sequence[Edit]) -> str:
    """What the timeline is called: its video, or how many it is cut from."""
    media = {edit.media.path: edit.media for edit in edits}
    return next(iter(media.values())).name if len(media) == 1 else f"moments of {len(media)} videos"


def otio_text(edits: Sequence[Edit]) -> str:
    """A timeline in OpenTimelineIO's own JSON: clips one after the other, with sound where there is any.

    Each clip is named by its sentence, carries a marker with it, and refers to its file and the frames it has. There is
    one at least.
    """
    from opentimelineio import adapters, schema

    timeline = schema.Timeline(title_of(edits))
    clips = [_clip(edit, edit.name, edit.media.rate) for edit in edits]
    for clip, edit in zip(clips, edits, strict=True):
        moment, times_s = edit.moment, {"start_s": float(edit.moment.start_s), "end_s": float(edit.moment.end_s)}
        words = {"query": one_line(moment.query or ""), "label": one_line(moment.label or ""), "model": edit.model}
        counted = {"rank": edit.rank, "rate": str(edit.media.rate), "drop_frame": edit.media.drop}
        clip.metadata["asst"] = {**words, **counted, "score": float(moment.score), **times_s}
    timeline.tracks.append(schema.Track("V1", children=clips, kind=schema.TrackKind.Video))
    if any(edit.media.has_audio for edit in edits):
        sound = [
            _clip(edit, edit.name, edit.media.rate)
            if edit.media.has_audio
            else schema.Gap(source_range=_range(0, edit.frames, edit.media.rate))
            for edit in edits
        ]
        timeline.tracks.append(schema.Track("A1", children=sound, kind=schema.TrackKind.Audio))
    text: str = adapters.write_to_string(timeline, "otio_json")
    return text + "\n"


def edl_text(edits: Sequence[Edit]) -> str:
    """An EDL of the picture: source time codes as the source counts them, record time codes from zero on.

    A clip is named by its file; its sentence is in a locator and a comment. Reels are names of eight letters and
    digits, another one for each file. There is one clip at least. Raises an `InputError` for sources that are not all
    counted alike, which an EDL cannot say.
    """
    from opentimelineio import adapters, schema

    counts = {(edit.media.rate, edit.media.drop): edit.media for edit in edits}
    if len(counts) > 1:
        one, other = list(counts.values())[:2]
        raise InputError(
            f"an EDL counts all frames alike, but {_count(one)} and {_count(other)}; write .otio or .fcpxml"
        )
    (rate, drop) = next(iter(counts))
    # The library drops frame numbers at the rates of NTSC. Those that are not dropped are as at the whole rate above.
    counted = rate if drop else Fraction(math.ceil(rate))
    reels = reel_names([edit.media for edit in edits])
    timeline = schema.Timeline(title_of(edits))
    events = [_clip(edit, edit.media.name, counted) for edit in edits]
    for event, edit in zip(events, edits, strict=True):
        event.metadata["cmx_3600"] = {"reel": reels[edit.media], "comments": [f"SENTENCE: {edit.name}"]}
    timeline.tracks.append(schema.Track("V", children=events, kind=schema.TrackKind.Video))
    text: str = adapters.write_to_string(timeline, "cmx_3600", rate=float(counted))
    title, _, rest = text.partition("\n")
    return f"{title}\nFCM: {'' if drop else 'NON-'}DROP FRAME\n{rest}"


def reel_names(media: Sequence[Media]) -> dict[Media, str]:
    """A reel for each source: up to eight letters and digits of its name, and a number where another has the same."""
    names: dict[Media, str] = {}
    for one in media:
        if one in names:
            continue
        stem = re.sub(r"[^A-Z0-9]", "", one.path.stem.upper())
        reel, number = stem[:_REEL_WIDTH] or "REEL", 1
        while reel in (*names.values(), *_TAKEN_REELS):
            number += 1
            reel = f"{(stem or 'REEL')[: _REEL_WIDTH - len(str(number))]}{number}"
        names[one] = reel
    return names


def _count(media: Media) -> str:
    return f"{media.name} has {float(media.rate):.5g} a second{' with drop frames' if media.drop else ''}"


def _clip(edit: Edit, name: str, rate: Fraction) -> schema.Clip:
    from opentimelineio import schema

    media = edit.media
    return schema.Clip(
        name,
        schema.ExternalReference(media.path.as_uri(), _range(media.first, media.frames, rate)),
        _range(edit.start, edit.frames, rate),
        markers=[schema.Marker(edit.name, _range(edit.start, edit.frames, rate), schema.MarkerColor.GREEN)],
    )


def _range(start: int, frames: int, rate: Fraction) -> opentime.TimeRange:
    from opentimelineio.opentime import RationalTime, TimeRange

    return TimeRange(RationalTime(start, float(rate)), RationalTime(frames, float(rate)))


def fcpxml_text(edits: Sequence[Edit]) -> str:
    """A project of Final Cut Pro, in exact fractions of a second: clips one after the other.

    The rate is the first source's; a clip of another one lasts a whole number of its frames, at least one. Each clip is
    named by its sentence and carries a marker with it. There is one clip at least.
    """
    from jinja2 import Environment, StrictUndefined

    media = list(dict.fromkeys(edit.media for edit in edits))
    shapes = list(dict.fromkeys((one.rate, one.width, one.height) for one in media))
    rate, offset, clips = media[0].rate, 0, []
    for edit in edits:
        frames = max(1, round(edit.frames / edit.media.rate * rate))
        clips.append((edit, offset / rate, frames / rate))
        offset += frames
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    # A time as the format writes it: ``1001/24000s``, and ``5s`` where it is whole.
    environment.filters["fraction"] = lambda time_s: f"{time_s.numerator}/{time_s.denominator}s"
    environment.filters["seconds"] = lambda time_s: f"{time_s}s"
    # OpenTimelineIO's adapter for this format knows neither the rates of NTSC nor a first time code other than zero.
    template = environment.from_string(Path(__file__).with_name("fcpxml.xml").read_text("utf-8"))
    return template.render(title=title_of(edits), media=media, shapes=shapes, clips=clips, duration_s=offset / rate)
