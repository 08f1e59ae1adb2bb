from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from asst.moments import anchor_grid, iou
from asst.nn.losses import AnchorSample, classification_loss, detection_loss, sample_anchors, span_iou

CLIPS = torch.from_numpy(anchor_grid(32.0, 4))


def random_moments(batch: int, moments: int = 1) -> Tensor:
    start = torch.rand(batch, moments, 1, dtype=torch.float64) * 20
    return torch.cat([start, start + 1 + torch.rand(batch, moments, 1, dtype=torch.float64) * 11], dim=2)


def everything(moments: Tensor) -> tuple[Tensor, Tensor]:
    batch, count = moments.shape[:2]
    return torch.ones(batch, len(CLIPS), dtype=torch.bool), torch.ones(batch, count, dtype=torch.bool)


def test_overlap_agrees_with_the_one_of_moments() -> None:
    moments = random_moments(3, 2)
    for own, of_sample in zip(moments, span_iou(CLIPS, moments), strict=True):
        np.testing.assert_allclose(of_sample.numpy(), iou(CLIPS.numpy(), own.numpy()))


def test_classification_is_a_softmax_over_the_clips_a_video_has() -> None:
    logits = torch.randn(3, 5, 1, dtype=torch.float32)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4])
    target = [4, 1, 0]
    expected = 0.0
    for row, real, wanted in zip(logits[..., 0].tolist(), mask.tolist(), target, strict=True):
        total = sum(math.exp(score) for score, is_real in zip(row, real, strict=True) if is_real)
        expected -= math.log(math.exp(row[wanted]) / total) / 3
    assert classification_loss(logits, mask, torch.tensor(target)).item() == pytest.approx(expected, rel=1e-6)
    spoilt = logits.masked_fill(~mask[..., None], 1e4)
    assert classification_loss(spoilt, mask, torch.tensor(target)).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ratio", [1, 5])
def test_positives_and_the_number_of_negatives(ratio: int) -> None:
    moments = random_moments(40)
    clip_mask, moment_mask = everything(moments)
    clip_mask[::2, 30:] = False
    sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask, ratio)
    for i in range(40):
        overlap = np.where(clip_mask[i].numpy(), iou(CLIPS.numpy(), moments[i].numpy())[:, 0], 0.0)
        expected = set(np.flatnonzero(overlap >= 0.5).tolist()) or (
            {int(overlap.argmax())} if overlap.max() > 0 else set()
        )
        assert set(sample.positive[i].nonzero().flatten().tolist()) == expected
        others = int(clip_mask[i].sum()) - len(expected)
        assert int(sample.negative[i].sum()) == min(ratio * max(len(expected), 1), others)
    assert not (sample.positive & sample.negative).any()
    assert not (sample.negative & ~clip_mask).any()


def test_a_moment_that_no_anchor_reaches_takes_the_best_one() -> None:
    moments = torch.tensor([[[10.2, 10.7]]], dtype=torch.float64)
    clip_mask, moment_mask = everything(moments)
    sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask)
    best = iou(CLIPS.numpy(), [[10.2, 10.7]])[:, 0].argmax()
    assert sample.positive.nonzero().tolist() == [[0, best]]
    assert int(sample.negative.sum()) == 1


def test_each_of_several_moments_has_an_anchor_and_its_own_label() -> None:
    moments = torch.tensor([[[0.0, 32.0], [10.2, 10.7], [0.0, 4.0]]], dtype=torch.float64)
    clip_mask, moment_mask = everything(moments)
    moment_mask[0, 2] = False
    sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask)
    owners = sample.moment[0][sample.positive[0]].tolist()
    assert set(owners) == {0, 1}
    assert owners.count(1) == 1
    assert sample.moment[0, 0] == 0


def test_an_anchor_goes_to_the_moment_that_has_no_other() -> None:
    moments = torch.tensor([[[8.0, 16.0], [11.8, 12.2]]], dtype=torch.float64)
    clip_mask = (moments[0, 0] == CLIPS).all(dim=1)[None]
    sample = sample_anchors(CLIPS, clip_mask, moments, torch.ones(1, 2, dtype=torch.bool))
    assert torch.equal(sample.positive, clip_mask)
    assert sample.moment[clip_mask].tolist() == [1]


