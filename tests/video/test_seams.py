"""Transport and program streams whose clock begins anew: all of them is read, on a clock that goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from asst.video import Frames, cut, frames, probe
from asst.video.source import Source

Make = Callable[..., Path]
Numbers = Callable[[Iterable[Frames]], list[int]]

SECONDS = {"back a little": (50, 125), "back a lot": (100_000, 0), "an hour on": (0, 90_000)}
# The clock has 33 bits and begins at zero again in the middle of each recording.
STARTS = {**SECONDS, "over the clock's end": (2**33 // 3600 - 50, 2**33 // 3600 - 60)}


@pytest.fixture(params=[(kind, suffix) for kind in STARTS for suffix in (".ts", ".mpg")], ids=" ".join)
def joined(request: pytest.FixtureRequest, make: Make, tmp_path: Path) -> Path:
    """Two recordings of four seconds one after the other, each of pictures 0 to 99 and a beep in its second second."""
    kind, suffix = request.param
    return recordings(make, tmp_path / ("joined" + suffix), STARTS[kind])


def recordings(make: Make, path: Path, starts: Iterable[int], pictures: int = 100, *, silent: bool = False) -> Path:
    codec = {".ts": "libx264", ".mpg": "mpeg2video"}[path.suffix]
    parts = [
        make(
            "part" + path.suffix,
            ticks=list(range(start, start + pictures)),
            codec=codec,
            sound_codec="mp2",
            options={"g": "25", "bf": "2", "b": "4M"},
            beep_s=None if silent else (1.0, 1.5),
        )
        for start in starts
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def loud_tenths(path: Path) -> list[int]:
    """The tenths of a second in which the sound is on, from the first sample."""
    with av.open(str(path)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        rate = container.streams.audio[0].rate
    tenths = samples[: len(samples) // (rate // 10) * (rate // 10)].reshape(-1, rate // 10)
    return np.flatnonzero((np.abs(tenths) > 0.2).mean(axis=1) > 0.3).tolist()


def test_all_recordings_are_read_on_one_clock(joined: Path, numbers: Numbers) -> None:
    batches = list(frames(joined))
    assert numbers(batches) == [*range(100), *range(100)]
    times_s = np.concatenate([batch.times_s for batch in batches])
    np.testing.assert_allclose(np.diff(times_s), 1 / 25, atol=1e-6)
    assert probe(joined).duration_s == pytest.approx(8.0, abs=0.002)
    assert numbers(frames(joined, rate=5)) == [*range(0, 100, 5), *range(0, 100, 5)]


def test_a_clip_over_the_seam_has_its_pictures_and_its_sound(joined: Path, numbers: Numbers, tmp_path: Path) -> None:
    report = cut(joined, 3.0, 6.0, tmp_path / "clip.mp4")
    assert (report.start_s, report.end_s) == pytest.approx((3.0, 6.0), abs=0.002)
    assert numbers(frames(tmp_path / "clip.mp4")) == [*range(75, 100), *range(50)]
    assert loud_tenths(tmp_path / "clip.mp4") == pytest.approx([20, 21, 22, 23, 24], abs=1)


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
def test_instants_after_a_seam_are_sought(
    make: Make, numbers: Numbers, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recordings(make, tmp_path / ("long" + suffix), (1000, 0, 20_000), pictures=500, silent=True)
    seeks: list[int] = []
    original = Source.seek

    def counted(self: Source, pts: int) -> bool:
        seeks.append(pts)
        return original(self, pts)

    monkeypatch.setattr(Source, "seek", counted)
    assert numbers(frames(path, times_s=[1.0, 19.0, 21.0, 35.0, 59.0])) == [25, 475, 25, 375, 475]
    assert len(seeks) == 3
    assert numbers(frames(path, start_s=45.0, end_s=45.1)) == [125, 126, 127]
    cut(path, 30.0, 31.0, tmp_path / "clip.mkv", exact=False)
    copied = numbers(frames(tmp_path / "clip.mkv"))
    assert copied[:20] == list(range(copied[0], copied[0] + 20))
    assert 225 < copied[0] <= 250
    assert 270 < copied[-1] < 280


def test_seams_are_told_once_and_are_no_damage(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = recordings(make, tmp_path / "twice.ts", (0, 0))
    with caplog.at_level(logging.WARNING, "asst.video"):
        for _ in range(2):
            probe(path)
            list(frames(path))
    (record,) = caplog.records
    assert "its clock begins anew" in record.getMessage()


def test_a_wrong_time_of_one_picture_is_damage_and_no_seam(
    make: Make, numbers: Numbers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = make("wrong.ts", ticks=list(range(100)), options={"bf": "0", "g": "25"})
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data) - 4) if data[at : at + 4] == b"\0\0\1\xe0"]
    # The highest bits of the fortieth picture's time.
    data[starts[40] + 9] |= 0x0E
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING, "asst.video"):
        batches = list(frames(path, rate=25))
    assert numbers(batches) == list(range(100))
    assert probe(path).duration_s == pytest.approx(4.0)
    (record,) = caplog.records
    assert "is damaged: 1 packet " in record.getMessage()


def test_a_damaged_stretch_does_not_move_the_clock(make: Make, noisy: Callable[..., Any], numbers: Numbers) -> None:
    path = make("hurt.ts", ticks=list(range(200)), options={"g": "20", "bf": "2"}, stored=noisy)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) * 6 // 10] = bytes(len(data) * 6 // 10 - len(data) // 2)
    path.write_bytes(data)
    seen = numbers(frames(path, rate=25))
    assert probe(path).duration_s == pytest.approx(8.0, abs=0.002)
    assert seen[:80] == list(range(80))
    assert seen[150:] == list(range(150, 200))
