"""What is kept of the last video is never given out for another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest

from asst.features.values import Features
from asst.models.zeroshot.proposals import LastVideo


def video(number: int) -> Features:
    return Features(np.full((1, 1), number, dtype=np.float32), 0.0, 1.0, "toy")


@pytest.fixture
def often_switched() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(usual)


def test_what_was_made_last_is_made_once() -> None:
    numbers = count(1)
    of_last = LastVideo(lambda _: next(numbers))
    first, second = video(1), video(2)
    assert [of_last(one) for one in (first, first, second, first)] == [1, 1, 2, 3]


def test_two_threads_never_get_each_others(often_switched: None) -> None:
    kept: LastVideo[float] = LastVideo(lambda features: float(features.vectors[0, 0]))

    def wrong(number: int) -> int:
        own = video(number)
        return sum(kept(own) != number for _ in range(60_000))

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(wrong, (1, 2))) == [0, 0]
