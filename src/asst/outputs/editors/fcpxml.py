"""Moments as a project of Final Cut Pro: FCPXML 1.8, in exact fractions of a second.

OpenTimelineIO's adapter for this format knows neither the rates of NTSC nor sources whose time code does not start at
zero, so the few elements that a row of clips needs are written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from xml.etree import ElementTree as Xml

from asst.outputs.editors.edits import Edit, Media
from asst.outputs.editors.timeline import title_of

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'


def fcpxml_text(edits: Sequence[Edit]) -> str:
    """A project of one sequence, whose clips lie one after the other at the rate of the first one's source.

    Each clip is named by its sentence and carries a marker with it. Where sources have several rates, a clip of another
    one lasts a whole number of the sequence's frames, at least one.

    Args:
        edits: the clips in order, one at least.
    """
    root = Xml.Element("fcpxml", version="1.8")
    resources = Xml.SubElement(root, "resources")
    formats: dict[tuple[Fraction, int, int], str] = {}
    assets: dict[Media, str] = {}
    for edit in edits:
        media = edit.media
        key = (media.rate, media.width, media.height)
        if key not in formats:
            formats[key] = f"r{len(formats) + len(assets) + 1}"
            _add_format(resources, formats[key], media)
        if media not in assets:
            assets[media] = f"r{len(formats) + len(assets) + 1}"
            _add_asset(resources, assets[media], formats[key], media)
    first = edits[0].media
    title = title_of(edits)
    event = Xml.SubElement(root, "event", name=title)
    project = Xml.SubElement(event, "project", name=title)
    sequence = Xml.SubElement(
        project,
        "sequence",
        format=formats[first.rate, first.width, first.height],
        tcStart="0s",
        tcFormat="DF" if first.drop else "NDF",
    )
    spine = Xml.SubElement(sequence, "spine")
    offset = 0
    for edit in edits:
        frames = max(1, round(edit.frames / edit.media.rate * first.rate))
        _add_clip(spine, edit, assets[edit.media], Fraction(offset) / first.rate, Fraction(frames) / first.rate)
        offset += frames
    sequence.set("duration", _seconds(offset / first.rate))
    Xml.indent(root)
    return _HEAD + Xml.tostring(root, encoding="unicode") + "\n"


def _add_format(resources: Xml.Element, name: str, media: Media) -> None:
    Xml.SubElement(
        resources,
        "format",
        id=name,
        frameDuration=_seconds(1 / media.rate, whole=False),
        width=str(media.width),
        height=str(media.height),
    )


def _add_asset(resources: Xml.Element, name: str, shape: str, media: Media) -> None:
    asset = Xml.SubElement(
        resources,
        "asset",
        id=name,
        name=media.name,
        src=media.path.as_uri(),
        start=_seconds(media.first / media.rate),
        duration=_seconds(media.frames / media.rate),
        hasVideo="1",
        format=shape,
    )
    if media.has_audio:
        asset.set("hasAudio", "1")
        asset.set("audioSources", "1")


def _add_clip(spine: Xml.Element, edit: Edit, asset: str, offset_s: Fraction, duration_s: Fraction) -> None:
    start = _seconds(edit.start / edit.media.rate)
    clip = Xml.SubElement(
        spine,
        "asset-clip",
        ref=asset,
        name=edit.name,
        offset=_seconds(offset_s),
        start=start,
        duration=_seconds(duration_s),
        tcFormat="DF" if edit.media.drop else "NDF",
    )
    Xml.SubElement(clip, "marker", start=start, duration=_seconds(1 / edit.media.rate), value=edit.name)


def _seconds(time_s: Fraction, *, whole: bool = True) -> str:
    """A time as the format writes it: ``1001/24000s``, and ``5s`` where it is whole and may be written so."""
    if whole and time_s.denominator == 1:
        return f"{time_s.numerator}s"
    return f"{time_s.numerator}/{time_s.denominator}s"
