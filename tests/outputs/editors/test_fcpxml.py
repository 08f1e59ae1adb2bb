from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as Xml

import opentimelineio as otio
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.moments import Answer, Moment
from asst.outputs.editors.edits import RATES, Edit, Media, drops, edits_of
from asst.outputs.editors.timeline import fcpxml_text

Facts = Callable[..., str]


def seconds(text: str | None) -> Fraction:
    """A time of the format; it must be a fraction that the format can hold."""
    assert text is not None
    assert text.endswith("s")
    value = Fraction(text[:-1])
    assert value.numerator < 2**63
    assert value.denominator < 2**31
    return value


def edit(media: Media, start: int, frames: int, name: str = "a dog") -> Edit:
    return Edit(media, media.first + start, frames, Moment(1.0, 2.0, query=name), name, 1, "m")


@st.composite
def cuts(draw: st.DrawFn) -> list[Edit]:
    rate = draw(st.sampled_from(RATES))
    drop = drops(rate) and draw(st.booleans())
    first = draw(st.integers(0, int(12 * 3600 * rate)))
    media = Media(Path("/folder/clip.mov"), rate, first, int(11 * 3600 * rate), drop, 640, 360, has_audio=True)
    places = st.tuples(st.integers(0, int(10 * 3600 * rate)), st.integers(1, 5000))
    return [edit(media, *place) for place in draw(st.lists(places, min_size=1, max_size=9))]


@settings(deadline=None)
@given(cuts())
def test_times_are_exact_and_whole_frames_also_after_ten_hours(given: list[Edit]) -> None:
    root = Xml.fromstring(fcpxml_text(given))
    media = given[0].media
    (shape,), (asset,) = root.iter("format"), root.iter("asset")
    assert seconds(shape.get("frameDuration")) == 1 / media.rate
    assert seconds(asset.get("start")) * media.rate == media.first
    assert seconds(asset.get("duration")) * media.rate == media.frames
    clips = list(root.iter("asset-clip"))
    offset = 0
    for clip, own in zip(clips, given, strict=True):
        assert seconds(clip.get("offset")) * media.rate == offset
        assert seconds(clip.get("start")) * media.rate == own.start
        assert seconds(clip.get("duration")) * media.rate == own.frames
        assert clip.get("tcFormat") == ("DF" if media.drop else "NDF")
        assert seconds(clip[0].get("start")) == seconds(clip.get("start"))
        offset += own.frames
    (sequence,) = root.iter("sequence")
    assert seconds(sequence.get("duration")) * media.rate == offset


def test_sources_of_several_rates_share_a_sequence_in_whole_frames(facts: Facts) -> None:
    videos = [facts("a.mp4", Fraction(24000, 1001)), facts("b.mp4", Fraction(25)), facts("c.mp4", Fraction(25))]
    answers = [Answer(video, "q", 60.0, "m", (Moment(10.0, 12.0),)) for video in [*videos, videos[0]]]
    root = Xml.fromstring(fcpxml_text(edits_of(answers)))
    assert len(list(root.iter("format"))) == 2
    assert [asset.get("name") for asset in root.iter("asset")] == ["a.mp4", "b.mp4", "c.mp4"]
    ids = [resource.get("id") for resource in root[0]]
    assert len(set(ids)) == len(ids) == 5
    clips = list(root.iter("asset-clip"))
    durations = [seconds(clip.get("duration")) * Fraction(24000, 1001) for clip in clips]
    assert [duration.denominator for duration in durations] == [1] * 4
    assert seconds(clips[1].get("start")) == 10
    offsets = [seconds(clip.get("offset")) * Fraction(24000, 1001) for clip in clips]
    assert offsets == [sum(durations[:index]) for index in range(4)]


def test_names_of_any_kind_come_back(facts: Facts) -> None:
    video = facts('it\'s "q" <\u00e9> & 50%.mp4', has_audio=False)
    sentence = "a & b < c > \"d\" 'e' \U0001f436\x1b\ufffe"
    text = fcpxml_text(edits_of([Answer(video, sentence, 60.0, "m", (Moment(1.0, 2.0),))]))
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.8">')
    root = Xml.fromstring(text)
    (asset,), (clip,) = root.iter("asset"), root.iter("asset-clip")
    shown = sentence.replace("\x1b", "\N{REPLACEMENT CHARACTER}").replace("\ufffe", "\N{REPLACEMENT CHARACTER}")
    assert clip.get("name") == clip[0].get("value") == shown
    assert asset.get("name") == video
    assert asset.get("src") == Path(video).absolute().as_uri()
    assert asset.get("hasAudio") is None


def test_another_program_reads_it(facts: Facts) -> None:
    # OpenTimelineIO's adapter, which is right for whole rates alone.
    video = facts("v.mp4", Fraction(25), time_code="01:00:00:00")
    answers = [Answer(video, name, 60.0, "m", (Moment(at, at + 2),)) for name, at in (("a dog", 4.0), ("a cat", 30.0))]
    (timeline,) = otio.adapters.read_from_string(fcpxml_text(edits_of(answers)), "fcpx_xml")
    (track,) = timeline.tracks
    assert [clip.name for clip in track] == ["a dog", "a cat"]
    starts = [clip.source_range.start_time.value for clip in track]
    assert starts == [90_100, 90_750]
    assert [clip.source_range.duration.value for clip in track] == [50, 50]
    assert track[0].media_reference.target_url == Path(video).absolute().as_uri()
    assert track[0].markers[0].name == "a dog"
