"""MCN against a slow reading of its equations: distances, both ranking losses, late fusion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.methods.base import Share
from asst.models.methods.clips import in_context
from asst.models.methods.mcn import MCNMethod, Tower

SETTINGS: dict[str, Any] = {
    "feature_channels": 4,
    "word_channels": 3,
    "hidden_channels": 6,
    "channels": 5,
    "lstm_channels": 4,
    "dropout": 0.0,
    "steps": 12,
}


def method(**changes: object) -> MCNMethod:
    torch.manual_seed(0)
    return MCNMethod({**SETTINGS, **changes}).train()


def slow_lstm(tower: Tower, words: torch.Tensor) -> torch.Tensor:
    """The last state, word by word, from the four gates."""
    lstm = tower.lstm.lstm
    state, cell = torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    weights = [own.detach().double() for own in lstm.parameters()]
    for word in words.double():
        gates = weights[0] @ word + weights[2] + weights[1] @ state + weights[3]
        enter, forget, new, out = gates.split(4)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        state = torch.sigmoid(out) * torch.tanh(cell)
    return state


def iou(a: list[float], b: list[float]) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / (a[1] - a[0] + b[1] - b[0] - shared)


@pytest.mark.parametrize("clips", ["anchors", "pieces"])
def test_the_losses_are_those_of_the_equations(seen: Batch, share: Callable[[], Share], clips: str) -> None:
    model = method(clips=clips, margin=0.4)
    with torch.no_grad():
        loss = model.loss(seen, share())
    tower = model.towers[0]
    assert isinstance(tower, Tower)
    lengths = [window.steps for window in seen.windows]
    spans = model.clips.tolist()
    slack = 1.0 if clips == "pieces" else 0.0
    kept = [[span[1] - slack <= length + 1e-4 for span in spans] for length in lengths]
    grid = [[slow(model, tower, seen, video, sentence) for sentence in range(4)] for video in range(4)]
    intra, inter = [], []
    for i in range(4):
        truth = seen.moments[i, 0].tolist()
        overlap = [iou(span, truth) if inside else -1 for span, inside in zip(spans, kept[i], strict=True)]
        true = max(range(len(spans)), key=lambda c: overlap[c])
        near = grid[i][i][true]
        others = [c for c in range(len(spans)) if kept[i][c] and c != true and (clips == "pieces" or overlap[c] < 0.5)]
        intra.append(sum(max(0.0, near - grid[i][i][c] + 0.4) for c in others) / len(others))
        after = (i + 1) % 4
        if kept[after][true]:
            inter.append(max(0.0, near - grid[after][i][true] + 0.4))
    assert float(loss.parts["intra"]) == pytest.approx(sum(intra) / 4, rel=1e-4)
    assert float(loss.parts["inter"]) == pytest.approx(sum(inter) / len(inter), rel=1e-4)
    assert float(loss.total) == pytest.approx(0.5 * sum(intra) / 4 + 0.2 * sum(inter) / len(inter), rel=1e-4)
    assert 0 < len(inter) <= 4


def slow(model: MCNMethod, tower: Tower, batch: Batch, video: int, sentence: int) -> list[float]:
    clips = in_context(batch.features, batch.feature_mask, model.clips)[video].double()
    with torch.no_grad():
        state = slow_lstm(tower, batch.words[sentence, : int(batch.word_mask[sentence].sum())])
        said = tower.language.double()(state)
        shown = tower.visual.double()(clips)
        tower.float()
    return [float(((row - said) ** 2).sum()) for row in shown]


def test_answers_are_negative_distances_and_streams_are_fused_late(seen: Batch) -> None:
    fused = method(streams=[3, 1], stream_weights=[3.0, 1.0]).eval()
    found = fused.answers(seen)
    expected = np.zeros(found.scores.shape)
    for place, (tower, features) in enumerate(
        zip(fused.towers, (seen.features[..., :3], seen.features[..., 3:]), strict=True)
    ):
        assert isinstance(tower, Tower)
        clips = in_context(features, seen.feature_mask, fused.clips)
        with torch.no_grad():
            shown, said = tower(clips, seen.words, seen.word_mask)
        squares = ((shown - said[:, None]) ** 2).sum(dim=2).double().numpy()
        expected -= (0.75, 0.25)[place] * squares
    np.testing.assert_allclose(found.scores, expected, rtol=1e-5)
    assert fused.relative
    assert found.kept[0].all()
    assert not found.kept[3].all()


def test_towers_of_several_streams_are_trained_apart(seen: Batch, share: Callable[[], Share]) -> None:
    """The gradient of one tower is the same whatever the other stream shows."""
    model = method(streams=[3, 1])
    model.loss(seen, share()).total.backward()  # type: ignore[no-untyped-call]
    first = [parameter.grad.clone() for parameter in model.towers[0].parameters() if parameter.grad is not None]
    model.zero_grad()
    seen.features[..., 3:] *= -2
    model.loss(seen, share()).total.backward()  # type: ignore[no-untyped-call]
    for before, parameter in zip(first, model.towers[0].parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, before)


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"streams \[3, 2\] must add up to the features' 4"):
        method(streams=[3, 2])
    with pytest.raises(InputError, match="stream_weights must be 2 numbers, none below 0"):
        method(streams=[3, 1], stream_weights=[1.0])
    with pytest.raises(InputError, match="streams: Input should be a valid tuple, not 'rgb'"):
        method(streams="rgb")
    with pytest.raises(InputError, match="dropout: Input should be less than 1, not 1"):
        method(dropout=1)
