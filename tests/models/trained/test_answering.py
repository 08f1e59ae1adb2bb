"""From the answers of windows to those of sentences, against a slow loop."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asst.data.sample import Window
from asst.models.answers import WindowAnswer, query_answers

SPANS = np.array([[0.0, 2.0], [2.0, 4.0], [0.0, 4.0]])


def answer(
    record: int, start_s: float, scores: list[list[float]], kept: tuple[bool, ...] = (True,) * 3
) -> WindowAnswer:
    return WindowAnswer(record, Window(start_s, 0.5, 4), SPANS, np.array(scores), np.array(kept))


def test_windows_of_a_query_are_merged_in_seconds_and_cut_to_the_video() -> None:
    answers = [
        answer(0, 0.0, [[0.9, 0.1, 0.2], [0.5, 0.3, 0.2]]),
        answer(0, 1.0, [[0.6, 0.5, 0.1], [0.2, 0.9, 0.3]], kept=(True, True, False)),
        answer(1, 0.0, [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]]),
    ]
    first, second = query_answers(answers, [2.5, 9.0], relative=False, overlap=0.8)
    assert (first.record, second.record) == (0, 1)
    # (1, 2) is answered by both windows, as the second piece of one and the first of the other: the better one stays.
    assert first.spans_s.tolist() == [[0.0, 1.0], [2.0, 2.5], [1.0, 2.0], [0.0, 2.0]]
    assert first.scores == pytest.approx([0.7, 0.7, 0.4, 0.2])
    assert second.spans_s.tolist() == [[0.0, 2.0], [1.0, 2.0], [0.0, 1.0]]
    (limited,) = query_answers(answers[2:], [0.0, 9.0], relative=False, overlap=0.8, limit=1)
    assert limited.spans_s.tolist() == [[0.0, 2.0]]


def test_logits_compete_over_all_windows_of_a_query_in_each_method_apart() -> None:
    logits = [[[1.0, 2.0, 50.0], [0.5, 0.0, 3.0]], [[2.5, -1.0, 0.0], [1.0, 1.0, -2.0]]]
    kept = [(True, True, False), (True, True, True)]
    answers = [answer(0, 4.0 * at, own, mask) for at, (own, mask) in enumerate(zip(logits, kept, strict=True))]
    (found,) = query_answers(answers, [8.0], relative=True, overlap=1.0)
    expected = []
    for window in range(2):
        for clip in range(3):
            if kept[window][clip]:
                shares = []
                for method in range(2):
                    powers = [math.exp(logits[w][method][c]) for w in range(2) for c in range(3) if kept[w][c]]
                    shares.append(math.exp(logits[window][method][clip]) / sum(powers))
                expected.append(sum(shares) / 2)
    assert sorted(found.scores, reverse=True) == pytest.approx(sorted(expected, reverse=True))
    assert found.scores.sum() == pytest.approx(1)
    assert (np.diff(found.scores) <= 0).all()
