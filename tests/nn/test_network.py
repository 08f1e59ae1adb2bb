from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from asst import InputError
from asst.moments import anchor_grid
from asst.nn.config import ASSTConfig
from asst.nn.losses import detection_loss, sample_anchors
from asst.nn.network import ASSTNetwork


def batch(lengths: list[int], sentences: list[int], steps: int = 16) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features, their mask, words and theirs."""
    feature_mask = torch.arange(steps) < torch.tensor(lengths)[:, None]
    word_mask = torch.arange(max(sentences)) < torch.tensor(sentences)[:, None]
    return (
        torch.randn(*feature_mask.shape, 6),
        feature_mask,
        torch.randn(*word_mask.shape, 5),
        word_mask,
    )


HEADS: list[tuple[dict[str, Any], int, int]] = [
    ({"head": "detection"}, 19, 2),
    ({"head": "classification"}, 21, 1),
    ({"head": "action", "classes": 4, "feeding": "none"}, 19, 5),
]


@pytest.mark.parametrize(("changes", "clips", "k"), HEADS)
def test_what_each_head_says(small: Callable[..., ASSTConfig], changes: dict[str, Any], clips: int, k: int) -> None:
    network = ASSTNetwork(small(**changes))
    inputs = batch([16, 9], [2, 4])
    out = network(*inputs)
    assert out.logits.shape == (2, clips, k)
    assert network.clips.shape == (clips, 2)
    assert out.offsets is None if k == 1 else out.offsets.shape == (2, clips, 2)
    assert out.attention is None
    mask = network.clip_mask(inputs[1])
    scores = out.scores(mask)
    assert scores.shape == (2, clips, max(k - 1, 1))
    assert (scores[~mask] == 0).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    if k == 1:
        torch.testing.assert_close(scores.sum(dim=1), torch.ones(2, 1))
    if k == 5:
        background = out.logits.softmax(dim=2)[..., :1]
        torch.testing.assert_close((scores.sum(dim=2, keepdim=True) + background)[mask], torch.ones(int(mask.sum()), 1))


def test_the_anchors_are_the_grid_over_the_window() -> None:
    config = ASSTConfig(feature_channels=2, dilation_channels=2, channels=2, language_channels=2, attention_channels=2)
    network = ASSTNetwork(config)
    assert network.clips.shape == (234, 2)
    assert network.clips.tolist() == anchor_grid(128.0).tolist()
    assert not [name for name in network.state_dict() if name in {"clips", "pooling"}]


@pytest.mark.parametrize(("changes", "clips", "k"), HEADS)
@pytest.mark.parametrize("training", [True, False])
def test_padding_of_steps_and_words_influences_nothing(
    small: Callable[..., ASSTConfig], changes: dict[str, Any], clips: int, k: int, training: bool
) -> None:
    network = ASSTNetwork(small(dropout=0.0, input_dropout=0.0, **changes)).train(training)
    features, feature_mask, words, word_mask = batch([16, 9], [2, 4])
    out = network(features, feature_mask, words, word_mask, return_attention=True)
    features = torch.where(feature_mask[..., None], features, 1e6)
    words = torch.where(word_mask[..., None], words, 1e6)
    words, word_mask = torch.nn.functional.pad(words, (0, 0, 0, 3)), torch.nn.functional.pad(word_mask, (0, 3))
    spoilt = network(features, feature_mask, words, word_mask, return_attention=True)
    torch.testing.assert_close(spoilt.logits, out.logits)
    torch.testing.assert_close(spoilt.offsets, out.offsets)
    for name, weights in out.attention.items():
        torch.testing.assert_close(spoilt.attention[name][:, :4], weights)
        assert (spoilt.attention[name][:, 4:] == 0).all()


def test_padding_that_is_not_a_number_leaves_gradients_whole(small: Callable[..., ASSTConfig]) -> None:
    network = ASSTNetwork(small())
    features, feature_mask, words, word_mask = batch([16, 9], [2, 4])
    features[~feature_mask], words[~word_mask] = torch.nan, torch.inf
    out = network(features, feature_mask, words, word_mask)
    for gradient in torch.autograd.grad(out.logits.sum() + out.offsets.sum(), list(network.parameters())):
        assert gradient.isfinite().all()


def test_clips_a_short_window_can_answer_with(small: Callable[..., ASSTConfig]) -> None:
    mask = torch.arange(16) < torch.tensor([[16], [10], [3]])
    grid = ASSTNetwork(small())
    for length, row in zip([16, 10, 3], grid.clip_mask(mask), strict=True):
        assert torch.equal(row, grid.clips[:, 1] <= length)
    # Pieces are 16 / 6 steps long; ten steps fill three of them and most of the fourth.
    pieces = ASSTNetwork(small(head="classification"))
    assert pieces.clip_mask(mask).sum(dim=1).tolist() == [21, 10, 1]


def test_a_clip_at_the_end_of_a_short_window_reads_no_padding(small: Callable[..., ASSTConfig]) -> None:
    network = ASSTNetwork(small(feeding="none")).eval()
    features, feature_mask, _, _ = batch([9], [1])
    representation, _ = network.video(features, feature_mask)
    alone = network.sampler(representation[:, :9], network.clips)
    mask = network.clip_mask(feature_mask)
    assert network.clips[mask[0]][:, 1].max() == 9
    torch.testing.assert_close(network(features, feature_mask).logits[mask], alone[..., :2][mask])


def test_a_sentence_matters_unless_it_is_not_fed(small: Callable[..., ASSTConfig]) -> None:
    for feeding in ("none", "final", "last_dilation", "first_dilation", "multiple"):
        network = ASSTNetwork(small(feeding=feeding)).eval()
        features, feature_mask, words, word_mask = batch([16, 16], [3, 3])
        one = network(features, feature_mask, words, word_mask).logits
        other = network(features, feature_mask, words.flip(0), word_mask).logits
        assert torch.equal(one, other) == (feeding == "none")
        if feeding == "none":
            assert torch.equal(network(features, feature_mask).logits, one)
            assert network.language is None


def test_bfloat16_is_close(small: Callable[..., ASSTConfig]) -> None:
    network = ASSTNetwork(small(dilation_channels=32, channels=32, language_channels=32)).eval()
    inputs = batch([16, 9], [2, 4])
    exact = network(*inputs)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(*inputs)
    assert half.logits.dtype == torch.bfloat16
    torch.testing.assert_close(half.logits.float(), exact.logits, atol=0.03, rtol=0.03)
    mask = network.clip_mask(inputs[1])
    torch.testing.assert_close(half.scores(mask), exact.scores(mask), atol=0.01, rtol=0)


@pytest.mark.parametrize("half", [False, True])
def test_a_few_steps_of_training_find_the_moment(small: Callable[..., ASSTConfig], half: bool) -> None:
    """The sentence names one of two patterns; the moment is where that pattern stands."""
    network = ASSTNetwork(
        small(dropout=0.0, input_dropout=0.0, dilation_channels=24, channels=24, language_channels=16)
    )
    features, feature_mask, words, word_mask = batch([16] * 8, [2] * 8)
    features *= 0.1
    moments = torch.empty(8, 1, 2)
    for i in range(8):
        places = [(0, 4), (8, 12)] if i % 4 < 2 else [(8, 12), (0, 4)]
        for channel, (start, end) in enumerate(places):
            features[i, start:end, channel] += 3
        words[i] = words[i % 2]
        moments[i, 0] = torch.tensor(places[i % 2])
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    clip_mask, moment_mask = network.clip_mask(feature_mask), torch.ones(8, 1, dtype=torch.bool)
    for _ in range(60):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            out = network(features, feature_mask, words, word_mask)
        sample = sample_anchors(network.clips, clip_mask, moments, moment_mask)
        loss = detection_loss(out.logits, out.offsets, network.clips, sample, moments)
        optimizer.zero_grad()
        torch.autograd.backward(loss.total)
        optimizer.step()
    top = network(features, feature_mask, words, word_mask).scores(clip_mask)[..., 0].argmax(dim=1)
    assert torch.equal(network.clips[top], moments[:, 0])


def test_some_clips_alone_are_answered_as_among_all(small: Callable[..., ASSTConfig]) -> None:
    """In training, where few clips are pooled before the convolution."""
    network = ASSTNetwork(small(dropout=0.0, input_dropout=0.0)).train()
    inputs = batch([16, 12, 16], [3, 2, 4])
    chosen = torch.tensor([[0, 5, 9], [3, 3, 1], [2, 7, 8]])
    every, some = network(*inputs), network(*inputs, clips=network.clips[chosen])
    for ours, theirs in ((some.logits, every.logits), (some.offsets, every.offsets)):
        assert ours is not None
        assert theirs is not None
        torch.testing.assert_close(ours, theirs.gather(1, chosen[..., None].expand(-1, -1, 2)))


def test_what_it_cannot_read_is_refused(small: Callable[..., ASSTConfig]) -> None:
    network = ASSTNetwork(small())
    features, feature_mask, words, word_mask = batch([16], [2])
    with pytest.raises(InputError, match="the network observes 16 steps, not 12; pad or slide"):
        network(features[:, :12], feature_mask[:, :12], words, word_mask)
    with pytest.raises(InputError, match="this network reads sentences; give words and word_mask"):
        network(features, feature_mask)
