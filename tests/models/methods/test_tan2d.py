"""2D-TAN against a slow reading of its equations at given weights, a place of the map at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.methods.base import Share
from asst.models.methods.tan2d import TAN2DMethod, scale_lengths

SETTINGS: dict[str, Any] = {
    "feature_channels": 4,
    "word_channels": 3,
    "clips": 6,
    "scales": [3, 1],
    "channels": 5,
    "lstm_channels": 4,
    "lstm_layers": 2,
    "layers": 2,
    "kernel": 3,
    "steps": 12,
}
PLACES = [(i, i + n - 1) for n in (1, 2, 3) for i in range(7 - n)] + [(0, 4)]
"""First and last stretch: every moment of one to three stretches, and those of five at every second start."""


@pytest.fixture
def model() -> TAN2DMethod:
    torch.manual_seed(0)
    return TAN2DMethod(SETTINGS).eval()


def slow_scores(model: TAN2DMethod, batch: Batch, sample: int) -> dict[tuple[int, int], float]:
    """The logit of each place, by loops over neighbours."""
    network = model.network
    features = batch.features[sample]
    steps = [(network.clip.weight[..., 0] @ step + network.clip.bias).clamp(min=0) for step in features]
    stretches = [(steps[2 * k] + steps[2 * k + 1]) / 2 for k in range(6)]
    words = batch.words[sample : sample + 1, : int(batch.word_mask[sample].sum())]
    bias = network.moment.bias
    assert bias is not None
    said = network.sentence.weight @ network.lstm.lstm(words)[0][0, -1] + network.sentence.bias
    seen: dict[tuple[int, int], Tensor] = {}
    for first, last in PLACES:
        longest = torch.stack(stretches[first : last + 1]).amax(dim=0)
        fused = (network.moment.weight[..., 0, 0] @ longest + bias) * said
        seen[first, last] = fused / fused.norm()
    for layer in network.neighbours:
        weight, shift = layer.weight, layer.bias
        assert isinstance(weight, Tensor)
        assert isinstance(shift, Tensor)
        seen = {
            (i, j): (
                shift
                + sum(
                    weight[:, :, a, b] @ seen[i + a - 1, j + b - 1]
                    for a in range(3)
                    for b in range(3)
                    if (i + a - 1, j + b - 1) in seen
                )
            ).clamp(min=0)
            for i, j in seen
        }
    score = network.score
    assert score.bias is not None
    return {place: float(score.weight[0, :, 0, 0] @ own + score.bias[0]) for place, own in seen.items()}


@torch.no_grad()
def test_every_moment_of_the_map_is_scored_as_by_loops(model: TAN2DMethod, seen: Batch) -> None:
    out = model.outputs(seen)
    for sample in range(4):
        slow = slow_scores(model, seen, sample)
        found = {
            (int(start) // 2, int(end) // 2 - 1): float(score)
            for (start, end), score in zip(out["spans"][sample], out["scores"][sample], strict=True)
        }
        assert found == pytest.approx({place: 1 / (1 + math.exp(-logit)) for place, logit in slow.items()}, abs=1e-6)


@torch.no_grad()
def test_the_loss_is_the_cross_entropy_with_scaled_ious(
    model: TAN2DMethod, seen: Batch, share: Callable[[], Share]
) -> None:
    terms = []
    for sample in range(4):
        (start, end), steps = seen.moments[sample, 0].tolist(), int(seen.feature_mask[sample].sum())
        for (first, last), logit in slow_scores(model, seen, sample).items():
            a, b = 2.0 * first, 2.0 * last + 2
            if b > steps + 1:
                continue
            shared = max(0.0, min(b, end) - max(a, start))
            wanted = min(1.0, max(0.0, (shared / (b - a + end - start - shared) - 0.5) / 0.5))
            chance = 1 / (1 + math.exp(-logit))
            terms.append(-wanted * math.log(chance) - (1 - wanted) * math.log(1 - chance))
    assert float(model.loss(seen, share()).total) == pytest.approx(sum(terms) / len(terms), rel=1e-5)


def test_the_authors_maps_have_the_lengths_of_their_settings() -> None:
    # Activity Net's 64 stretches: all up to 16, then every second up to 32, then every fourth.
    lengths = scale_lengths(64, (16, 8, 8))
    assert [length for length, _ in lengths[14:]] == [15, 16, *range(18, 33, 2), *range(36, 65, 4)]
    assert {stride for length, stride in lengths if length > 32} == {4}


def test_it_refuses_what_it_cannot_have() -> None:
    for change, message in (
        ({"kernel": 4}, "kernel odd, not 12, 6, 4"),
        ({"clips": 5}, "a multiple of clips"),
        ({"least_iou": 1.0}, "IoUs must rise"),
    ):
        with pytest.raises(InputError, match=message):
            TAN2DMethod({**SETTINGS, **change})
