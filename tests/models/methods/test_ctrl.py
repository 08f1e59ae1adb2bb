"""CTRL against a slow reading of its equations: fusion, alignment, regression, and which windows are aligned."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.methods.base import Share
from asst.models.methods.clips import mean_pooled
from asst.models.methods.ctrl import CTRLMethod, aligned_clips, alignment_loss

SETTINGS: dict[str, Any] = {
    "feature_channels": 4,
    "word_channels": 3,
    "lengths": [2.0, 4.0],
    "overlap": 0.5,
    "context": 2.0,
    "unit": 1.5,
    "channels": 5,
    "lstm_channels": 4,
    "hidden_channels": 6,
    "steps": 12,
}


def method(**changes: object) -> CTRLMethod:
    torch.manual_seed(0)
    return CTRLMethod({**SETTINGS, **changes}).train()


@pytest.fixture
def model() -> CTRLMethod:
    return method()


def predicted(model: CTRLMethod, batch: Batch, video: int, span: list[float], sentence: int) -> list[float]:
    """Score and offsets of one clip with one sentence, one matrix at a time."""
    network = model.network
    start, end = span
    stretches = torch.tensor([[start - 2, start], [start, end], [end, end + 2]])
    pooled = mean_pooled(batch.features[video : video + 1], batch.feature_mask[video : video + 1], stretches)
    seen = network.visual.weight @ pooled.flatten() + network.visual.bias
    words = batch.words[sentence : sentence + 1, : int(batch.word_mask[sentence].sum())]
    state = network.lstm.lstm(words)[0][0, -1]
    said = network.language.weight @ state + network.language.bias
    seen, said = seen / seen.norm(), said / said.norm()
    together = network.together.weight @ torch.cat([seen, said]) + network.together.bias
    first, _, second = network.predict
    assert isinstance(first, torch.nn.Linear)
    assert isinstance(second, torch.nn.Linear)
    fused = torch.cat([seen * said, seen + said, together])
    hidden = (first.weight @ fused + first.bias).clamp(min=0)
    found: list[float] = (second.weight @ hidden + second.bias).tolist()
    return found


@pytest.mark.parametrize("objective", ["code", "paper"])
def test_the_loss_is_that_of_the_code_or_of_the_equations(
    seen: Batch, share: Callable[[], Share], objective: str
) -> None:
    model, code = method(objective=objective), objective == "code"
    loss = model.loss(seen, share())
    kept = torch.tensor([[end <= window.steps for _, end in model.clips.tolist()] for window in seen.windows])
    chosen = aligned_clips(model.clips, kept, seen.moments[:, 0], share().uniform(len(model.clips)))
    spans = model.clips[chosen].tolist()
    align, shift = 0.0, 0.0
    for i in range(4):
        for j in range(4):
            score, start, end = predicted(model, seen, i, spans[i], j)
            align += math.log(1 + math.exp(-score)) if i == j else math.log(1 + math.exp(score)) / 4
            if i == j:
                for moved, have, wanted in zip((start, end), spans[i], seen.moments[i, 0].tolist(), strict=True):
                    error = abs(moved - (wanted - have) / 1.5)
                    shift += error / 2 if code else 0.5 * error**2 if error < 1 else error - 0.5
                # The published weights are the unit matrix and one over the batch everywhere.
                align += math.log(1 + math.exp(-score)) / 4 if code else 0
    align /= 16 if code else 4
    assert float(loss.parts["alignment"].detach()) == pytest.approx(align, rel=1e-4)
    assert float(loss.parts["offsets"].detach()) == pytest.approx(shift / 4, rel=1e-4)
    assert float(loss.total.detach()) == pytest.approx(align + 0.01 * shift / 4, rel=1e-4)


def test_answers_are_moved_windows_with_a_probability(model: CTRLMethod, seen: Batch) -> None:
    found = model.eval().answers(seen)
    for video, clip in ((0, 3), (2, 12), (1, 0)):
        score, start, end = predicted(model, seen, video, model.clips[clip].tolist(), video)
        assert found.scores[video, clip] == pytest.approx(1 / (1 + math.exp(-score)), rel=1e-5)
        moved = sorted([float(model.clips[clip, 0]) + 1.5 * start, float(model.clips[clip, 1]) + 1.5 * end])
        assert found.spans[video, clip].tolist() == pytest.approx(moved, rel=1e-4)
    assert found.kept[0].all()
    assert found.kept[3].tolist() == [end <= 7 for _, end in model.clips.tolist()]


def test_windows_may_answer_that_are_not_learnt_from(seen: Batch, model: CTRLMethod) -> None:
    other = method(answer_lengths=[4.0])
    assert torch.equal(other.clips, model.clips)
    longer = model.clips[:, 1] - model.clips[:, 0] > 3
    answers, all_answers = other.eval().answers(seen), model.eval().answers(seen)
    assert answers.spans[0] == pytest.approx(all_answers.spans[0][longer.numpy()])


def test_an_aligned_window_overlaps_by_half_and_lies_inside() -> None:
    clips = torch.tensor([[0.0, 4.0], [1.0, 5.0], [0.0, 8.0], [6.0, 8.0]])
    kept = torch.tensor([[True] * 4, [True] * 4, [False, True, True, True]])
    moments = torch.tensor([[0.0, 6.0], [0.0, 1.0], [0.0, 4.4]])
    keys = torch.tensor([[0.1, 0.9, 0.99, 0.5]] * 3)
    # The first two windows fit the first moment, and the draw takes the second; none fits the others.
    assert aligned_clips(clips, kept, moments, keys).tolist() == [1, 0, 1]
    assert aligned_clips(clips, kept, moments, 1 - keys).tolist() == [0, 0, 1]


def test_the_alignment_of_two_pairs_by_hand() -> None:
    scores = torch.tensor([[2.0, -1.0], [0.5, 0.0]])
    expected = (
        math.log(1 + math.exp(-2)) + math.log(2) + 0.1 * (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(0.5)))
    )
    assert float(alignment_loss(scores, 1.0, 0.1)) == pytest.approx(expected / 2)
    rows = [alignment_loss(scores[i : i + 1], 1.0, 0.1, first=i) for i in range(2)]
    assert float(sum(rows)) == pytest.approx(expected)


def test_settings_that_do_not_fit_are_refused() -> None:
    for change, message in (
        ({"lengths": []}, "windows need positive lengths"),
        ({"overlap": 1.0}, "an overlap in"),
        ({"unit": 0.0}, "unit: Input should be greater than 0"),
    ):
        with pytest.raises(InputError, match=message):
            CTRLMethod({**SETTINGS, **change})
