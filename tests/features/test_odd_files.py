"""Odd files through extraction: late, turned, of a changing rate, damaged, cut short, empty, without a picture."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from asst.cli.app import app
from asst.features.extract import Job, Outcome, extract_one
from asst.features.networks.frame_network import TICK_RATE, TICKS_A_STEP, Branch, FrameNetwork
from asst.features.resampling import FrameSize
from asst.features.stores.native import Store
from asst.features.values import Features

Make = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("one_thread")

BITS = 10
HEIGHT, WIDTH = 48, 80


class Numbers(nn.Module):
    """Reads the number that every picture shows as bars, ``(batch, pictures, height, width, 3)``."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        columns = ((torch.arange(BITS) + 0.5) * WIDTH / BITS).long()
        bars = pixels[:, :, HEIGHT // 4 : 3 * HEIGHT // 4, columns].float().mean((2, 4)) > 125
        return (bars * 2 ** torch.arange(BITS - 1, -1, -1)).sum(2).float()


@pytest.fixture(scope="module")
def reader() -> FrameNetwork:
    """An extractor whose vectors are the numbers of a step's six pictures."""

    def prepare(pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
        return np.stack(pictures)

    branch = Branch(Numbers(), TICKS_A_STEP, range(TICKS_A_STEP), prepare, {}, "")
    return FrameNetwork("reader", [branch], FrameSize(exact=(HEIGHT, WIDTH)))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def extracted(path: Path, reader: FrameNetwork, store: Store) -> Features:
    outcome = extract_one(Job(path, path.stem), reader, store)
    assert (outcome.state, outcome.reason) == ("extracted", "")
    features = store.read(path.stem)
    assert outcome.video_s == features.duration_s
    assert (features.start_s, features.step_s) == (0.0, TICKS_A_STEP / TICK_RATE)
    return features


def failed(path: Path, reader: FrameNetwork, store: Store) -> Outcome:
    outcome = extract_one(Job(path, path.stem), reader, store)
    assert outcome.state == "failed"
    assert store.videos() == ()
    assert str(path) in outcome.reason
    assert "\n" not in outcome.reason
    return outcome


def on_display(ticks: Sequence[int], time_base: Fraction, end: Fraction) -> list[int]:
    """The slow reference: which picture is shown at each instant of the steps, the last standing in after the end."""
    times = [(tick - ticks[0]) * time_base for tick in ticks]
    instants = [Fraction(k, TICK_RATE) for k in range(math.ceil(end * TICK_RATE))]
    shown = [max(i for i, time in enumerate(times) if time <= instant) for instant in instants]
    return shown + shown[-1:] * (-len(shown) % TICKS_A_STEP)


def steady(pictures: int) -> list[int]:
    return on_display(range(pictures), Fraction(1, 25), Fraction(pictures, 25))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_clock_that_starts_late_changes_nothing(suffix: str, make: Make, reader: FrameNetwork, store: Store) -> None:
    late = make("late" + suffix, ticks=list(range(250, 310)), options={"bf": "2"}, beep_s=(0.5, 1.0))
    features = extracted(late, reader, store)
    assert features.vectors.ravel().tolist() == steady(60)


@pytest.mark.parametrize("turned_left", [1, 2, 3])
def test_a_video_stored_on_its_side_is_seen_upright(
    turned_left: int, make: Make, reader: FrameNetwork, store: Store
) -> None:
    path = make("turned.mp4", turned_left=turned_left, turned_back=True)
    with av.open(str(path)) as container:
        stored = container.streams.video[0]
        assert (stored.width, stored.height) == ((96, 160) if turned_left % 2 else (160, 96))
    assert extracted(path, reader, store).vectors.ravel().tolist() == steady(60)


def test_steps_follow_the_clock_where_the_rate_changes(make: Make, reader: FrameNetwork, store: Store) -> None:
    # Thirty pictures a second, then a still for a second and a half, then five a second, then bursts.
    ticks = [*range(0, 1000, 33), *range(2500, 4000, 200), *range(4000, 4100, 11), 4700]
    path = make("vfr.mkv", ticks=ticks, time_base=Fraction(1, 1000))
    features = extracted(path, reader, store)
    end = Fraction(ticks[-1], 1000) + Fraction(1, 25)
    expected = on_display(ticks, Fraction(1, 1000), end)
    assert features.vectors.ravel().tolist() == expected
    # By the number of pictures alone, as if they were even, the video would be half as long.
    assert features.duration_s == pytest.approx(4.75)


def test_a_damaged_stretch_costs_only_itself(
    hurt: Path, reader: FrameNetwork, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "asst.video"):
        seen = extracted(hurt, reader, store).vectors.ravel()
    expected = np.array(steady(200))
    assert seen.shape == expected.shape
    elsewhere = (expected <= 80) | (expected >= 150)
    np.testing.assert_array_equal(seen[elsewhere], expected[elsewhere])
    assert (seen != expected).any()
    (record,) = caplog.records
    assert "packets could not be decoded" in record.getMessage()


@pytest.mark.parametrize("name", ["short.mkv", "short.ts"])
def test_a_file_that_was_cut_short_gives_what_is_there(
    name: str, make: Make, noisy: Callable[..., Any], reader: FrameNetwork, store: Store
) -> None:
    path = make(name, ticks=list(range(200)), options={"bf": "2"}, stored=noisy)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    features = extracted(path, reader, store)
    assert 2.0 <= features.duration_s <= 6.0
    expected = np.array(steady(200))[: features.vectors.size]
    # In the last step the last picture that is there stands in for those that are not.
    np.testing.assert_array_equal(features.vectors[:-1].ravel(), expected[:-TICKS_A_STEP])
    assert (np.diff(features.vectors[-1]) >= 0).all()


def test_one_picture_is_one_step(make: Make, reader: FrameNetwork, store: Store) -> None:
    assert extracted(make("one.mp4", ticks=[0]), reader, store).vectors.tolist() == [[0] * TICKS_A_STEP]


def song(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def without_an_index(path: Path, whole: Path) -> Path:
    """An MP4 whose end, with the index, is missing."""
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def test_what_holds_no_picture_is_a_failure_in_one_line(
    tmp_path: Path, make: Make, reader: FrameNetwork, store: Store
) -> None:
    assert "is empty" in failed(empty(tmp_path / "empty.mp4"), reader, store).reason
    assert "has no picture" in failed(song(tmp_path / "song.mp4"), reader, store).reason
    cut = without_an_index(tmp_path / "cut.mp4", make("whole.mp4"))
    assert "cut short" in failed(cut, reader, store).reason
    zeroed = tmp_path / "zeroed.mp4"
    zeroed.write_bytes(bytes(50_000))
    assert "cannot read" in failed(zeroed, reader, store).reason


def test_a_folder_of_odd_files_fills_a_store_and_is_reported(tmp_path: Path, make: Make) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    good = {
        "late.ts": make("late.ts", ticks=list(range(250, 310))),
        "turned.mp4": make("turned.mp4", turned_left=1, turned_back=True),
        "vfr.mkv": make("vfr.mkv", ticks=[0, 40, 41, 200, 900, 2400], time_base=Fraction(1, 1000)),
    }
    for name, path in good.items():
        path.rename(videos / name)
    song(videos / "song.mp4")
    empty(videos / "empty.mp4")
    without_an_index(videos / "cut.mp4", make("whole.mp4"))
    words = ["features", str(videos), "--extractor", "captions", "--out", str(tmp_path / "store")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1, done.output
    assert done.stdout.startswith("of 6 videos extracted 3 ")
    assert "0 were there already, 3 failed" in done.stdout
    told = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    assert told.keys() == {"song", "empty", "cut"}
    store = Store(tmp_path / "store")
    assert store.videos() == ("late", "turned", "vfr")
    for video in store.videos():
        assert len(store.read(video)) == 5
        assert np.isfinite(store.read(video).vectors).all()
    again = CliRunner().invoke(app, words)
    assert (again.exit_code, again.stdout.startswith("of 6 videos extracted 0, 3 were there already, 3 failed")) == (
        1,
        True,
    )
