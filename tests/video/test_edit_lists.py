"""MP4 edit lists, which play parts of what is stored: pictures, times and sound are those that ffmpeg plays."""

from __future__ import annotations

import base64
import io
import logging
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from asst.errors import InputError
from asst.outputs.report.report import take_stills
from asst.video import Frames, cut, frames, probe

Make = Callable[..., Path]
Numbers = Callable[[Iterable[Frames]], list[int]]
# Parts are of pictures of 40 ms, each from its first to before its last; None is nothing, for so many pictures.
Parts = list[tuple[int, int] | float]
PICTURES, TICKS, MILLISECONDS = 100, 512, 40
KINDS: dict[str, Parts] = {
    "late": [37, (0, 100)],
    "trimmed at a key picture": [(30, 80)],
    "trimmed between key pictures": [(35, 85)],
    "late and trimmed": [37, (35, 85)],
    "ends early": [(0, 50)],
    "two parts": [(20, 45), (63, 88)],
    "two parts that meet in one instant": [(42, 59), (55, 83)],
    "parts in another order": [(63, 88), (22, 47)],
    "a part twice": [(13, 38), (13, 38)],
    "nothing between two parts": [(0, 25), 12.5, (53, 78)],
    "nothing between, and parts in another order": [7, (10, 92), 9, (68, 80), (28, 58)],
}


