"""Which frames are sampled, what each stands for, and that the threads' answers come in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.features.zeroshot.frame_selection import GROUP_STEPS, FrameSampler, Step, runs

MOST = 6


def changes(levels: list[int]) -> list[list[float]]:
    """All of a change at one of a step's two ticks: as between grey pictures."""
    return [[0.0, float(abs(b - a))] for a, b in pairwise([*levels[:1], *levels])]


def steps(levels: list[int], side: int = 2) -> Iterator[Step]:
    for level, change in zip(levels, changes(levels), strict=True):
        yield Step(np.full((side, side, 3), level, np.uint8), change)


def see(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
    """The grey of the picture and which thread looked; the brighter, the quicker."""
    time.sleep((255 - int(pictures[0, 0, 0, 0])) / 20_000)
    thread = int(threading.current_thread().name.removeprefix("sampling_"))
    return np.array([(p[0, 0, 0], thread) for p in pictures], dtype=np.float16)


def test_runs_break_at_the_largest_jumps_and_then_in_the_middle_of_the_longest() -> None:
    levels = [0, 0, 0, 70, 70, 71, 72, 73, 74, 75, 76, 77, 77, 200, 200, 200]
    assert runs(changes(levels), 1) == [(0, 16)]
    assert runs(changes(levels), 2) == [(0, 13), (13, 3)]
    assert runs(changes(levels), 3) == [(0, 3), (3, 10), (13, 3)]
    assert runs(changes(levels), 4) == [(0, 3), (3, 5), (8, 5), (13, 3)]
    # Nothing happens in what is left.
    assert runs(changes(levels), 16) == runs(changes(levels), 4)


def test_the_change_to_a_group_does_not_count_in_it() -> None:
    assert runs([[90.0, 0.0], *[[0.0, 0.0]] * 15], MOST) == [(0, 16)]


def test_a_change_at_either_tick_breaks_before_the_step() -> None:
    still = [[0.0, 0.0]] * 7
    for change in ([50.0, 0.0], [0.0, 50.0]):
        assert runs([*still, change, *still, [0.0, 0.0]], 2) == [(0, 7), (7, 9)]


def test_a_still_picture_is_one_run() -> None:
    assert runs([[0.1, 0.2]] * 16, MOST) == [(0, 16)]


@given(st.lists(st.integers(0, 255), min_size=1, max_size=GROUP_STEPS), st.integers(1, GROUP_STEPS))
def test_runs_cover_the_group_within_the_limit(levels: list[int], most: int) -> None:
    found = runs(changes(levels), most)
    assert [step for start, length in found for step in range(start, start + length)] == list(range(len(levels)))
    assert len(found) <= max(1, round(len(levels) * most / GROUP_STEPS))


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 75])
def test_answers_come_in_order_and_cover_every_step(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    levels = [(97 * k) % 251 for k in range(count)]
    with FrameSampler(see, 1, GROUP_STEPS) as sampler:
        found = list(sampler.rows(steps(levels)))
    assert [int(row[0]) for row, length in found for _ in range(length)] == levels
    looked = {int(row[1]) for row, _ in found}
    assert looked <= {0, 1, 2}
    assert len(looked) == (3 if count > 15 else len(looked))


def test_a_run_is_seen_in_its_middle() -> None:
    levels = [200, 201, 202, 10, 11, 12, 13]
    with FrameSampler(see, 1, 4) as sampler:
        assert [(int(row[0]), length) for row, length in sampler.rows(steps(levels))] == [(201, 3), (11, 4)]


def test_pictures_of_different_sizes_are_not_put_together() -> None:
    mixed = [*steps([1, 50, 100, 150, 200])]
    mixed[3:] = [Step(np.full((5, 5, 3), level, np.uint8), mixed[3].changes) for level in (150, 200)]
    for together in (1, 8):
        with FrameSampler(see, together, GROUP_STEPS) as sampler:
            assert [int(row[0]) for row, _ in sampler.rows(mixed)] == [1, 50, 100, 150, 200]


def test_an_error_in_a_thread_is_raised_and_the_threads_end() -> None:
    def fails(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        raise KeyError("broken")

    before = threading.active_count()
    with pytest.raises(KeyError, match="broken"), FrameSampler(fails, 1, MOST) as sampler:
        list(sampler.rows(steps([5] * 40)))
    assert threading.active_count() == before


def test_only_a_few_pictures_are_read_ahead() -> None:
    read = 0

    def endless() -> Iterator[Step]:
        nonlocal read
        while True:
            read += 1
            yield Step(np.full((2, 2, 3), read * 40 % 256, np.uint8), [30.0, 30.0])

    with FrameSampler(see, 1, MOST) as sampler:
        rows = sampler.rows(endless())
        for _ in range(30):
            next(rows)
            assert read <= 16 * (30 // MOST + 2)
