"""Detections of windows become those of videos."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.data.sample import Window
from asst.models.answers import WindowAnswer
from asst.models.trained.detector import (
    LEAST_SCORE,
    MOST_A_WINDOW,
    FoundActions,
    video_actions,
    window_actions,
)
from asst.moments import nms

HOP_S, LENGTH_S = 4.0, 8.0

# Spans inside their window, as (start, end) in eighths of it.
inside = st.tuples(st.integers(0, 14), st.integers(1, 8)).map(lambda p: (p[0] / 2, min(8.0, (p[0] + p[1]) / 2)))
videos = st.lists(st.lists(st.tuples(inside, st.integers(0, 1)), max_size=8), min_size=1, max_size=6)


def found(record: int, spans: list[tuple[float, float, float, int]]) -> FoundActions:
    array = np.array(spans, dtype=np.float64).reshape(-1, 4)
    return FoundActions(record, array[:, :2], array[:, 2], array[:, 3].astype(np.int64))


@given(videos, st.integers(0, 1000), st.sampled_from([0.0, 0.3, 0.7]))
@settings(max_examples=200, deadline=None)
def test_each_class_is_suppressed_over_all_windows(
    drawn: list[list[tuple[tuple[float, float], int]]], seed: int, threshold: float
) -> None:
    count = sum(map(len, drawn))
    scores = list(np.random.default_rng(seed).permutation(count) / (count + 1.0))
    windows, everything = [], []
    for number, spans in enumerate(drawn):
        start_s = number * HOP_S
        own = [(start_s + a, start_s + b, float(scores.pop()), label) for (a, b), label in spans]
        everything += own
        windows.append(found(0, own))
    (answer,) = video_actions(windows, 2, overlap=threshold, a_class=1000)
    expected = []
    for label in (0, 1):
        array = np.array([row for row in everything if row[3] == label], dtype=np.float64).reshape(-1, 4)
        expected += array[nms(array[:, :2], array[:, 2], threshold)].tolist()
    expected.sort(key=lambda row: -row[2])
    ours = np.column_stack([answer.spans_s, answer.scores, answer.labels])
    np.testing.assert_allclose(ours, np.array(expected).reshape(-1, 4))


def test_videos_are_kept_apart_and_the_best_of_each_class_are_kept() -> None:
    windows = [
        found(0, [(0.0, 1.0, 0.5, 0), (2.0, 3.0, 0.7, 1)]),
        found(1, [(0.0, 1.0, 0.9, 0), (2.0, 3.0, 0.05, 0), (4.0, 5.0, 0.6, 0), (6.0, 7.0, 0.4, 0), (6.0, 7.0, 0.2, 1)]),
        found(2, []),
    ]
    answers = list(video_actions(windows, 2, overlap=0.3, a_class=2, least=0.1))
    assert [answer.record for answer in answers] == [0, 1, 2]
    assert [answer.scores.tolist() for answer in answers] == [[0.7, 0.5], [0.9, 0.6, 0.2], []]
    assert answers[0].labels.tolist() == [1, 0]


def test_a_windows_detections_are_cut_to_it_and_to_the_video() -> None:
    spans = np.array([[-2.0, 3.0], [6.0, 20.0], [11.0, 12.0], [0.0, 1.0], [0.0, 1.0]])
    scores = np.array([[0.9, 0.8, 0.7, LEAST_SCORE / 2, 0.5]])
    kept = np.array([True, True, True, True, False])
    answer = WindowAnswer(3, Window(10.0, 1.0, 12), spans, scores, kept, np.arange(5))
    seen = window_actions(answer, 20.5)
    assert seen.record == 3
    assert seen.spans_s.tolist() == [[10.0, 13.0], [16.0, 20.5]]
    assert seen.labels.tolist() == [0, 1]
    many = np.tile([[0.0, 1.0]], (MOST_A_WINDOW + 7, 1))
    strong = np.linspace(0.1, 0.9, len(many))[None]
    crowded = WindowAnswer(0, Window(0.0, 1.0, 12), many, strong, np.ones(len(many), bool), np.zeros(len(many), int))
    best = window_actions(crowded, 30.0)
    assert len(best.scores) == MOST_A_WINDOW
    assert best.scores.min() > strong.min()
