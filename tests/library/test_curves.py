"""Curves of parts against the scores that each step has in them."""

from __future__ import annotations

import numpy as np

from asst.library.search import joined
from asst.moments import Curve


def curve(first: int, scores: list[float], start_s: float = 0.3) -> Curve:
    return Curve(np.array([start_s + 0.5 * (first + i) for i in range(len(scores))]), np.array(scores))


def test_parts_that_meet_make_one_line_with_the_higher_score_where_they_overlap() -> None:
    made = joined([curve(2, [0.0, 9.0, 1.0]), curve(0, [1.0, 2.0, 3.0, 4.0])], 0.5)
    np.testing.assert_allclose(made.times_s, 0.3 + 0.5 * np.arange(5))
    assert made.scores.tolist() == [1.0, 2.0, 3.0, 9.0, 1.0]


def test_the_line_breaks_between_parts_with_nothing_scored_in_between() -> None:
    made = joined([curve(8, [5.0, 6.0]), curve(0, [1.0, 2.0])], 0.5)
    np.testing.assert_allclose(made.times_s, 0.3 + 0.5 * np.array([0, 1, 2, 8, 9]))
    np.testing.assert_array_equal(made.scores, [1.0, 2.0, np.nan, 5.0, 6.0])