def test_a_window_without_a_moment_gives_negatives_alone() -> None:
    moments = torch.zeros(2, 1, 2, dtype=torch.float64)
    clip_mask, moment_mask = everything(moments)
    sample = sample_anchors(CLIPS, clip_mask, moments, ~moment_mask, ratio=5)
    assert not sample.positive.any()
    assert sample.negative.sum(dim=1).tolist() == [5, 5]
    nothing = sample_anchors(CLIPS, ~clip_mask, moments, moment_mask)
    logits, offsets = torch.zeros(2, len(CLIPS), 2), torch.zeros(2, len(CLIPS), 2)
    assert detection_loss(logits, offsets, CLIPS, nothing, moments).total.item() == 0


def test_the_draw_follows_its_generator_and_reaches_every_negative() -> None:
    moments = torch.tensor([[[8.0, 16.0]]], dtype=torch.float64)
    clip_mask, moment_mask = everything(moments)

    def draw(seed: int) -> Tensor:
        keys = torch.rand(clip_mask.shape, generator=torch.Generator().manual_seed(seed))
        return sample_anchors(CLIPS, clip_mask, moments, moment_mask, 3, keys).negative

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    drawn = torch.stack([draw(seed)[0] for seed in range(300)]).double()
    share = drawn.mean(dim=0)[~sample_anchors(CLIPS, clip_mask, moments, moment_mask).positive[0]]
    assert (share > 0).all()
    assert share.std() < 2 * (share.mean() * (1 - share.mean()) / 300).sqrt()


def loop_loss(logits: Tensor, offsets: Tensor, sample: AnchorSample, moments: Tensor, labels: Tensor) -> float:
    """The detection loss, anchor by anchor."""
    total, count = 0.0, 0
    for b in range(logits.shape[0]):
        for i, (start, end) in enumerate(CLIPS.tolist()):
            if not (sample.positive[b, i] or sample.negative[b, i]):
                continue
            count += 1
            m = int(sample.moment[b, i])
            label = int(labels[b, m]) if sample.positive[b, i] else 0
            row = logits[b, i].tolist()
            total -= row[label] - math.log(sum(math.exp(value) for value in row))
            if sample.positive[b, i]:
                first, last = moments[b, m].tolist()
                wanted = [
                    ((first + last) - (start + end)) / 2 / (end - start),
                    math.log((last - first) / (end - start)),
                ]
                for got, want in zip(offsets[b, i].tolist(), wanted, strict=True):
                    error = abs(got - want)
                    total += error * error / 2 if error < 1 else error - 0.5
    return total / count


@pytest.mark.parametrize("classes", [1, 4])
def test_the_detection_loss_by_a_loop(classes: int) -> None:
    moments = random_moments(6, 3)
    clip_mask, moment_mask = everything(moments)
    moment_mask[::2, 1:] = False
    labels = torch.randint(1, classes + 1, (6, 3))
    sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask, 2)
    logits, offsets = torch.randn(6, len(CLIPS), classes + 1), 3 * torch.randn(6, len(CLIPS), 2)
    loss = detection_loss(logits, offsets, CLIPS, sample, moments, None if classes == 1 else labels)
    assert loss.total.item() == pytest.approx(loop_loss(logits, offsets, sample, moments, labels), rel=1e-6)
    assert loss.total.item() == pytest.approx(loss.presence.item() + loss.offsets.item(), rel=1e-6)


def test_only_sampled_anchors_are_trained_and_only_positives_move() -> None:
    moments = random_moments(4)
    clip_mask, moment_mask = everything(moments)
    sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask)
    logits = torch.randn(4, len(CLIPS), 2, requires_grad=True)
    offsets = torch.randn(4, len(CLIPS), 2, requires_grad=True)
    loss = detection_loss(logits, offsets, CLIPS, sample, moments)
    d_logits, d_offsets = torch.autograd.grad(loss.total, [logits, offsets])
    assert torch.equal(d_logits.abs().sum(dim=2) > 0, sample.positive | sample.negative)
    assert torch.equal(d_offsets.abs().sum(dim=2) > 0, sample.positive)


