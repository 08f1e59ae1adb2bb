"""Pictures that are held for long: what is done for them goes by the pictures that are there, not by the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from asst.features.networks.frame_network import Branch, FrameNetwork, repeated
from asst.features.resampling import FrameSize, pictures, ticks
from asst.features.zeroshot.crops import CropsExtractor
from asst.features.zeroshot.panning import Spectrum, spectrum
from asst.features.zeroshot.space import Space
from asst.video import Crop, Frames, frames

Make = Callable[..., Path]
Pixels = npt.NDArray[np.uint8]
pytestmark = pytest.mark.usefixtures("one_thread")

# A second of pictures, then one that stands for an hour, then two seconds of pictures.
TICKS = [*range(25), *range(3600 * 25, 3602 * 25)]
HOUR_STEPS = 3602 * 2


class Greys(CropsExtractor):
    """Sees the mean grey of each crop."""

    def __init__(self) -> None:
        space = Space("greys", np.zeros(1, np.float32), pixels=True)
        super().__init__(space, 48, "", {}, 2.0, 0.3)
        self.sampled: list[tuple[int, ...]] = []

    def crop_vectors(self, pictures: Pixels) -> npt.NDArray[np.float16]:
        self.sampled.append(pictures.shape)
        return np.repeat(pictures.mean(axis=(1, 2, 3))[:, None], 3, 1).astype(np.float16)


def test_what_is_kept_of_long_pictures_is_in_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Greys().preprocessing
    assert Greys().preprocessing == before
    monkeypatch.setattr("asst.features.zeroshot.crops._CROP", Crop(3, 2.0))
    assert Greys().preprocessing != before


@pytest.fixture(scope="module")
def hour(make: Make) -> Path:
    return make("hour.mkv", ticks=TICKS, time_base=Fraction(1, 25))


def test_an_hour_between_two_pictures_costs_no_sampled_frames(hour: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Spectrum] = []

    def counted(picture: Pixels) -> Spectrum:
        seen.append(spectrum(picture))
        return seen[-1]

    monkeypatch.setattr("asst.features.zeroshot.crops.spectrum", counted)
    extractor = Greys()
    features = extractor.extract(hour)
    assert len(features) == HOUR_STEPS
    assert len(extractor.sampled) < 20
    assert len(seen) < 60
    held = np.asarray(features.vectors[4:7196])
    assert (held == held[0]).all()
    assert (features.vectors[-1] != held[0]).any()


def test_what_is_held_is_seen_as_what_comes_again_and_again(make: Make) -> None:
    path = make("still.mkv", ticks=[*range(10), 700, *range(1400, 1440)], time_base=Fraction(1, 25))
    batches = list(frames(path, rate=4, batch=16, short_side=48))
    assert any(batch.held for batch in batches)
    again = [Frames(batch.pixels.copy(), batch.times_s) for batch in batches]
    assert not any(batch.held for batch in again)
    found, expected = Greys().extract_frames(batches), Greys().extract_frames(again)
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    np.testing.assert_array_equal(found.cuts_s, expected.cuts_s)
    np.testing.assert_array_equal(Greys().extract(path).vectors, expected.vectors)


class Means(nn.Module):
    """The mean of each picture; remembers how many inputs it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs = 0

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        self.inputs += len(pixels)
        return pixels.float().mean((2, 3, 4))


def test_networks_of_single_pictures_see_a_held_one_once(hour: Path) -> None:
    def prepare(shown: Sequence[Pixels]) -> Pixels:
        return np.stack(shown)

    network = Means()
    branch = Branch(network, 4, range(1, 5), prepare, {}, "")
    extractor = FrameNetwork("means", [branch], FrameSize(short_side=48))
    features = extractor.extract(hour)
    assert len(features) == 3602 * 4
    assert network.inputs < 60
    held = np.asarray(features.vectors[8:-12])
    assert (held == held[0]).all()


def test_pictures_that_are_held_are_one_object_over_batches(hour: Path) -> None:
    shown = list(pictures(frames(hour, rate=4, batch=16, short_side=48)))
    assert len(shown) == 3602 * 4
    assert len({id(picture) for picture in shown}) < 60


def test_frames_far_apart_in_memory_are_ticked_without_copies() -> None:
    made: list[Any] = []

    def sized(one: Pixels) -> Pixels:
        made.append(one)
        return one.copy()

    two = Frames(np.stack([np.full((4, 4, 3), 7, np.uint8), np.full((4, 4, 3), 9, np.uint8)]), np.array([0.0, 3600.0]))
    found = list(ticks([two], 4, 16, sized))
    assert sum(map(len, found)) == 3600 * 4 + 1
    assert len(made) == 2
    assert all(batch.held for batch in found[:-1])


def test_windows_of_the_very_same_pictures_are_one() -> None:
    a, b = np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)

    def windows() -> Iterator[list[Pixels]]:
        yield from ([a, a], [a, a], [a, b], [b, b], [b, b], [b, b])

    assert [times for _, times in repeated(windows())] == [2, 1, 3]


@pytest.mark.parametrize(("width", "height"), [(4000, 16), (16, 4000), (1920, 360), (320, 180)])
def test_a_network_is_never_given_more_than_three_crops(make: Make, width: int, height: int) -> None:
    path = make("long.mp4", ticks=[*range(12)], width=width, height=height)
    extractor = Greys()
    extractor.extract(path)
    pixels = [Frames(np.zeros((1, height, width, 3), np.uint8), np.zeros(1))]
    Greys().extract_frames(pixels)
    assert all(min(shape[1:3]) == 48 and max(shape[1:3]) <= 3 * 48 for shape in extractor.sampled)
