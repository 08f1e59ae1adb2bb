"""The layers beneath the paper's modules: valid steps, convolution, batch norm, dropout."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from asst.errors import InputError
from asst.nn.convolution import TemporalConvolution
from asst.nn.dropout import Dropout
from asst.nn.normalization import MaskedBatchNorm
from asst.nn.steps import ValidSteps


def convolve(layer: TemporalConvolution, x: Tensor) -> Tensor:
    """A convolution of one sample by its definition."""
    steps, channels = x.shape
    taps = layer.weight.view(-1, layer.kernel, channels)
    rows = []
    for centre in range(0, steps, layer.stride):
        row = layer.bias.clone()
        for k in range(layer.kernel):
            t = centre + (k - layer.kernel // 2) * layer.dilation
            if 0 <= t < steps:
                row = row + taps[:, k] @ x[t]
        rows.append(row)
    return torch.stack(rows)


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 1, 1), (3, 1, 4), (3, 2, 1), (5, 2, 2), (1, 1, 1)])
@pytest.mark.parametrize("steps", [2, 7, 8])
def test_convolution_by_its_definition(kernel: int, stride: int, dilation: int, steps: int) -> None:
    layer = TemporalConvolution(3, 4, kernel, stride, dilation).double()
    x = torch.randn(2, steps, 3, dtype=torch.float64, requires_grad=True)
    out = layer(x)
    expected = torch.stack([convolve(layer, sample) for sample in x])
    torch.testing.assert_close(out, expected)
    pull = torch.randn_like(out)
    ours = torch.autograd.grad((out * pull).sum(), [x, *layer.parameters()])
    theirs = torch.autograd.grad((expected * pull).sum(), [x, *layer.parameters()])
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right)


def test_valid_steps_halve_by_any() -> None:
    steps = ValidSteps.of(torch.tensor([[True, True, True, False], [True, False, False, False]]))
    assert steps.halved().mask.tolist() == [[True, True], [True, False]]
    assert steps.halved().halved().mask.tolist() == [[True], [True]]
    assert steps.rows.tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize("padded", [False, True])
def test_gather_and_scatter_are_inverse_and_silence_is_zero(padded: bool) -> None:
    mask = torch.ones(2, 3, dtype=torch.bool)
    mask[1, 1:] = not padded
    steps, x = ValidSteps.of(mask), torch.randn(2, 3, 4)
    x[1, 2] = x[1, 2] if not padded else torch.nan
    silent = steps.silence(x)
    assert torch.equal(steps.scatter(steps.gather(x)), silent)
    assert torch.equal(silent, torch.where(mask[..., None], x, 0))


@pytest.mark.parametrize("padded", [False, True])
def test_batch_norm_counts_real_steps_only(padded: bool) -> None:
    mask = torch.arange(4) < torch.tensor([[4], [1 if padded else 4], [3 if padded else 4]])
    ours, theirs = MaskedBatchNorm(5).double(), nn.BatchNorm1d(5).double()
    x = torch.randn(3, 4, 5, dtype=torch.float64) * 3 + 1
    for norm in (ours, theirs):
        nn.init.uniform_(norm.weight)
        norm.load_state_dict(ours.state_dict())
    steps = ValidSteps.of(mask)
    out = ours(x.masked_fill(~mask[..., None], 1e9), steps)
    rows = x[mask]
    centred = rows - rows.mean(dim=0)
    expected = centred / (centred.square().mean(dim=0) + ours.eps).sqrt() * ours.weight + ours.bias
    torch.testing.assert_close(out[mask], expected)
    assert (out[~mask] == 0).all()
    theirs(rows)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.eval()(x, steps)[mask], theirs.eval()(rows))


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropout_keeps_the_share_and_the_mean(rate: float) -> None:
    layer = Dropout(rate)
    x = torch.ones(999, 1001, requires_grad=True)
    out = layer(x)
    assert out.unique().tolist() == pytest.approx([0.0, 1 / (1 - rate)])
    assert (out == 0).float().mean().item() == pytest.approx(rate, abs=0.002)
    # Neighbours share a draw; they must not share its outcome.
    zero = (out.flatten()[:-3] == 0).view(-1, 4).float()
    assert (torch.corrcoef(zero.T) - torch.eye(4)).abs().max() < 0.01
    (grad,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(grad, out.detach())
    assert not torch.equal(layer(x), out)
    assert layer.eval()(x) is x


def test_dropout_follows_the_seed() -> None:
    layer, x = Dropout(0.3), torch.ones(100)
    torch.manual_seed(5)
    one = layer(x)
    torch.manual_seed(5)
    assert torch.equal(layer(x), one)


def test_batch_normalisation_of_one_step_is_refused() -> None:
    steps = ValidSteps.of(torch.tensor([[True, False]]))
    with pytest.raises(InputError, match=r"raise training\.batch, or lower parts"):
        MaskedBatchNorm(3)(torch.ones(1, 2, 3), steps)
