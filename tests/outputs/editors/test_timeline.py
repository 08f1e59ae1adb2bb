from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.errors import InputError
from asst.moments import Answer, Moment
from asst.outputs.editors.edits import RATES, Edit, Media, drops, edits_of
from asst.outputs.editors.timeline import edl_text, otio_text, reel_names
from asst.outputs.printable import one_line

Facts = Callable[..., str]
NAMES = st.text(min_size=1, max_size=40).filter(lambda text: text.split())


def media(name: str = "v.mp4", rate: Fraction = Fraction(25), first: int = 0, drop: bool = False) -> Media:
    return Media(Path("/folder", name), rate, first, 12 * 3600 * 60, drop, 640, 360, has_audio=True)


def edit(of: Media, start: int, frames: int, name: str = "a dog") -> Edit:
    return Edit(of, of.first + start, frames, Moment(1.0, 2.0, 0.5, query=name), name, 1, "m")


def frames_of(span: otio.opentime.TimeRange) -> tuple[int, int]:
    return round(span.start_time.value), round(span.duration.value)


@st.composite
def cuts(draw: st.DrawFn) -> list[Edit]:
    """Clips of one source anywhere in ten hours, its first time code anywhere in the half day before."""
    rate = draw(st.sampled_from(RATES))
    drop = drops(rate) and draw(st.booleans())
    source = media("clip.mov", rate, draw(st.integers(0, int(12 * 3600 * rate))), drop)
    places = st.tuples(st.integers(0, int(10 * 3600 * rate)), st.integers(1, 5000))
    return [edit(source, *place, name=one_line(draw(NAMES))) for place in draw(st.lists(places, min_size=1))]


@settings(deadline=None)
@given(cuts())
def test_otio_gives_back_the_same_frames_rates_and_names(given: list[Edit]) -> None:
    timeline = otio.adapters.read_from_string(otio_text(given), "otio_json")
    picture, sound = timeline.tracks
    assert (picture.kind, sound.kind) == (otio.schema.TrackKind.Video, otio.schema.TrackKind.Audio)
    for track in (picture, sound):
        assert [frames_of(clip.source_range) for clip in track] == [(own.start, own.frames) for own in given]
    for clip, own in zip(picture, given, strict=True):
        rate = own.media.rate
        assert clip.name == clip.markers[0].name == own.name
        assert Fraction(clip.source_range.start_time.rate).limit_denominator(1001) == rate
        assert clip.source_range.start_time.rate == float(rate)
        assert Fraction(clip.metadata["asst"]["rate"]) == rate
        assert frames_of(clip.media_reference.available_range) == (own.media.first, own.media.frames)
        assert clip.media_reference.target_url == "file:///folder/clip.mov"


@settings(deadline=None)
@given(cuts())
def test_an_edl_gives_back_the_same_frames_also_after_ten_hours(given: list[Edit]) -> None:
    rate, drop = given[0].media.rate, given[0].media.drop
    text = edl_text(given)
    assert text.splitlines()[1] == ("FCM: DROP FRAME" if drop else "FCM: NON-DROP FRAME")
    # An EDL does not say its rate; frames that are not dropped are numbered as at the whole rate above.
    counted = float(rate) if drop else float(round(rate))
    (track,) = otio.adapters.read_from_string(text, "cmx_3600", rate=counted).tracks
    assert [frames_of(clip.source_range) for clip in track] == [(own.start, own.frames) for own in given]
    records = [frames_of(track.trimmed_range_of_child(clip)) for clip in track]
    assert records == [(sum(own.frames for own in given[:index]), own.frames) for index, own in enumerate(given)]
    assert [clip.name for clip in track] == ["clip.mov"] * len(given)
    assert [list(clip.metadata["cmx_3600"]["comments"]) for clip in track] == [
        [f"SENTENCE: {own.name}".strip()] for own in given
    ]


