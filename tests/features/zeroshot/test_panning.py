"""Which way the camera turns: a window that moves over a large picture, and pictures that have nothing in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from asst.features.zeroshot.panning import pan, spectrum
from asst.video import frames

HEIGHT, WIDTH = 120, 200


@pytest.fixture(scope="module")
def wide(street: Path) -> npt.NDArray[np.uint8]:
    picture: npt.NDArray[np.uint8] = next(frames(street, times_s=[2.5], short_side=272)).pixels[0]
    return picture


def at(wide: npt.NDArray[np.uint8], top: int, left: int) -> npt.NDArray[np.uint8]:
    return wide[top : top + HEIGHT, left : left + WIDTH]


@pytest.mark.parametrize(("down", "right"), [(0, 0), (0, 40), (0, -40), (30, 0), (-30, 0), (-12, 24), (0, 3), (2, -1)])
def test_the_camera_turns_as_the_window_moves(wide: npt.NDArray[np.uint8], down: int, right: int) -> None:
    found_right, found_up = pan(spectrum(at(wide, 60, 100)), spectrum(at(wide, 60 + down, 100 + right)))
    # Half a cell.
    assert found_right == pytest.approx(right / WIDTH, abs=0.5 / 60)
    assert found_up == pytest.approx(-down / HEIGHT, abs=0.5 / 36)


def test_pictures_of_nothing_in_common_do_not_turn(wide: npt.NDArray[np.uint8]) -> None:
    draw = np.random.default_rng(0)
    noise = [draw.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(2)]
    assert pan(spectrum(noise[0]), spectrum(noise[1])) == (0.0, 0.0)
    assert pan(spectrum(at(wide, 0, 0)), spectrum(wide)) == (0.0, 0.0)
    assert pan(spectrum(np.zeros((HEIGHT, WIDTH, 3), np.uint8)), spectrum(at(wide, 0, 0))) == (0.0, 0.0)


def test_the_smallest_pictures_are_no_fault() -> None:
    dot = np.full((1, 1, 3), 9, dtype=np.uint8)
    assert pan(spectrum(dot), spectrum(dot)) == (0.0, 0.0)
