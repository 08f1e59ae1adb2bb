"""How much what is seen turns."""

from __future__ import annotations

import numpy as np
import pytest

from asst.models.zeroshot.evidence import turning


def test_a_step_turns_as_much_as_between_its_neighbours_in_the_shot() -> None:
    between = np.array([0.1, 0.3, 0.9, 0.2, 0.8])
    assert turning(between, np.array([], dtype=np.int64)).tolist() == pytest.approx([0.1, 0.2, 0.6, 0.55, 0.5, 0.8])
    # The third shot is a single step: it gets the mean of the others, and no cut counts as turning.
    assert turning(between, np.array([3, 5])).tolist() == pytest.approx([0.1, 0.2, 0.3, 0.2, 0.2, 0.2])


@pytest.mark.parametrize("first_of_shot", [[], [1], [0, 1, 2]])
def test_one_step_does_not_turn(first_of_shot: list[int]) -> None:
    assert turning(np.zeros(0), np.array(first_of_shot, dtype=np.int64)).tolist() == [0.0]