@pytest.mark.parametrize(
    ("rate", "drop", "source_in", "source_out"),
    [
        (Fraction(30000, 1001), True, "11:00:00;01", "11:00:00;29"),
        (Fraction(30000, 1001), False, "10:59:24:01", "10:59:24:29"),
        (Fraction(60000, 1001), True, "11:00:00;02", "11:00:00;30"),
        (Fraction(24000, 1001), False, "10:59:24:00", "10:59:25:04"),
        (Fraction(25), False, "11:00:00:00", "11:00:01:03"),
    ],
)
def test_ten_hours_after_one_oclock_the_label_is_exact(
    rate: Fraction, drop: bool, source_in: str, source_out: str
) -> None:
    # The first frame is 01:00:00:00, and the clip begins ten hours of real time later: at 30000/1001 that is 1,078,921
    # frames, one more than ten hours of drop-frame time code have, and 36 seconds fewer than ten hours of the other.
    nominal = round(rate)
    first = 3600 * nominal - (108 * nominal // 30 if drop else 0)
    text = edl_text([edit(media("v.mov", rate, first, drop), int(36_000 * rate), 28)])
    assert text.splitlines()[3].split()[4:6] == [source_in, source_out]


def test_an_edl_is_of_one_count(facts: Facts) -> None:
    rate = Fraction(30000, 1001)
    for other in (media("b.mp4", Fraction(24)), media("b.mp4", rate, 0, drop=True)):
        with pytest.raises(
            InputError, match=r"an EDL counts all frames alike, but a\.mp4 has 29\.97 a second and b"
        ) as e:
            edl_text([edit(media("a.mp4", rate), 0, 10), edit(other, 0, 10)])
        assert "\n" not in str(e.value)


def test_names_of_any_kind_stay_on_their_line(facts: Facts) -> None:
    video = facts('folder/it\'s "q" \u00e9\n2.mp4')
    sentence = "FROM CLIP: a\n* \"b\" 'c' <d>\u0000\u2028 \U0001f436"
    (own,) = edits_of([Answer(video, sentence, 60.0, "m", (Moment(1.0, 2.0, query=sentence),))])
    (track,) = otio.adapters.read_from_string(edl_text([own]), "cmx_3600", rate=25).tracks
    (clip,) = track
    assert clip.name == 'it\'s "q" \u00e9 2.mp4'
    said = "FROM CLIP: a * \"b\" 'c' <d>\N{REPLACEMENT CHARACTER} \U0001f436"
    assert list(clip.metadata["cmx_3600"]["comments"]) == [f"SENTENCE: {said}"]
    assert clip.markers[0].name == said.upper()
    assert clip.media_reference.target_url == Path(video).absolute().as_uri()
    picture = otio.adapters.read_from_string(otio_text([own]), "otio_json").tracks[0]
    assert picture[0].name == said


def test_a_reel_is_eight_characters_and_another_for_each_file() -> None:
    long = "a very long name of a holiday video of more than thirty two characters"
    sources = [media(f"{name}.mp4") for name in (f"{long} 1", f"{long} 2", "\u72d7", "bl", "AX", "black", "a-1", "a_1")]
    reels = reel_names([*sources, sources[0]])
    assert list(reels.values()) == ["AVERYLON", "AVERYLO2", "REEL", "BL2", "AX2", "BLACK2", "A1", "A12"]
    text = edl_text([edit(source, 0, 5) for source in sources])
    (track,) = otio.adapters.read_from_string(text, "cmx_3600", rate=25).tracks
    assert [clip.metadata["cmx_3600"]["reel"] for clip in track] == list(reels.values())
    assert [clip.name for clip in track] == [source.name for source in sources]


def test_a_source_without_sound_leaves_a_gap_and_none_leaves_no_track(facts: Facts) -> None:
    silent, loud = facts("silent.mp4", has_audio=False), facts("loud.mp4")
    answers = [Answer(video, "q", 60.0, "m", (Moment(1.0, 3.0),)) for video in (silent, loud)]
    picture, sound = otio.adapters.read_from_string(otio_text(edits_of(answers)), "otio_json").tracks
    assert [type(item).__name__ for item in sound] == ["Gap", "Clip"]
    assert sound.duration() == picture.duration()
    assert len(otio.adapters.read_from_string(otio_text(edits_of(answers[:1])), "otio_json").tracks) == 1
