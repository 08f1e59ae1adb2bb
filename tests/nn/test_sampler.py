from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from asst.moments import anchor_grid, piece_clips
from asst.nn.sampler import ClipSampler, decode_offsets, encode_offsets, hold_last, pooling_matrix


def read_points(x: Tensor, clips: Tensor) -> Tensor:
    """Seven points of each clip, one at a time: ``(steps, channels)`` to ``(clips, 7, channels)``."""
    centres = np.arange(x.shape[0]) + 0.5
    points = np.empty((len(clips), 7, x.shape[1]))
    for i, (start, end) in enumerate(clips.tolist()):
        for bin_ in range(7):
            at = start + (end - start) * (2 * bin_ + 1) / 14
            for channel in range(x.shape[1]):
                points[i, bin_, channel] = np.interp(at, centres, x[:, channel].detach().numpy())
    return torch.from_numpy(points)


def anchors(steps: int, levels: int = 3) -> Tensor:
    return torch.from_numpy(anchor_grid(steps, levels))


def test_pooling_reads_the_centres_of_seven_bins() -> None:
    x, clips = torch.randn(16, 3, dtype=torch.float64), anchors(16)
    torch.testing.assert_close((pooling_matrix(clips, 16) @ x).view(-1, 7, 3), read_points(x, clips))
    steps = torch.arange(14, dtype=torch.float64)
    assert (pooling_matrix(torch.tensor([[0.0, 14.0]]).double(), 14) @ steps).tolist() == pytest.approx(
        [0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5]
    )


def test_pooling_rows_are_averages_of_two_neighbours() -> None:
    matrix = pooling_matrix(anchors(128, levels=6), 128)
    assert matrix.shape == (234 * 7, 128)
    torch.testing.assert_close(matrix.sum(dim=1), torch.ones(234 * 7, dtype=torch.float64))
    assert ((matrix > 0).sum(dim=1) <= 2).all()


def test_every_sample_may_have_its_own_clips() -> None:
    clips = torch.stack([anchors(8, 2), anchors(8, 2) * 0.7])
    sampler, x = ClipSampler(3, 4, 2).double(), torch.randn(2, 8, 3, dtype=torch.float64)
    both = sampler(x, clips)
    for i in range(2):
        torch.testing.assert_close(both[i], sampler(x[i : i + 1], clips[i])[0])


def test_training_reads_few_clips_as_answering_does() -> None:
    sampler, x = ClipSampler(3, 4, 2).double(), torch.randn(2, 32, 3, dtype=torch.float64)
    clips = anchors(32, 1)[:6]
    torch.testing.assert_close(sampler.train()(x, clips), sampler.eval()(x, clips))


def test_the_sampler_is_pooling_and_two_convolutions() -> None:
    sampler = ClipSampler(3, 4, 5).double()
    x = torch.randn(2, 16, 3, dtype=torch.float64)
    clips = anchors(16)
    out = sampler(x, clips)
    assert out.shape == (2, len(clips), 5)
    assert sampler.first.bias is not None
    last = sampler.second.weight.view(5, 3, 4)
    for sample, answers in zip(x, out, strict=True):
        for points, answer in zip(read_points(sample, clips), answers, strict=True):
            inner = []
            for window in range(3):
                taps = [sampler.first.weight[:, :, k] @ points[2 * window + k] for k in range(3)]
                inner.append((torch.stack(taps).sum(dim=0) + sampler.first.bias).clamp(min=0))
            expected = sampler.second.bias + sum(
                (last[:, k] @ inner[k] for k in range(3)), start=torch.zeros(5).double()
            )
            torch.testing.assert_close(answer, expected)


def test_gradients_of_the_sampler() -> None:
    sampler = ClipSampler(2, 3, 2).double()
    x = torch.randn(1, 8, 2, dtype=torch.float64, requires_grad=True)
    clips = torch.tensor([[[0.3, 5.1], [2.2, 7.9]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sampler, (x, clips))


def test_the_last_real_step_is_held() -> None:
    x = torch.randn(2, 5, 3)
    held = hold_last(x, torch.arange(5) < torch.tensor([[5], [2]]))
    assert torch.equal(held[0], x[0])
    assert torch.equal(held[1], x[1, [0, 1, 1, 1, 1]])


def test_the_clips_of_didemo() -> None:
    clips = piece_clips(6)
    assert len(clips) == len(set(clips)) == 21
    assert all(0 <= first <= last < 6 for first, last in clips)
    assert len(piece_clips(5)) == 15


def test_equation_1() -> None:
    # centre 5, length 10: moved by a tenth of its length, twice as long
    span = decode_offsets(torch.tensor([0.0, 10.0]), torch.tensor([0.1, float(np.log(2))]))
    torch.testing.assert_close(span, torch.tensor([-4.0, 16.0]))


spans = st.tuples(st.floats(0, 100), st.floats(0.01, 100)).map(lambda span: [span[0], span[0] + span[1]])


@given(spans, spans)
def test_encoding_and_decoding_are_inverse(clip: list[float], target: list[float]) -> None:
    clips, targets = torch.tensor([clip, target]).double(), torch.tensor([target, clip]).double()
    offsets = encode_offsets(clips, targets)
    torch.testing.assert_close(decode_offsets(clips, offsets), targets, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(encode_offsets(clips, decode_offsets(clips, offsets)), offsets, atol=1e-6, rtol=1e-9)
