"""The classifier of single steps: its targets, and the grouping against a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.data.batch import Batch, Collate
from asst.data.sample import Sample, Window
from asst.errors import InputError
from asst.models.answers import CUT_OFF, padded_runs, runs
from asst.models.methods.frame_classifier import FrameClassifierMethod, step_labels

SETTINGS = {"feature_channels": 3, "steps": 8, "hidden_channels": 4, "labels": ["a", "b"], "smoothing": 1}


def batch(*spans: tuple[float, float, int], steps: int = 8) -> Batch:
    array = np.array(spans, dtype=np.float64).reshape(-1, 3)
    vectors = np.random.default_rng(0).standard_normal((steps, 3)).astype(np.float32)
    words = np.zeros((0, 1), dtype=np.float32)
    sample = Sample(0, Window(0, 1, steps), vectors, words, array[:, :2], labels=array[:, 2].astype(np.int64))
    return Collate(8)([sample])


def test_a_step_has_the_class_of_the_action_around_its_middle() -> None:
    found = step_labels(batch((1.0, 3.4, 2), (5.6, 8.0, 1), (3.5, 4.5, -1)))
    assert found.tolist() == [[0, 2, 2, -1, 0, 0, 1, 1]]


def test_open_stretches_and_padding_are_not_learnt() -> None:
    method = FrameClassifierMethod(SETTINGS).eval()
    seen = batch((0.0, 2.0, 1), (2.0, 4.0, -1), steps=6)
    logs = method.classify(seen.features[0]).log_softmax(dim=1)
    expected = -(logs[0, 1] + logs[1, 1] + logs[4, 0] + logs[5, 0]) / 4
    from asst.models.methods.base import Share

    loss = method.loss(seen, Share(lambda width: torch.zeros(1, width), lambda value: value))
    assert float(loss.total.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=14), st.integers(0, 3))
@settings(max_examples=100)
def test_runs_equal_a_loop(digits: list[int], gap: int) -> None:
    reached = [digit >= 5 for digit in digits]
    spans: list[list[int]] = []
    for step, on in enumerate(reached):
        if on and spans and step - spans[-1][1] <= gap:
            spans[-1][1] = step + 1
        elif on:
            spans.append([step, step + 1])
    values = np.array([[np.zeros(len(digits)), digits], [digits, digits]], dtype=np.float64)
    found = runs(values, 5.0, gap)
    assert found.tolist() == [[w, c, *span] for w, c in ((0, 1), (1, 0), (1, 1)) for span in spans]


def test_runs_become_answers_scored_by_their_mean() -> None:
    values = np.array([[[0.2, 0.8, 0.6, 0.0]], [[0.0, 0.0, 0.0, 0.0]]])  # the first run of 0.1 begins at the edge
    answers = padded_runs(values, [runs(values, 0.5, 0), runs(values, 0.1, 0), runs(values, 0.7, 0)])
    assert answers["spans"][0].tolist() == [[0, 3], [1, 2], [1, 3]]
    assert answers["scores"][0].tolist() == pytest.approx([CUT_OFF * 1.6 / 3, 0.8, 0.7])
    assert answers["kept"].tolist() == [[True] * 3, [False] * 3]


def test_settings_it_cannot_have_are_refused() -> None:
    with pytest.raises(InputError, match="smoothing must be odd"):
        FrameClassifierMethod({**SETTINGS, "smoothing": 4})
    with pytest.raises(InputError, match="thresholds lie between 0 and 1"):
        FrameClassifierMethod({**SETTINGS, "thresholds": [0.5, 1.5]})
