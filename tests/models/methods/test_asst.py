"""ASST as a method: its losses are those of the paper on a whole batch, however that is parted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from asst.data.batch import Batch, Collate
from asst.data.sample import Sample, Window
from asst.errors import InputError
from asst.models.answers import attention_of
from asst.models.methods.asst import ASSTMethod
from asst.models.methods.base import Share
from asst.nn.losses import sample_anchors
from asst.nn.sampler import decode_offsets

SETTINGS: dict[str, Any] = {
    "feature_channels": 5,
    "word_channels": 3,
    "dilation_layers": 1,
    "squeezing_layers": 2,
    "dilation_channels": 6,
    "channels": 6,
    "language_channels": 4,
    "attention_channels": 4,
    "steps": 12,
    "levels": 3,
    "dropout": 0.0,
    "input_dropout": 0.0,
}
KEYS = torch.rand(4, 1000, generator=torch.Generator().manual_seed(5))


def whole(mean: float | None = None) -> Share:
    return Share(lambda width: KEYS[:, :width], lambda value: value if mean is None else torch.tensor(mean))


def batch(targets: bool = False) -> Batch:
    draw = np.random.default_rng(2)
    samples = []
    for index, steps in enumerate((12, 9, 12, 7)):
        features = draw.standard_normal((steps, 5)).astype(np.float32)
        words = draw.standard_normal((2 + index, 3)).astype(np.float32)
        moments = np.array([[1.0 + index, 5.0 + index / 2]])
        samples.append(Sample(index, Window(0.0, 0.5, steps), features, words, moments, index if targets else None))
    return Collate(12)(samples)


@pytest.fixture
def detection() -> ASSTMethod:
    torch.manual_seed(0)
    return ASSTMethod(SETTINGS).train()


def test_the_detection_loss_is_softmax_and_smooth_l1_over_sampled_anchors(detection: ASSTMethod) -> None:
    given = batch()
    loss = detection.loss(given, whole())
    out = detection.network(given.features, given.feature_mask, given.words, given.word_mask)
    clips, mask = detection.network.clips, detection.network.clip_mask(given.feature_mask)
    sample = sample_anchors(clips, mask, given.moments, given.moment_mask, 1, KEYS[:, : len(clips)])
    presence, offsets, count = 0.0, 0.0, 0
    for row in range(4):
        start, end = given.moments[row, 0].tolist()
        for clip in range(len(clips)):
            if not (sample.positive[row, clip] or sample.negative[row, clip]):
                continue
            count += 1
            logits = out.logits[row, clip].detach().double()
            true = int(sample.positive[row, clip])
            presence += float(torch.logsumexp(logits, 0) - logits[true])
            if true:
                left, right = clips[clip].tolist()
                wanted = ((start + end - left - right) / 2 / (right - left), np.log((end - start) / (right - left)))
                for value, aim in zip(out.offsets[row, clip].detach().tolist(), wanted, strict=True):
                    gap = abs(value - aim)
                    offsets += gap - 0.5 if gap > 1 else gap * gap / 2
    assert count > 4
    assert loss.parts["presence"].item() == pytest.approx(presence / count, rel=1e-5)
    assert loss.parts["offsets"].item() == pytest.approx(offsets / count, rel=1e-5)
    assert loss.total.item() == pytest.approx((presence + offsets) / count, rel=1e-5)
    # Where other processes sampled more, their mean is what counts.
    assert detection.loss(given, whole(2.0 * count)).total.item() == pytest.approx(loss.total.item() / 2, rel=1e-5)


def test_answers_are_presence_at_the_moved_span(detection: ASSTMethod) -> None:
    given = batch()
    detection.eval()
    answers = detection.answers(given)
    with torch.no_grad():
        out = detection.network(given.features, given.feature_mask, given.words, given.word_mask)
    spans = decode_offsets(detection.network.clips.expand(4, -1, 2), out.offsets)
    assert answers.spans == pytest.approx(spans.numpy())
    assert answers.kept.tolist() == detection.network.clip_mask(given.feature_mask).tolist()
    presence = out.logits.softmax(dim=2)[..., 1].numpy()
    assert answers.scores[answers.kept] == pytest.approx(presence[answers.kept])
    assert not detection.relative


def test_the_classification_loss_is_softmax_over_the_clips_a_video_has() -> None:
    torch.manual_seed(0)
    method = ASSTMethod({**SETTINGS, "head": "classification", "pieces": 3}).train()
    given = batch(targets=True)
    loss = method.loss(given, whole())
    logits = method.network(given.features, given.feature_mask, given.words, given.word_mask).logits[..., 0].double()
    mask = method.network.clip_mask(given.feature_mask)
    logits = logits.detach()
    expected = [float(torch.logsumexp(logits[row][mask[row]], 0) - logits[row, row]) for row in range(4)]
    assert loss.total.item() == pytest.approx(np.mean(expected), rel=1e-5)
    assert method.relative
    assert method.answers(given).scores.shape == (4, 6)
    with pytest.raises(InputError, match="no true clip among pre-defined ones"):
        method.loss(batch(), whole())


def test_attention_is_given_by_layer_and_settings_build_the_same_method(detection: ASSTMethod) -> None:
    weights = attention_of(detection.arrays(batch(), attention=True))
    assert list(weights) == ["dilation1", "squeezing1", "squeezing2"]
    assert weights["squeezing1"].shape == (4, 5, 6)
    again = ASSTMethod(detection.settings)
    again.load_state_dict(detection.state_dict())
    with pytest.raises(InputError, match="asst: head: Input should be 'detection' or 'classification'"):
        ASSTMethod({**SETTINGS, "head": "action", "classes": 3})
