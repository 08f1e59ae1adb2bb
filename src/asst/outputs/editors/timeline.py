"""Moments as a timeline of clips: OpenTimelineIO, and the CMX 3600 edit decision list (EDL)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
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
    timeline.tracks.append(schema.Track("V1", children=[*map(_clip, edits)], kind=schema.TrackKind.Video))
    if any(edit.media.has_audio for edit in edits):
        timeline.tracks.append(schema.Track("A1", children=[*map(_sound, edits)], kind=schema.TrackKind.Audio))
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
    events = [_event(edit, counted, reels[edit.media]) for edit in edits]
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


def _clip(edit: Edit) -> schema.Clip:
    """A clip at its source's own rate."""
    clip = _bare_clip(edit, edit.name, edit.media.rate)
    moment = edit.moment
    clip.metadata["asst"] = {
        "query": one_line(moment.query or ""),
        "label": one_line(moment.label or ""),
        "rank": edit.rank,
        "score": float(moment.score),
        "start_s": float(moment.start_s),
        "end_s": float(moment.end_s),
        "model": edit.model,
        "rate": str(edit.media.rate),
        "drop_frame": edit.media.drop,
    }
    return clip


def _sound(edit: Edit) -> schema.Item:
    from opentimelineio import schema

    if edit.media.has_audio:
        return _bare_clip(edit, edit.name, edit.media.rate)
    return schema.Gap(source_range=_range(0, edit.frames, edit.media.rate))


def _event(edit: Edit, rate: Fraction, reel: str) -> schema.Clip:
    """A clip for an EDL, its frames numbered at a rate that may stand for another."""
    clip = _bare_clip(edit, edit.media.name, rate)
    clip.metadata["cmx_3600"] = {"reel": reel, "comments": [f"SENTENCE: {edit.name}"]}
    return clip


def _bare_clip(edit: Edit, name: str, rate: Fraction) -> schema.Clip:
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
