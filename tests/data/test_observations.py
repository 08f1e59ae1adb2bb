"""What a training step sees: the moment's content is where the transformed span says."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asst.data import read_dataset
from asst.data.observations import CropObservation, PieceObservation
from asst.data.record import Record, Span
from asst.errors import InputError
from asst.features.values import Features
from asst.moments import piece_clips
from asst.nn.config import ASSTConfig
from asst.nn.network import ASSTNetwork


def record(duration_s: float, *moments: Span) -> Record:
    return Record("r", "v", "train", "a door opens", duration_s, moments, moments)


def ramp(duration_s: float, start_s: float = 0.0) -> Features:
    centres_s = start_s + (np.arange(round(duration_s * 4)) + 0.5) / 4
    return Features(centres_s[:, None].astype(np.float32), start_s, 0.25, "ramp")


@given(st.integers(8, 400), st.data(), st.integers(0, 10_000))
def test_the_content_of_a_moment_is_where_its_steps_say(quarters: int, data: st.DataObject, seed: int) -> None:
    duration_s = quarters / 4
    start_s = data.draw(st.floats(0, duration_s - 1))
    end_s = data.draw(st.floats(start_s + 0.5, duration_s))
    seen = CropObservation().draw(record(duration_s, (start_s, end_s)), ramp(duration_s), np.random.default_rng(seed))
    window, [[first, last]] = seen.window, seen.moments
    assert 0.2 - 1e-9 <= window.step_s <= 0.3125 + 1e-9
    assert 0 <= first < last <= window.steps <= 128
    shown_s = window.read(ramp(duration_s))[:, 0]
    centres = np.arange(window.steps) + 0.5
    inside = (centres > first) & (centres < last)
    # A centre beyond those of the features shows the last of them, half a step of theirs inside.
    edge_s = 0.125 + 1e-3
    assert (shown_s[inside] >= start_s - edge_s).all()
    assert (shown_s[inside] <= end_s + edge_s).all()
    outside_s = shown_s[~inside]
    assert ((outside_s <= start_s + edge_s) | (outside_s >= end_s - edge_s)).all()
    if window.steps < 128:
        assert window.start_s == 0
        assert window.end_s >= duration_s - 1e-6
        assert window.steps - 1 < duration_s / window.step_s + 1e-6
    if window.steps < 128 or (end_s - start_s) / window.step_s <= 128:
        assert window.to_seconds(seen.moments)[0] == pytest.approx([start_s, end_s], abs=1e-6)
    else:
        assert [first, last] == pytest.approx([0, 128], abs=1e-6)


def test_crops_and_factors_are_drawn_from_all_that_show_the_moment() -> None:
    windows = []
    generator = np.random.default_rng(0)
    for _ in range(2000):
        crop = CropObservation().draw(record(100.0, (40.0, 50.0)), ramp(100.0), generator)
        assert crop.window.steps == 128
        windows.append(crop.window)
    factors = 0.25 / np.array([window.step_s for window in windows])
    assert factors.min() < 0.82
    assert factors.max() > 1.22
    assert 0.47 < (factors < 1).mean() < 0.53
    # 0 where the moment ends with the window, 1 where it starts with it.
    places = [(window.start_s - (50 - 128 * window.step_s)) / (128 * window.step_s - 10) for window in windows]
    counts, _ = np.histogram(places, bins=4, range=(0, 1))
    assert counts.sum() == 2000
    assert counts.min() > 400
    ends = [
        CropObservation().draw(record(100.0, (97.0, 99.0)), ramp(100.0), np.random.default_rng(s)) for s in range(50)
    ]
    assert max(seen.window.end_s for seen in ends) <= 100 + 1e-6


def test_other_moments_count_where_at_least_half_of_them_shows() -> None:
    plain = CropObservation(steps=40, least=1.0, most=1.0)
    near, far = (4.0, 8.0), (12.0, 14.0)
    sizes: Counter[tuple[Span, int]] = Counter()
    for seed in range(200):
        seen = plain.draw(record(30.0, near, far), ramp(30.0), np.random.default_rng(seed))
        spans_s = seen.window.to_seconds(seen.moments)
        drawn = near if spans_s[0] == pytest.approx(near) else far
        assert spans_s[0] == pytest.approx(drawn)
        other = far if drawn == near else near
        shown_s = min(other[1], seen.window.end_s) - max(other[0], seen.window.start_s)
        expected = 2 if shown_s >= 0.5 * (other[1] - other[0]) else 1
        assert len(seen.moments) == expected
        if expected == 2:
            assert spans_s[1] == pytest.approx(np.clip(other, seen.window.start_s, seen.window.end_s))
        sizes[drawn, expected] += 1
    assert len(sizes) == 4


def test_a_clock_that_does_not_start_at_zero_is_kept() -> None:
    features = ramp(20.0, start_s=2.0)
    seen = CropObservation().draw(record(30.0, (5.0, 9.0)), features, np.random.default_rng(1))
    assert seen.window.start_s == 2.0
    assert seen.window.to_seconds(seen.moments)[0] == pytest.approx([5.0, 9.0])
    assert [window.start_s for window in CropObservation(steps=64).windows(30.0, features)] == [
        2,
        6,
    ]


def test_features_that_do_not_reach_the_moment_are_refused() -> None:
    with pytest.raises(InputError, match=r"record r: its moment \(25.0, 28.0\) s lies outside .* v, 0-20 s"):
        CropObservation().draw(record(30.0, (25.0, 28.0)), ramp(20.0), np.random.default_rng(1))


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"step_s": 0.0}, {"step_s": math.inf}, {"step_s": "a"}, {"least": 0.0}, {"least": 2.0}]
)
def test_a_crop_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CropObservation(**wrong)


def test_the_annotation_of_an_iteration_is_drawn_from_the_agreeing_ones() -> None:
    marked = ((5.0, 10.0), (5.0, 10.0), (5.0, 15.0))
    targets: Counter[tuple[int, int]] = Counter()
    for seed in range(600):
        seen = PieceObservation().draw(record(30.0, *marked), ramp(30.0), np.random.default_rng(seed))
        assert seen.target is not None
        targets[piece_clips(6)[seen.target]] += 1
        assert seen.window.to_seconds(seen.moments)[0].tolist() in [[5.0, 10.0], [5.0, 15.0]]
    assert targets.keys() == {(1, 1), (1, 2)}
    assert 350 < targets[1, 1] < 450
    with pytest.raises(InputError, match="is no clip of 6 pieces"):
        PieceObservation().draw(record(40.0, (30.0, 35.0)), ramp(40.0), np.random.default_rng(1))


def test_every_annotated_clip_is_one_that_the_network_can_answer_with(shared_data: Path) -> None:
    records = read_dataset("didemo", shared_data / "didemo", "val").records
    network = ASSTNetwork(
        ASSTConfig(
            feature_channels=4, word_channels=4, dilation_channels=4, channels=4, language_channels=4,
            attention_channels=4, head="classification",
        )
    )  # fmt: skip
    observation = PieceObservation()
    for entry in records[:100]:
        seen = observation.draw(entry, ramp(27.3), np.random.default_rng(0))
        mask = torch.arange(128)[None] < seen.window.steps
        possible = network.clip_mask(mask)[0]
        assert possible.sum() == 21
        assert seen.target is not None
        assert possible[seen.target]
        assert network.clips[seen.target].numpy() == pytest.approx(seen.moments[0], abs=0.4)
