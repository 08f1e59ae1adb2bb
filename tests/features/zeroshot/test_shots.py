"""Shot cuts in made pictures of scenes that are known, and what holds whatever the pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.features.zeroshot.shots import coarse_colours, shot_cuts

Pixels = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 36, 64
TICKS_A_STEP = 2
# The one is red above blue, the other green beside grey: they differ in colour everywhere.
RED = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
RED[: HEIGHT // 2, :, 0], RED[HEIGHT // 2 :, :, 2] = 220, 200
GREEN = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
GREEN[:, : WIDTH // 2] = (10, 230, 40)
WHITE = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)


def mixed(share: float) -> Pixels:
    """Red turning to green."""
    return (RED * (1 - share) + GREEN * share).astype(np.uint8)


def panned(start: int) -> Pixels:
    """A window of a wide wall of coloured stripes."""
    stripes = np.random.default_rng(3).integers(0, 256, (1, 400, 3)).repeat(8, axis=1)
    return np.broadcast_to(stripes[:, start : start + WIDTH], (HEIGHT, WIDTH, 3)).astype(np.uint8)


def cuts_of(pictures: Sequence[Pixels], seen: Sequence[Sequence[float]]) -> list[int]:
    """The cuts when each tick shows a picture and the first tick of each step is also recognised as something."""
    colours = coarse_colours(np.stack(pictures))
    changes = np.abs(np.diff(colours, axis=0)).mean(axis=1).astype(np.float64)
    features = np.array([seen[tick - tick % TICKS_A_STEP] for tick in range(len(pictures))], dtype=np.float64)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cuts: list[int] = shot_cuts(changes, lambda first, last: unit[first:last], 0.3).tolist()
    return cuts


A, B = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


@pytest.mark.parametrize("at", [1, 2, 7, 8, 14])
def test_a_cut_is_found_at_its_tick_within_a_step_or_between_steps(at: int) -> None:
    assert cuts_of([RED] * at + [GREEN] * (16 - at), [A] * at + [B] * (16 - at)) == [at]


def test_two_cuts_a_second_apart_are_two() -> None:
    assert cuts_of([RED] * 6 + [GREEN] * 4 + [RED] * 6, [A] * 6 + [B] * 4 + [A] * 6) == [6, 10]


def test_nothing_is_cut_where_colour_and_content_do_not_change_together() -> None:
    fade = [0.0] * 5 + [k / 12 for k in range(13)] + [1.0] * 5
    assert cuts_of([mixed(share) for share in fade], [(1 - share, share, 0.0) for share in fade]) == []
    assert cuts_of([RED] * 7 + [WHITE] + [RED] * 8, [A] * 16) == []
    assert cuts_of([RED] * 8 + [GREEN] * 8, [A] * 16) == []
    assert cuts_of([RED] * 16, [A] * 8 + [B] * 8) == []
    pan = [panned(20 * tick) for tick in range(24)]
    assert cuts_of(pan, [(1 - tick / 30, tick / 30, 0.0) for tick in range(24)]) == []
    assert cuts_of(pan[:12] + [GREEN] * 12, [A] * 12 + [B] * 12) == []


def test_one_black_picture_between_shots_is_one_cut() -> None:
    """Both sides of it change by as much."""
    shown = np.full_like(RED, 90), np.zeros_like(RED), np.full_like(RED, 90)
    pictures = [shown[0]] * 8 + [shown[1]] + [shown[2]] * 8
    assert cuts_of(pictures, [A] * 8 + [B] * 9) == [8]


@given(
    st.integers(1, 20).flatmap(
        lambda ticks: st.tuples(
            st.lists(st.sampled_from([0.0, 20.0, 21.0, 50.0, 90.0]), min_size=ticks - 1, max_size=ticks - 1),
            st.lists(st.integers(0, 3), min_size=ticks, max_size=ticks),
        )
    )
)
def test_cuts_ascend_two_ticks_apart_at_least_and_never_at_the_first(drawn: tuple[list[float], list[int]]) -> None:
    changes, seen = drawn
    unit = np.eye(4)[seen]
    cuts = shot_cuts(np.array(changes), lambda first, last: unit[first:last], 0.3)
    assert all(0 < cut < len(seen) for cut in cuts)
    assert (np.diff(cuts) >= 2).all()
    assert all(changes[cut - 1] > 20 for cut in cuts)


def test_coarse_colours_are_means_of_cells() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 27, 48, 3), dtype=np.uint8)
    found = coarse_colours(pictures).reshape(2, 9, 16, 3)
    for row in range(9):
        for column in range(16):
            cell = pictures[:, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3].astype(float)
            np.testing.assert_allclose(found[:, row, column], cell.mean(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 40), (5, 7), (10, 17), (100, 3)])
def test_pictures_of_any_size_have_as_many_colours(height: int, width: int) -> None:
    plain = np.full((3, height, width, 3), (10, 200, 77), np.uint8)
    np.testing.assert_allclose(coarse_colours(plain), np.tile([10, 200, 77], (3, 9 * 16)))
    halves = plain.copy()
    halves[:, : (height + 1) // 2] = 0
    grid = coarse_colours(halves).reshape(3, 9, 16, 3)
    assert (grid[:, 0] == 0).all()
    assert (grid[:, -1, :, 1] == (200 if height > 1 else 0)).all()
