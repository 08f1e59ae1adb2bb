"""Frames: which picture comes back at which instant, in which size, colour and direction."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asst.errors import InputError
from asst.video import Frames, frames, probe, thumbnail
from asst.video.source import Source

Make = Callable[..., Path]
Numbers = Callable[[Iterable[Frames]], list[int]]


def on_display(ticks: list[int], time_base: Fraction, instants: Iterable[Fraction]) -> list[int]:
    """The slow reference: the last picture whose time is not after the instant, in exact fractions."""
    times = [(tick - ticks[0]) * time_base for tick in ticks]
    return [max(i for i, time in enumerate(times) if time <= instant) for instant in instants]


def combing(pictures: Any) -> float:
    """How much every other line differs from the two around it."""
    lines = pictures.astype(int)
    return float(np.abs(lines[:, 1:-1:2] - (lines[:, :-2:2] + lines[:, 2::2]) / 2).mean())


def times_of(batches: Iterable[Frames]) -> list[float]:
    return [float(time) for batch in batches for time in batch.times_s]


def test_every_frame_comes_once_with_its_own_time(make: Make, numbers: Numbers) -> None:
    ticks = [0, 40, 41, 200, 203, 900, 1000]
    batches = list(frames(make("vfr.mkv", ticks=ticks, time_base=Fraction(1, 1000)), batch=3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert numbers(batches) == list(range(7))
    np.testing.assert_allclose(times_of(batches), np.array(ticks) / 1000, atol=1e-9)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gaps=st.lists(st.integers(1, 400), min_size=1, max_size=40),
    first=st.integers(0, 3000),
    rate=st.integers(1, 400).map(lambda tenths: tenths / 10),
    suffix=st.sampled_from([".mkv", ".mp4", ".mov"]),
    b_frames=st.integers(0, 4),
)
def test_the_grid_shows_what_a_slow_reference_shows(
    make: Make, numbers: Numbers, gaps: list[int], first: int, rate: float, suffix: str, b_frames: int
) -> None:
    ticks = list(itertools.accumulate(gaps, initial=first))
    options = {"bf": str(b_frames), "g": "12", "b-pyramid": "normal"}
    path = make("grid" + suffix, ticks=ticks, time_base=Fraction(1, 1000), options=options, width=80, height=48)
    info = probe(path)
    batches = list(frames(path, rate=rate))
    last = Fraction(ticks[-1] - ticks[0], 1000)
    assert info.start_s == pytest.approx(first / 1000, abs=1e-6)
    assert info.duration_s >= last
    step = 1 / Fraction(rate).limit_denominator(10)
    instants = [k * step for k in range(len(times_of(batches)))]
    np.testing.assert_allclose(times_of(batches), [float(instant) for instant in instants], atol=1e-9)
    assert instants[-1] + step >= last
    assert len(instants) == pytest.approx(info.duration_s * rate, abs=1 + 1e-6)
    assert numbers(batches) == on_display(ticks, Fraction(1, 1000), instants)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
def test_leaving_out_unreferenced_pictures_changes_nothing(make: Make, numbers: Numbers, codec: str) -> None:
    options = {"g": "60", "bf": "3", "x265-params": "log-level=none:pools=none"}
    options |= {"b-pyramid": "normal"} if codec == "libx264" else {}
    options = {k: v for k, v in options.items() if codec == "libx265" or k != "x265-params"}
    path = make("b.mp4", ticks=list(range(300)), codec=codec, options=options)
    instants = [Fraction(k, 3) for k in range(36)]
    assert numbers(frames(path, rate=3)) == on_display(list(range(300)), Fraction(1, 25), instants)


def test_pictures_nobody_looks_at_are_not_decoded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    original = Source._decode

    def counted(self: Source) -> Iterator[av.VideoFrame]:
        for frame in original(self):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(Source, "_decode", counted)
    path = make("b.mp4", ticks=list(range(300)), options={"g": "60", "bf": "3", "b-adapt": "0"})
    assert sum(len(batch) for batch in frames(path, rate=1)) == 12
    assert len(decoded) < 250


@pytest.mark.parametrize(
    ("suffix", "container_options", "limit"),
    [(".mp4", {}, 700), (".mkv", {}, 700), (".ts", {}, 700), (".mkv", {"live": "1"}, 3000)],
)
def test_named_instants_far_apart_are_sought(
    make: Make,
    numbers: Numbers,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    container_options: dict[str, str],
    limit: int,
) -> None:
    read = []
    original = Source._demux

    def counted(self: Source) -> Iterator[Any]:
        for packet in original(self):
            read.append(packet.pts)
            yield packet

    monkeypatch.setattr(Source, "_demux", counted)
    ticks = list(range(500, 1500))
    options = {"g": "25", "bf": "2"}
    path = make("long" + suffix, ticks=ticks, options=options, container_options=container_options, width=80, height=48)
    asked = [0.0, 0.01, 3.0, 14.99, 15.0, 15.0, 28.03, 39.99, 40.2]
    expected = [0, 0, 75, 374, 375, 375, 700, 999, 999]
    batches = list(frames(path, times_s=asked, batch=4))
    assert numbers(batches) == expected
    assert times_of(batches) == asked
    assert len(read) < limit


def test_a_single_key_frame_is_not_sought_again_and_again(
    make: Make, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeks: list[int] = []
    original = Source.seek

    def counted(self: Source, pts: int) -> bool:
        seeks.append(pts)
        return original(self, pts)

    monkeypatch.setattr(Source, "seek", counted)
    path = make("one_key.ts", ticks=list(range(1000)), options={"g": "2000", "sc_threshold": "0"}, width=80, height=48)
    assert numbers(frames(path, times_s=[0.0, 12.0, 24.0, 36.0])) == [0, 300, 600, 900]
    assert len(seeks) <= 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_span_is_cut_out_of_the_grid_and_of_every_frame(make: Make, numbers: Numbers, suffix: str) -> None:
    path = make("span" + suffix, ticks=list(range(50, 350)), options={"g": "20", "bf": "2"})
    grid = list(frames(path, rate=2, start_s=5.1, end_s=7.0))
    assert times_of(grid) == [5.5, 6.0, 6.5]
    assert numbers(grid) == [137, 150, 162]
    each = list(frames(path, start_s=9.0, end_s=9.2))
    assert numbers(each) == [225, 226, 227, 228, 229]
    assert times_of(each) == pytest.approx([9.0, 9.04, 9.08, 9.12, 9.16])


@pytest.mark.parametrize(
    ("suffix", "container"), [(".mp4", "mp4"), (".mkv", "matroska"), (".ts", "mpegts"), (".avi", "avi")]
)
def test_containers_agree(make: Make, numbers: Numbers, suffix: str, container: str) -> None:
    path = make("same" + suffix, options={"bf": "0" if container == "avi" else "2"})
    assert container in av.open(str(path)).format.name
    assert numbers(frames(path, rate=5)) == [5 * k for k in range(12)]
    assert probe(path).duration_s == pytest.approx(2.4, abs=0.002)


def test_a_stream_without_any_times_counts_frames(make: Make, numbers: Numbers) -> None:
    path = make("raw.h264", options={"bf": "0"})
    assert numbers(frames(path, rate=5)) == [5 * k for k in range(12)]
    assert probe(path).duration_s == pytest.approx(2.4, abs=0.05)


@pytest.mark.parametrize("turned_left", [1, 2, 3])
def test_rotation_is_applied(make: Make, numbers: Numbers, turned_left: int) -> None:
    path = make("phone.mp4", turned_left=turned_left)
    data = bytearray(path.read_bytes())
    # The matrix of the track header: 40 bytes after its name, version and flags; [a b u c d v x y w], y downwards.
    at = data.index(b"tkhd") + 4 + 40
    one, zero = (1 << 16).to_bytes(4, "big"), bytes(4)
    minus = (-(1 << 16)).to_bytes(4, "big", signed=True)
    quarter = {1: (zero, one, minus, zero), 2: (minus, zero, zero, minus), 3: (zero, minus, one, zero)}[turned_left]
    data[at : at + 36] = b"".join([*quarter[:2], zero, *quarter[2:], zero, zero, zero, (1 << 30).to_bytes(4, "big")])
    path.write_bytes(data)
    info = probe(path)
    assert (info.width, info.height) == (160, 96)
    assert numbers(frames(path, rate=5)) == [5 * k for k in range(12)]
    assert next(frames(path)).pixels.shape[1:] == (96, 160, 3)
    small = list(frames(path, rate=5, short_side=48))
    assert small[0].pixels.shape[1:] == (48, 80, 3)
    assert numbers(small) == [5 * k for k in range(12)]


def test_sizes(make: Make, numbers: Numbers) -> None:
    path = make("odd.mp4", width=161, height=97, pixel_format="yuv444p")
    assert next(frames(path)).pixels.shape == (32, 97, 161, 3)
    for options, shape in [
        ({"size": (50, 31)}, (31, 50)),
        ({"short_side": 224}, (224, 372)),
        ({"short_side": 33}, (33, 55)),
    ]:
        batches = list(frames(path, rate=5, **options))  # type: ignore[arg-type]
        assert batches[0].pixels.shape[1:3] == shape
        assert numbers(batches) == [5 * k for k in range(12)]


def test_pixels_that_are_not_square_are_stretched_unless_it_is_rounding(make: Make) -> None:
    wide, nearly = make("w.mp4", aspect=Fraction(64, 51)), make("n.mp4", aspect=Fraction(640, 639))
    assert (probe(wide).width, probe(wide).height) == (201, 96)
    assert next(frames(wide)).pixels.shape[1:3] == (96, 201)
    assert (probe(nearly).width, probe(nearly).height) == (160, 96)


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p", "yuvj420p", "yuv444p"])
def test_pixel_formats_give_the_same_picture(make: Make, numbers: Numbers, pixel_format: str) -> None:
    path = make("format.mkv", pixel_format=pixel_format)
    batches = list(frames(path, rate=5))
    assert numbers(batches) == [5 * k for k in range(12)]
    # The greys that were drawn come back: neither range is read as the other.
    assert abs(int(np.percentile(batches[-1].pixels, 5)) - 30) <= 4
    assert abs(int(np.percentile(batches[-1].pixels, 97)) - 220) <= 4


@pytest.mark.parametrize(
    ("height", "space", "tag"),
    [(96, 5, None), (720, 1, None), (96, 1, "bt709"), (720, 5, "smpte170m"), (96, 9, "bt2020nc")],
)
def test_colours_follow_the_tag_or_the_size(tmp_path: Path, height: int, space: int, tag: str | None) -> None:
    colours = np.array([[200, 40, 40], [40, 180, 60], [40, 60, 200], [220, 210, 40]], dtype=np.uint8)
    drawn = np.repeat(np.repeat(colours[None], 40, axis=1), height, axis=0)
    path = tmp_path / "colour.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "4"} | ({"colorspace": tag} if tag else {}))
        stream.codec_context.width, stream.codec_context.height, stream.codec_context.pix_fmt = 160, height, "yuv444p"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn), "rgb24")
        frame = frame.reformat(format="yuv444p", dst_colorspace=space)
        frame.colorspace = 2 if tag is None else {"bt709": 1, "smpte170m": 6, "bt2020nc": 9}[tag]
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    pixels = next(frames(path)).pixels[0]
    seen = pixels[height // 2, 20::40].astype(int)
    assert np.abs(seen - colours).max() <= 5


def test_interlaced_pictures_are_made_whole(make: Make) -> None:
    ticks = list(range(16))
    shift = itertools.count()

    def combed(pixels: Any) -> Any:
        """Two fields of a white bar that has moved on by 4 pixels between them."""
        at = next(shift) * 8
        woven = np.full_like(pixels, 20)
        woven[0::2, at : at + 16] = 220
        woven[1::2, at + 4 : at + 20] = 220
        return woven

    path = make("fields.mkv", ticks=ticks, stored=combed, options={"flags": "+ildct+ilme", "x264-params": "tff=1"})
    batches = list(frames(path))
    assert times_of(batches) == pytest.approx([tick / 25 for tick in ticks])
    with av.open(str(path)) as container:
        woven = np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])
    whole = np.concatenate([batch.pixels for batch in batches])[..., 0]
    assert combing(whole[2:-2]) < combing(woven[2:-2]) / 3
    assert times_of(frames(path, rate=5)) == pytest.approx([0.0, 0.2, 0.4, 0.6])


def test_decoding_keeps_pace_with_the_reader(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    original = Source._demux

    def counted(self: Source) -> Iterator[Any]:
        for packet in original(self):
            read.append(packet.pts)
            yield packet

    monkeypatch.setattr(Source, "_demux", counted)
    path = make("long.mp4", ticks=list(range(600)), width=80, height=48)
    batches = frames(path, batch=4)
    next(batches)
    at_first = len(read)
    next(batches)
    assert at_first < 120
    assert len(read) - at_first <= 8


def test_a_damaged_stretch_is_passed_over_and_told_once(
    make: Make, numbers: Numbers, caplog: pytest.LogCaptureFixture
) -> None:
    def noisy(pixels: Any) -> Any:
        pixels = pixels.copy()
        pixels[:20] = np.random.default_rng(int(pixels[50].sum())).integers(0, 255, pixels[:20].shape)
        return pixels

    path = make("hurt.mp4", ticks=list(range(200)), options={"g": "20", "bf": "2"}, stored=noisy)
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + len(data) // 2
    data[begin : begin + len(data) // 10] = bytes(len(data) // 10)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING, "asst.video"):
        batches = list(frames(path, rate=25))
    assert times_of(batches) == pytest.approx([k / 25 for k in range(200)])
    seen = numbers(batches)
    assert seen[:80] == list(range(80))
    assert seen[150:] == list(range(150, 200))
    (record,) = caplog.records
    assert str(path) in record.getMessage()
    assert "packets could not be decoded" in record.getMessage()


def test_a_whole_file_gives_no_warning(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    for name in ["a.mp4", "a.mkv", "a.ts"]:
        path = make(name, ticks=list(range(100)), beep_s=(1.0, 2.0))
        list(frames(path, rate=2))
        list(frames(path))
    assert caplog.records == []


@pytest.mark.parametrize(
    ("name", "container_options"), [("t.mkv", {}), ("t.mp4", {"movflags": "faststart"}), ("t.ts", {})]
)
def test_a_file_that_was_cut_short_gives_what_is_there(
    make: Make, numbers: Numbers, caplog: pytest.LogCaptureFixture, name: str, container_options: dict[str, str]
) -> None:
    def noisy(pixels: Any) -> Any:
        return np.clip(pixels + np.random.default_rng(0).integers(-20, 20, pixels.shape), 0, 255).astype(np.uint8)

    path = make(name, ticks=list(range(200)), options={"bf": "2"}, container_options=container_options, stored=noisy)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    info = probe(path)
    assert 2.0 < info.duration_s < 6.0
    caplog.clear()
    with caplog.at_level(logging.WARNING, "asst.video"):
        seen = numbers(frames(path, rate=25))
    assert seen[:50] == list(range(50))
    assert 50 < len(seen) < 150
    if name != "t.ts":  # nothing in a transport stream states its length
        assert any(str(path) in record.getMessage() for record in caplog.records)
    assert numbers(frames(path, times_s=[0.0, 1.6])) == [0, 40]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"rate": 0}, "rate is 0"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"rate": 2, "times_s": [1.0]}, "leave out rate"),
        ({"times_s": [2.0, 1.0]}, "ascending"),
        ({"times_s": [-1.0]}, "below zero"),
        ({"times_s": [0.5, 9.0]}, "ends at 2.40 s"),
        ({"rate": 1, "start_s": 30.0}, "ends at 2.40 s"),
        ({"start_s": 30.0}, "ends at 2.40 s"),
        ({"start_s": 2.0, "end_s": 1.0}, "the span"),
        ({"size": (0, 4)}, "size is"),
        ({"size": (4, 4, 3)}, "size is"),
        ({"size": (4, 4), "short_side": 3}, "no short_side"),
        ({"short_side": 0}, "short_side is 0"),
        ({"batch": 0}, "batch is 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(make: Make, options: dict[str, Any], part: str) -> None:
    path = make("fine.mp4")
    with pytest.raises(InputError, match=part) as caught:
        list(frames(path, **options))
    assert "\n" not in str(caught.value)


def test_a_batch_checks_itself_and_prints_shapes() -> None:
    pixels = np.zeros((2, 4, 6, 3), np.uint8)
    assert repr(Frames(pixels, np.array([0.0, 0.5]))) == "Frames(pixels=(2, 4, 6, 3), times_s=0.000..0.500)"
    for bad_pixels, times in [
        (pixels.astype(float), [0.0, 1.0]),
        (pixels[0], [0.0, 1.0]),
        (pixels, [0.0]),
        (pixels, [1.0, 0.0]),
        (pixels, [0.0, float("nan")]),
    ]:
        with pytest.raises(ValueError, match=r"frames?\b"):
            Frames(bad_pixels, np.array(times))


@pytest.mark.parametrize("at", [37, 38, 39, 40])
def test_glimpses_are_of_all_pictures_where_shots_change_and_of_few_elsewhere(make: Make, at: int) -> None:
    grain = np.random.default_rng(0).integers(0, 255, (2, 96, 160, 3), dtype=np.uint8)
    shown = iter([grain[0]] * at + [grain[1]] * (120 - at))
    options = {"bf": "8", "b_adapt": "0", "g": "250", "sc_threshold": "0"}
    path = make("thumbnails.mp4", ticks=list(range(120)), options=options, stored=lambda pixels: next(shown))
    seen: dict[float, Any] = {}
    given_s: list[float] = []
    for batch in frames(path, rate=4.0, batch=1, thumbnails=lambda time_s, pixels: seen.update({time_s: pixels})):
        given_s += batch.times_s.tolist()
        assert max(seen) >= given_s[-1]
    times_s = list(seen)
    assert times_s == sorted(times_s)
    assert given_s == [k / 4 for k in range(20)]
    assert {(at - 1) / 25, at / 25} <= set(times_s)
    assert 20 < len(times_s) < 80
    assert all(pixels.shape == (36, 64, 3) for pixels in seen.values())
    before, after = (thumbnail(pixels).astype(int) for pixels in grain)
    for time_s, pixels in seen.items():
        near = [np.abs(pixels - one).mean() for one in (before, after)]
        assert (near[0] < near[1]) == (time_s < at / 25)


def test_glimpses_need_a_rate(street: Path) -> None:
    with pytest.raises(InputError, match="rate"):
        frames(street, thumbnails=lambda time_s, pixels: None)
