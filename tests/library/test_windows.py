"""Windows and parts cover a video, and a window's product with a sentence is near the model's score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asst
from asst.library.sketch import DefaultEngine
from asst.library.windows import evenly, parts_of, windows_of
from asst.models.scored import HALF, SLOPE


@given(steps=st.integers(1, 3000), length=st.integers(2, 400), data=st.data())
def test_spans_cover_all_steps_and_share_enough(steps: int, length: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, length - 1))
    spans = evenly(steps, length, overlap)
    assert (spans[0, 0], spans[-1, 1]) == (0, steps)
    assert (np.diff(spans, axis=1) <= length).all()
    assert (spans[:-1, 1] - spans[1:, 0] >= overlap).all()


@given(steps=st.integers(1, 20_000))
def test_a_window_lies_in_its_part_and_no_part_is_without_one(steps: int) -> None:
    windows, parts = windows_of(steps, 0.5)
    assert (parts[:, 0] <= windows[:, 0]).all()
    assert (windows[:, 1] <= parts[:, 1]).all()
    assert {tuple(part) for part in parts.tolist()} == {tuple(part) for part in parts_of(steps, 0.5).tolist()}


def test_a_product_is_near_the_score(street_features: asst.Features) -> None:
    engine = DefaultEngine()
    windows = engine.windows(street_features)
    assert windows.vectors.shape == (len(windows), engine.identity.dimension)
    for sentence in ("a taxi sign on top of a car", "a penguin on the ice", "a bus seen from above"):
        (ranking,) = engine.rank(street_features, [sentence], top=1)
        product = float((windows.vectors.astype(np.float32) @ engine.sentence(sentence)).max())
        odds = ranking.moments[0].score / (1 - ranking.moments[0].score)
        assert product == pytest.approx(np.log(odds) / SLOPE + HALF, abs=1.5)
