"""Cut: the clip read back holds the frames and the sound of the span, and nothing is left behind on failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from asst.errors import InputError
from asst.video import CutReport, Frames, cut, frames, probe, reel
from asst.video.picture import orientation
from asst.video.source import Source

Make = Callable[..., Path]
Numbers = Callable[[Iterable[Frames]], list[int]]


def loud_span(path: Path) -> tuple[float, float]:
    """When the sound is on, in seconds from the first frame of the picture."""
    start_s = probe(path).start_s
    with av.open(str(path)) as container:
        loud = []
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray()).reshape(-1)
            at = (frame.time or 0.0) + np.arange(len(samples)) / frame.sample_rate
            loud += at[samples > 0.2].tolist()
    return min(loud) - start_s, max(loud) - start_s


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("source", ["s.mp4", "s.ts", "s.mkv"])
def test_an_exact_clip_is_the_span(make: Make, numbers: Numbers, tmp_path: Path, source: str, suffix: str) -> None:
    path = make(source, ticks=list(range(30, 230)), options={"g": "40", "bf": "2"}, beep_s=(4.0, 4.5))
    out = tmp_path / ("clip" + suffix)
    report = cut(path, 3.3, 5.0, out)
    assert report.path == str(out)
    assert (report.start_s, report.end_s) == pytest.approx((3.3, 5.0), abs=0.002)
    batches = list(frames(out))
    # 3.3 s falls in picture 82 (3.28 to 3.32 s); picture 124 is the last that starts before 5 s.
    assert numbers(batches) == list(range(82, 125))
    times = np.concatenate([batch.times_s for batch in batches])
    np.testing.assert_allclose(times[1:] + report.start_s, np.arange(83, 125) / 25, atol=0.003)
    info = probe(out)
    assert info.duration_s == pytest.approx(1.7, abs=0.003)
    assert (info.start_s, info.has_audio, info.codec) == (0.0, True, "h264")
    assert loud_span(out) == pytest.approx((0.7, 1.2), abs=0.03)
    assert [entry.name for entry in tmp_path.iterdir()] == [out.name]


def test_variable_rates_are_kept(make: Make, numbers: Numbers, tmp_path: Path) -> None:
    ticks = [0, 100, 130, 700, 710, 2500, 2600, 4000]
    path = make("vfr.mp4", ticks=ticks, time_base=Fraction(1, 1000))
    cut(path, 0.11, 3.0, tmp_path / "clip.mkv")
    batches = list(frames(tmp_path / "clip.mkv"))
    assert numbers(batches) == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(batches[0].times_s, [0, 0.02, 0.59, 0.6, 2.39, 2.49], atol=1e-6)
    assert probe(tmp_path / "clip.mkv").duration_s == pytest.approx(2.89, abs=0.002)


@pytest.mark.parametrize(
    ("source", "container_options"), [("s.mp4", {}), ("s.mkv", {}), ("s.ts", {}), ("s.mkv", {"live": "1"})]
)
def test_a_copy_begins_at_the_key_frame_before(
    make: Make, numbers: Numbers, tmp_path: Path, source: str, container_options: dict[str, str]
) -> None:
    options = {"g": "40", "bf": "2", "sc_threshold": "0"}
    path = make(source, ticks=list(range(200)), options=options, container_options=container_options, beep_s=(4.0, 4.5))
    for suffix in [".mp4", ".mkv", ".mov"]:
        out = tmp_path / ("copy" + suffix)
        report = cut(path, 3.7, 5.0, out, exact=False)
        assert report.start_s == pytest.approx(3.2)
        assert report.end_s == pytest.approx(5.0, abs=0.121)
        seen = numbers(frames(out))
        assert seen[0] == 80
        assert seen[: 125 - 80] == list(range(80, 125))
        assert probe(out).duration_s == pytest.approx(report.end_s - report.start_s, abs=0.05)
        assert loud_span(out) == pytest.approx((0.8, 1.3), abs=0.03)


@pytest.mark.parametrize("turned_left", [1, 2, 3])
@pytest.mark.parametrize("exact", [True, False])
def test_rotation_is_kept(make: Make, numbers: Numbers, tmp_path: Path, turned_left: int, exact: bool) -> None:
    path = make("phone.mp4", turned_left=turned_left, turned_back=True)
    out = tmp_path / "clip.mp4"
    cut(path, 0.0, 1.0, out, exact=exact)
    info = probe(out)
    assert (info.width, info.height) == (160, 96)
    with Source(out) as source:
        assert any(orientation(source.first.frame)) != exact
    assert numbers(frames(out))[:25] == list(range(25))


def test_odd_sizes_and_ten_bits_become_what_everything_plays(make: Make, numbers: Numbers, tmp_path: Path) -> None:
    path = make("odd.mkv", width=161, height=97, pixel_format="yuv444p10le", aspect=Fraction(4, 3))
    cut(path, 0.4, 1.2, tmp_path / "clip.mp4")
    info = probe(tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"
    assert info.height == 96
    assert info.width == pytest.approx(161 * 4 / 3, abs=2)
    assert numbers(frames(tmp_path / "clip.mp4")) == list(range(10, 30))


def test_sound_at_a_rate_that_aac_does_not_know(make: Make, tmp_path: Path) -> None:
    path = make("quick.mkv", beep_s=(1.0, 1.5), sound_rate=50_000, sound_codec="flac")
    cut(path, 0.5, 2.0, tmp_path / "clip.mp4")
    assert loud_span(tmp_path / "clip.mp4") == pytest.approx((0.5, 1.0), abs=0.03)


@pytest.mark.parametrize(
    ("source", "codec", "layout"), [("a.mxf", "mpeg2video", "stereo"), ("a.mov", "libx264", "7.1")]
)
def test_channels_that_are_told_by_number_or_in_an_order_of_their_own_are_heard(
    make: Make, tmp_path: Path, source: str, codec: str, layout: str
) -> None:
    sound = {"beep_s": (1.0, 1.5), "sound_rate": 48_000, "sound_codec": "pcm_s16le", "sound_layout": layout}
    path = make(source, codec=codec, **sound)
    cut(path, 0.52, 2.0, tmp_path / "clip.mp4")
    assert loud_span(tmp_path / "clip.mp4") == pytest.approx((0.48, 0.98), abs=0.03)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.audio[0].layout.name == "stereo"


def test_a_block_of_sound_may_begin_where_the_clip_ends(make: Make, tmp_path: Path) -> None:
    """As milliseconds are rounded, it is read, but nothing takes it any more."""
    path = make("s.mkv", beep_s=(0.0, 2.4), sound_rate=48_000)
    for end_s in (0.2773, 0.5125, 0.7684, 0.8965):
        cut(path, 0.1, end_s, tmp_path / "clip.mp4")
        assert loud_span(tmp_path / "clip.mp4")[1] == pytest.approx(end_s - 0.1, abs=0.03)


def test_the_last_frame_is_there_where_ticks_are_as_long_as_frames(
    make: Make, numbers: Numbers, tmp_path: Path
) -> None:
    path = make("a.avi", codec="mpeg4", options={"bf": "0"})
    report = cut(path, 0.41, 1.23, tmp_path / "clip.mp4")
    assert (report.start_s, report.end_s) == pytest.approx((0.4, 1.24))
    assert numbers(frames(tmp_path / "clip.mp4")) == list(range(10, 31))
    cut(path, 0.4, 1.2, tmp_path / "clip.mp4", exact=False)
    assert numbers(frames(tmp_path / "clip.mp4"))[-1] == 29


def test_the_whole_video_may_be_cut_though_its_length_was_rounded_up(
    make: Make, numbers: Numbers, tmp_path: Path
) -> None:
    report = cut(make("s.mp4"), 0.0, 2.6, tmp_path / "clip.mp4")
    assert report.end_s == pytest.approx(2.4)
    assert numbers(frames(tmp_path / "clip.mp4")) == list(range(60))


@pytest.mark.parametrize(
    ("span", "name", "part"),
    [
        ((3.0, 4.0), "c.mp4", "ends at 2.40 s"),
        ((1.0, 9.0), "c.mp4", "ends at 2.40 s"),
        ((1.0, 1.0), "c.mp4", "cannot cut"),
        ((-1.0, 1.0), "c.mp4", "cannot cut"),
        ((0.0, float("nan")), "c.mp4", "cannot cut"),
        ((0.0, 1.0), "c.avi", r"\.mkv, \.mov, \.mp4"),
        ((0.0, 1.0), "no/c.mp4", "there is no folder"),
        ((0.0, 1.0), "folder.mp4", "it is a folder"),
    ],
)
def test_bad_cuts_get_one_line_and_leave_nothing(
    make: Make, tmp_path: Path, span: tuple[float, float], name: str, part: str
) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match=part) as error:
        cut(make("s.mp4"), *span, tmp_path / name)
    assert "\n" not in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.mp4"]


def test_the_video_is_not_overwritten_by_its_clip(make: Make, tmp_path: Path) -> None:
    path = make("s.mp4")
    before = path.read_bytes()
    (tmp_path / "link.mp4").symlink_to(path)
    for out in [path, path.parent / "." / path.name, tmp_path / "link.mp4"]:
        with pytest.raises(InputError, match="it is the video itself"):
            cut(path, 0.0, 1.0, out)
    assert path.read_bytes() == before


def test_a_copy_that_the_container_cannot_hold_is_refused(make: Make, tmp_path: Path) -> None:
    path = make("s.mkv", codec="libvpx")
    (tmp_path / "clip.mp4").write_bytes(b"an older clip")
    with pytest.raises(InputError, match="cut exactly, not as a fast copy") as error:
        cut(path, 0.0, 1.0, tmp_path / "clip.mp4", exact=False)
    assert "\n" not in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]
    assert (tmp_path / "clip.mp4").read_bytes() == b"an older clip"


def test_a_report_runs_forward() -> None:
    with pytest.raises(ValueError, match="runs forward"):
        CutReport("clip.mp4", 2.0, 2.0)


def test_a_reel_is_its_clips_in_order_with_their_sound(
    make: Make, numbers: Numbers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The third is on its side, and has bars; the second has no sound, and does not move the rest."""
    first = make("a.mp4", ticks=list(range(100)), beep_s=(1.0, 1.5))
    silent = make("b.mkv", ticks=list(range(200, 300)), time_base=Fraction(1, 25))
    tall = make("c.mp4", width=96, height=160, beep_s=(0.5, 1.0), sound_rate=48_000)
    out = tmp_path / "reel.mp4"
    length_s = reel([(first, 1.0, 2.0), (silent, 0.4, 1.0), (tall, 0.4, 1.4), (first, 3.0, 3.4)], out)
    assert length_s == pytest.approx(3.0)
    info = probe(out)
    assert (info.width, info.height, info.has_audio) == (160, 96, True)
    assert info.duration_s == pytest.approx(3.0, abs=0.03)
    pictures = np.concatenate([batch.pixels for batch in frames(out)])
    own = [25, 15, 25, 10]
    assert len(pictures) == sum(own)
    at = np.cumsum([0, *own])
    each = [Frames(pictures[begin:end], np.arange(end - begin) / 25) for begin, end in pairwise(at)]
    assert [numbers([some]) for some in (each[0], each[3])] == [list(range(25, 50)), list(range(75, 85))]
    assert numbers([each[1]]) == list(range(10, 25))
    inner = each[2].pixels[:, :, 52:108]
    assert numbers([Frames(inner, each[2].times_s)]) == list(range(10, 35))
    assert each[2].pixels[:, :, :48].max() < 20
    assert [record.getMessage() for record in caplog.records] == [f"{tall} is fitted into 160 x 96, with bars"]
    start_s, end_s = loud_span(out)
    assert (start_s, end_s) == pytest.approx((0.0, 2.2), abs=0.03)
    with pytest.raises(InputError, match="is the video itself"):
        reel([(silent, 0.0, 1.0), (first, 0.0, 1.0)], first)