def boxes(data: bytes | bytearray, kind: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Where each box of a kind begins and ends, in one that surrounds it."""
    end = len(data) if end is None else end
    while at < end:
        size, name = struct.unpack_from(">I4s", data, at)
        if name == kind:
            yield at, at + size
        at += size


def edited(path: Path, parts: Parts, out: Path | None = None) -> Path:
    """Give the first track of an MP4 that ends with its header another edit list; in another file if one is named."""
    data = bytearray(path.read_bytes())
    ((moov, _),) = boxes(data, b"moov")
    trak, trak_end = next(boxes(data, b"trak", moov + 8))
    ((edts, edts_end),) = boxes(data, b"edts", trak + 8, trak_end)
    # Where the list that was there begins, so that the first picture is shown from the start.
    (zero,) = struct.unpack_from(">i", data, edts + 28)
    edits = b""
    for part in parts:
        length, begins = (part[1] - part[0], zero + part[0] * TICKS) if isinstance(part, tuple) else (part, -1)
        edits += struct.pack(">IiI", round(length * MILLISECONDS), begins, 1 << 16)
    elst = struct.pack(">I4sII", 16 + len(edits), b"elst", 0, len(parts)) + edits
    box = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
    data[edts:edts_end] = box
    for around in (trak, moov):
        (size,) = struct.unpack_from(">I", data, around)
        struct.pack_into(">I", data, around, size + len(box) - (edts_end - edts))
    out = out or path
    out.write_bytes(data)
    return out


def played(path: Path, numbers: Numbers) -> dict[float, int]:
    """The picture shown from each instant on, as ffmpeg decodes; seconds from the first picture."""
    shown: dict[float, int] = {}
    with av.open(str(path)) as container:
        zero: float | None = None
        for frame in container.decode(video=0):
            assert frame.time is not None
            zero = frame.time if zero is None else zero
            if frame.time - zero >= max(shown, default=0.0):
                pixels = frame.to_ndarray(format="rgb24").astype(np.uint8)
                (shown[frame.time - zero],) = numbers([Frames(pixels[None], np.zeros(1))])
    return shown


def on_display(shown: dict[float, int], time_s: float) -> int:
    return shown[max(at for at in shown if at <= time_s + 1e-6)]


@pytest.fixture(scope="module", params=[("2", "10"), ("0", "10"), ("2", "250")])
def stored(request: pytest.FixtureRequest, make: Make) -> Path:
    """Numbered pictures, out of order or not, with many key pictures or one."""
    options = dict(zip(("bf", "g"), request.param, strict=True))
    return make("stored.mp4", ticks=list(range(PICTURES)), options=options)


@pytest.mark.parametrize("kind", KINDS)
def test_what_ffmpeg_plays_is_what_is_seen(
    stored: Path, numbers: Numbers, caplog: pytest.LogCaptureFixture, tmp_path: Path, kind: str
) -> None:
    path = edited(stored, KINDS[kind], tmp_path / "edited.mp4")
    shown = played(path, numbers)
    with caplog.at_level(logging.WARNING, "asst.video"):
        batches = list(frames(path))
        info = probe(path)
        assert numbers(batches) == list(shown.values())
        np.testing.assert_allclose(np.concatenate([batch.times_s for batch in batches]), list(shown), atol=1e-6)
        assert info.duration_s == pytest.approx(max(shown) + 0.04, abs=1e-3)
        instants = (np.arange(0.0, info.duration_s, 0.17) + 1e-3).tolist()
        wanted = [on_display(shown, at) for at in instants]
        assert numbers(frames(path, times_s=instants)) == wanted
        assert [numbers(frames(path, times_s=[at]))[0] for at in instants[::3]] == wanted[::3]
        grid = np.arange(0.0, info.duration_s - 1e-3, 0.1)
        assert numbers(frames(path, rate=10)) == [on_display(shown, at) for at in grid]
        start_s, end_s = instants[2], instants[7]
        report = cut(path, start_s, end_s, tmp_path / "clip.mp4")
    between = [number for at, number in shown.items() if report.start_s < at < report.end_s - 1e-3]
    assert numbers(frames(tmp_path / "clip.mp4")) == [on_display(shown, start_s), *between]
    assert not caplog.records


def test_stills_and_the_start_are_those_of_the_list(make: Make, numbers: Numbers) -> None:
    path = edited(make("late.mp4", ticks=list(range(PICTURES))), [37, (35, 85)])
    assert probe(path).start_s == pytest.approx(1.48, abs=1e-3)
    (still,) = take_stills(path, [0.5]).values()
    picture = Image.open(io.BytesIO(base64.b64decode(still.href.partition(",")[2])))
    assert numbers([Frames(np.asarray(picture)[None], np.zeros(1))]) == [47]


@pytest.mark.parametrize(("parts", "heard"), [([37, (0, 100)], (0.52, 1.02)), ([(25, 100)], (2.0, 2.5))])
def test_the_sound_of_an_exact_clip_stays_with_the_picture(
    make: Make, tmp_path: Path, parts: Parts, heard: tuple[float, float]
) -> None:
    """Of the picture's list alone: it comes later to the sound, or has lost its beginning."""
    path = edited(make("sound.mp4", ticks=list(range(PICTURES)), beep_s=(2.0, 2.5)), parts)
    cut(path, 0.2, 2.9, tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        loud = [
            (frame.time or 0.0) + np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.2) / frame.sample_rate
            for frame in container.decode(audio=0)
        ]
    times = np.concatenate(loud)
    assert (times.min(), times.max()) == pytest.approx((heard[0] - 0.2, heard[1] - 0.2), abs=0.03)


@pytest.mark.parametrize("parts", [[(20, 45), (63, 88)], [(13, 38), (13, 38)], [(35, 85)]])
def test_a_copy_would_show_what_is_not_played_and_is_refused(make: Make, tmp_path: Path, parts: Parts) -> None:
    path = edited(make("edited.mp4", ticks=list(range(PICTURES)), options={"g": "250"}), parts)
    with pytest.raises(InputError, match=r"does not play all that is stored there \(its edit list\); cut exactly"):
        cut(path, 0.5, 1.5, tmp_path / "clip.mp4", exact=False)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_what_is_played_is_made(make: Make, numbers: Numbers, tmp_path: Path) -> None:
    path = edited(make("edited.mp4", ticks=list(range(PICTURES)), options={"g": "10", "bf": "0"}), [(35, 85)])
    report = cut(path, 0.6, 1.0, tmp_path / "clip.mp4", exact=False)
    assert (report.start_s, report.end_s) == pytest.approx((0.52, 1.0))
    # From the key picture before on: those are the pictures 40 to 49 and 50 to 59.
    assert numbers(frames(tmp_path / "clip.mp4")) == list(range(48, 60))
