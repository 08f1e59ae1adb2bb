"""Items made by a thread: their order, their errors, how many wait, and the thread's end."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from asst.features.prefetch import made_ahead


def wait_until(true: Callable[[], bool], most_s: float = 5.0) -> bool:
    end = time.monotonic() + most_s
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    return true()


@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_items_come_in_order_and_the_thread_ends(count: int) -> None:
    before = threading.active_count()
    assert list(made_ahead(iter(range(count)))) == list(range(count))
    assert threading.active_count() == before


def test_an_exception_comes_after_the_items_before_it() -> None:
    error = KeyError("broken")

    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise error

    before = threading.active_count()
    got: list[int] = []
    with pytest.raises(KeyError) as raised:
        got.extend(made_ahead(items()))
    assert raised.value is error
    made = made_ahead(items())
    assert [next(made), next(made)] == [1, 2]
    with pytest.raises(KeyError):
        next(made)
    assert threading.active_count() == before


@pytest.mark.parametrize("taken", [1, 5])
def test_a_consumer_that_stops_early_ends_the_thread(taken: int) -> None:
    before = threading.active_count()
    made = made_ahead(itertools.count())
    assert list(itertools.islice(made, taken)) == list(range(taken))
    assert threading.active_count() == before + 1
    made.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_an_error_of_the_consumer_ends_the_thread_too() -> None:
    before = threading.active_count()

    def use() -> None:
        for item in made_ahead(itertools.count()):
            if item == 4:
                raise ValueError(item)

    with pytest.raises(ValueError, match="4"):
        use()
    assert wait_until(lambda: threading.active_count() == before)


@pytest.mark.parametrize("most", [1, 3])
def test_a_slow_consumer_has_few_items_waiting_and_a_quick_maker_is_ahead(most: int) -> None:
    count = 0

    def items() -> Iterator[int]:
        nonlocal count
        while True:
            count += 1
            yield count

    made = made_ahead(items(), most)
    for used in range(1, 6):
        assert next(made) == used
        # ``most`` wait, and one more is in the thread's hand.
        assert wait_until(lambda used=used: count == used + most + 1)  # type: ignore[misc]
        time.sleep(0.02)
        assert count == used + most + 1
    made.close()  # type: ignore[attr-defined]


def test_the_maker_works_while_the_consumer_does() -> None:
    both = threading.Barrier(2, timeout=5)

    def items() -> Iterator[int]:
        yield 1
        both.wait()
        yield 2

    made = made_ahead(items())
    assert next(made) == 1
    both.wait()
    assert next(made) == 2
    assert list(made) == []