def test_matched_negatives_have_the_lengths_of_the_positives() -> None:
    start = torch.rand(200, 1, 1, dtype=torch.float64) * 16
    moments = torch.cat([start, start + 3.5 + torch.rand(200, 1, 1, dtype=torch.float64) * 2], dim=2)
    clip_mask, moment_mask = everything(moments)
    lengths = CLIPS[:, 1] - CLIPS[:, 0]

    def mean_lengths(share: float) -> tuple[Tensor, Tensor]:
        sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask, length_matched=share)
        assert torch.equal(sample.negative.sum(dim=1), sample.positive.sum(dim=1))
        return lengths.expand(200, -1)[sample.positive].mean(), lengths.expand(200, -1)[sample.negative].mean()

    true, drawn = mean_lengths(1.0)
    assert drawn.item() == pytest.approx(true.item(), rel=0.02)
    assert mean_lengths(0.0)[1] > 1.3 * true
    assert mean_lengths(0.0)[1] > mean_lengths(0.5)[1] > drawn


def test_where_a_length_has_no_other_anchor_the_nearest_length_is_taken() -> None:
    moments = torch.tensor([[[0.0, 31.0]]], dtype=torch.float64)
    clip_mask, moment_mask = everything(moments)
    for _ in range(5):
        sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask, length_matched=1.0)
        left = (CLIPS[:, 1] - CLIPS[:, 0] >= 16) & ~sample.positive[0]
        wanted = int(sample.positive.sum())
        assert int((sample.negative[0] & left).sum()) == min(wanted, int(left.sum()))


def test_scaled_targets_are_overlaps() -> None:
    moments = random_moments(5)
    clip_mask, moment_mask = everything(moments)
    sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask)
    logits = torch.randn(5, len(CLIPS), 2, dtype=torch.float64)
    loss = detection_loss(logits, torch.zeros_like(logits), CLIPS, sample, moments, scaled=True)
    expected = 0.0
    for row in range(5):
        overlap = iou(CLIPS.numpy(), moments[row].numpy())[:, 0]
        for clip in sample.sampled[row].nonzero().flatten().tolist():
            absent, present = logits[row, clip].log_softmax(dim=0).tolist()
            expected -= overlap[clip] * present + (1 - overlap[clip]) * absent
    assert loss.presence.item() == pytest.approx(expected / int(sample.sampled.sum()), rel=1e-5)


def test_the_sampled_anchors_alone_have_the_loss_of_all() -> None:
    moments = random_moments(6, 2)
    clip_mask, moment_mask = everything(moments)
    sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask)
    alone, clips = sample.alone(CLIPS)
    places = (clips[:, :, None] == CLIPS).all(dim=3).int().argmax(dim=2)[..., None].expand(-1, -1, 2)
    logits, offsets = torch.randn(6, len(CLIPS), 2), torch.randn(6, len(CLIPS), 2)
    whole = detection_loss(logits, offsets, CLIPS, sample, moments)
    few = detection_loss(logits.gather(1, places), offsets.gather(1, places), clips, alone, moments)
    assert clips.shape[1] == int(sample.sampled.sum(dim=1).max())
    assert few.total.item() == pytest.approx(whole.total.item(), rel=1e-6)


def test_with_another_videos_sentence_the_positives_are_negatives() -> None:
    moments = random_moments(2)
    clip_mask, moment_mask = everything(moments)
    sample = sample_anchors(CLIPS, clip_mask, moments, moment_mask)
    foreign = sample.foreign(torch.tensor([False, True]))
    assert torch.equal(foreign.positive[0], sample.positive[0])
    assert torch.equal(foreign.negative[1], sample.positive[1])
    assert not foreign.positive[1].any()
    assert not foreign.overlap[1].any()
