from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from asst import InputError
from asst.nn.config import ASSTConfig
from asst.nn.language import LanguageSubnet


def direction(lstm: nn.LSTM, words: Tensor, suffix: str) -> list[Tensor]:
    """One direction of an LSTM, gate by gate."""
    weight_ih, weight_hh = getattr(lstm, f"weight_ih_l0{suffix}"), getattr(lstm, f"weight_hh_l0{suffix}")
    bias = getattr(lstm, f"bias_ih_l0{suffix}") + getattr(lstm, f"bias_hh_l0{suffix}")
    h = c = words.new_zeros(lstm.hidden_size)
    states = []
    for word in words:
        i, f, g, o = (weight_ih @ word + weight_hh @ h + bias).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return states


def reference(subnet: LanguageSubnet, words: Tensor) -> Tensor:
    """The subnet for one unpadded sentence."""
    q = words @ subnet.projection.weight.T + subnet.projection.bias
    half = q.shape[1] // 2
    w = q[:, :half] * q[:, half:].sigmoid()
    for lstm in subnet.layers:
        assert isinstance(lstm, nn.LSTM)
        forward = direction(lstm, w, "")
        backward = direction(lstm, w.flip(0), "_reverse")[::-1]
        w = torch.stack([torch.cat(pair) for pair in zip(forward, backward, strict=True)]) + w
    return w


@pytest.mark.parametrize("layers", [1, 2])
def test_equations_2_and_3_and_their_gradients(small: Callable[..., ASSTConfig], layers: int) -> None:
    subnet = LanguageSubnet(small(lstm_layers=layers, dropout=0.0)).double()
    words = torch.randn(3, 5, 5, dtype=torch.float64, requires_grad=True)
    lengths = [2, 5, 1]
    word_mask = torch.arange(5) < torch.tensor(lengths)[:, None]
    out = subnet(words, word_mask)
    expected = torch.zeros_like(out)
    for i, n in enumerate(lengths):
        expected = expected.index_put((torch.tensor(i), torch.arange(n)), reference(subnet, words[i, :n]))
    torch.testing.assert_close(out, expected)
    pull = torch.randn_like(out)
    inputs = [words, *subnet.parameters()]
    ours = torch.autograd.grad((out * pull).sum(), inputs)
    theirs = torch.autograd.grad((expected * pull).sum(), inputs)
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right)


def test_padding_never_influences_a_word_and_is_zero(small: Callable[..., ASSTConfig]) -> None:
    subnet = LanguageSubnet(small()).eval()
    words = torch.randn(2, 6, 5)
    word_mask = torch.arange(6) < torch.tensor([[3], [6]])
    out = subnet(words, word_mask)
    spoilt = words.masked_fill(~word_mask[..., None], 1e6)
    assert torch.equal(subnet(spoilt, word_mask), out)
    assert (out[~word_mask] == 0).all()
    torch.testing.assert_close(subnet(words[:1, :3], word_mask[:1, :3])[0], out[0, :3])


def test_every_word_hears_every_other(small: Callable[..., ASSTConfig]) -> None:
    subnet = LanguageSubnet(small()).eval()
    words = torch.randn(1, 5, 5, requires_grad=True)
    out = subnet(words, torch.ones(1, 5, dtype=torch.bool))
    for i in range(5):
        (grad,) = torch.autograd.grad(out[0, i].square().sum(), words, retain_graph=True)
        assert (grad.abs().sum(dim=2) > 0).all()


def test_a_sentence_without_a_word_is_refused(small: Callable[..., ASSTConfig]) -> None:
    with pytest.raises(InputError, match="sentence 1 of the batch has no word"):
        LanguageSubnet(small())(torch.randn(2, 3, 5), torch.tensor([[True] * 3, [False] * 3]))
