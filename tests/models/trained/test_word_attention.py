"""Attention over a whole video: windows side by side, layers averaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import asst
from asst.data.sample import Window
from asst.models.answers import over_time
from asst.models.trained.model import TrainedModel

from .small_asst import noise, save_small

QUERY = "a dog jumps"


def checkpoint(folder: Path, **settings: object) -> Path:
    """A small network of two dilation layers."""
    save_small(folder / "m.safetensors", dilation_layers=2, **settings)
    return folder / "m.safetensors"


@pytest.mark.parametrize("duration_s", [1.0, 7.0, 20.0])
def test_an_answer_says_on_demand_which_words_were_looked_at(tmp_path: Path, duration_s: float) -> None:
    localizer = asst.load(checkpoint(tmp_path))
    features = noise(duration_s)
    (plain,) = localizer.answer(features, [QUERY])
    (answer,) = localizer.answer(features, [QUERY], attention=True)
    assert plain.attention is None
    assert plain.moments == answer.moments
    attention = answer.attention
    assert attention is not None
    assert attention.words == ("a", "dog", "jumps")
    assert attention.layers == ("dilation1", "dilation2")
    # The network observes four steps a second.
    assert attention.times_s == pytest.approx(np.arange(0.125, duration_s, 0.25))
    assert attention.weights.sum(axis=0) == pytest.approx(1)


def test_the_layers_that_see_every_step_are_averaged_and_the_coarser_left_out(tmp_path: Path) -> None:
    model = TrainedModel.load([checkpoint(tmp_path)])
    features = noise(6.0)
    (layers,) = model.attention(features, QUERY)
    attention = model.word_attention(features, QUERY)
    assert attention is not None
    assert attention.weights == pytest.approx((layers["dilation1"] + layers["dilation2"]) / 2)
    assert {"squeezing1", "squeezing2"} < set(layers)


def test_a_model_of_one_fed_layer_shows_that_one_and_one_of_none_shows_nothing(tmp_path: Path) -> None:
    final = TrainedModel.load([checkpoint(tmp_path, feeding="final")]).word_attention(noise(10.0), QUERY)
    assert final is not None
    assert final.layers == ("final",)
    assert TrainedModel.load([checkpoint(tmp_path, feeding="none")]).word_attention(noise(10.0), QUERY) is None


def test_windows_that_overlap_share_their_instants() -> None:
    windows = [Window(0.0, 1.0, 4), Window(2.0, 1.0, 4)]
    first, second = np.array([[1.0, 1, 1, 1], [0, 0, 0, 0]]), np.array([[0.0, 0, 0, 0], [1, 1, 1, 1]])
    coarse = np.zeros((2, 2))
    attention = over_time(
        windows,
        [{"dilation1": first, "squeezing1": coarse}, {"dilation1": second, "squeezing1": coarse}],
        ["a", "b"],
    )
    assert attention is not None
    assert attention.times_s.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert attention.weights.tolist() == [[1, 1, 0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5, 1, 1]]
    assert attention.layers == ("dilation1",)
    assert over_time(windows, [{}, {}], ["a", "b"]) is None
