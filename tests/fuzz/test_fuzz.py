"""A few hundred mutated inputs a reader, the same each time; `run.py` tries more."""

from __future__ import annotations

import random

import pytest

from .mutation import mutated
from .trial import run

INPUTS = {"video": 120, "annotation": 300, "features": 200, "queries": 100, "http": 100}


@pytest.mark.parametrize("target", INPUTS)
def test_a_damaged_input_is_read_or_refused(target: str) -> None:
    count = run(target, seed=0, inputs=INPUTS[target], lasting_s=600.0)
    assert not count.faults
    assert count.read + count.refused == INPUTS[target]
    assert count.refused


def test_mutations_are_the_same_for_the_same_seed_and_differ_from_the_input() -> None:
    content = bytes(range(200))
    first, again = ([mutated(content, random.Random(seed)) for seed in range(50)] for _ in range(2))
    assert first == again
    assert sum(made != content for made in first) > 40
    assert mutated(b"", random.Random(1)) is not None
