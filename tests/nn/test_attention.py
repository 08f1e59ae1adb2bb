from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from asst.nn.attention import CrossModalAttention, relative_entropy


def affine(layer: nn.Linear, x: Tensor) -> list[Tensor]:
    return [(row * x).sum() + b for row, b in zip(layer.weight, layer.bias, strict=True)]


def glu(q: list[Tensor]) -> list[Tensor]:
    half = len(q) // 2
    return [a / (1 + (-b).exp()) for a, b in zip(q[:half], q[half:], strict=True)]


def reference(module: CrossModalAttention, v: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
    """Equations 3 to 6 for one unpadded sample, number by number."""
    w_a = [glu(affine(module.word_key, w)) for w in words]
    w_v = [glu(affine(module.word_value, w)) for w in words]
    weights, fused = [], []
    for step in v:
        v_a = affine(module.step_query, step)
        raw = [sum((a * b for a, b in zip(key, v_a, strict=True)), start=v.new_zeros(())) / len(v_a) for key in w_a]
        total = sum((score.exp() for score in raw), start=v.new_zeros(()))
        a_j = [score.exp() / total for score in raw]
        attended = [
            sum((a * value[c] for a, value in zip(a_j, w_v, strict=True)), start=v.new_zeros(()))
            for c in range(len(step))
        ]
        weights.append(torch.stack(a_j))
        fused.append(torch.stack([a * b for a, b in zip(attended, step, strict=True)]))
    return torch.stack(fused), torch.stack(weights, dim=1)


def test_equations_4_to_6_and_their_gradients() -> None:
    module = CrossModalAttention(4, 3, 5).double()
    v = torch.randn(2, 6, 4, dtype=torch.float64, requires_grad=True)
    words = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    lengths = [3, 2]
    word_mask = torch.tensor([[True, True, True], [True, True, False]])
    u, a = module(4 * v, words, word_mask)
    expected = [reference(module, 4 * v[i], words[i, :n]) for i, n in enumerate(lengths)]
    for i, n in enumerate(lengths):
        torch.testing.assert_close(u[i], expected[i][0])
        torch.testing.assert_close(a[i, :n], expected[i][1])
    inputs = [v, words, *module.parameters()]
    pull = torch.randn_like(u)
    ours = torch.autograd.grad((u * pull).sum(), inputs)
    theirs = torch.autograd.grad((torch.stack([e[0] for e in expected]) * pull).sum(), inputs)
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right)


def test_weights_are_a_distribution_over_the_real_words() -> None:
    module = CrossModalAttention(4, 3, 5)
    word_mask = torch.tensor([[True, True, False, False], [True, False, False, False]])
    _, a = module(torch.randn(2, 7, 4), torch.randn(2, 4, 3), word_mask)
    assert a.shape == (2, 4, 7)
    torch.testing.assert_close(a.sum(dim=1), torch.ones(2, 7))
    assert (a[~word_mask] == 0).all()
    torch.testing.assert_close(a[1, 0], torch.ones(7))


def test_the_scale_is_d_a_and_not_its_root() -> None:
    module = CrossModalAttention(1, 1, 16)
    with torch.no_grad():
        for layer in (module.word_key, module.word_value, module.step_query):
            layer.weight.zero_()
            layer.bias.zero_()
        module.word_key.weight[:16] = 2.0
        module.step_query.weight[:] = 1.0
    # The gate is 1/2, so w^a is the word itself; with v = 1 the score A' is the word, and A is its softmax.
    _, a = module(torch.ones(1, 1, 1), torch.tensor([[[math.log(3.0)], [0.0]]]), torch.ones(1, 2, dtype=torch.bool))
    torch.testing.assert_close(a.flatten(), torch.tensor([0.75, 0.25]))


def test_a_word_that_is_never_attended_changes_nothing() -> None:
    module = CrossModalAttention(2, 2, 1)
    with torch.no_grad():
        module.step_query.weight.zero_()
        module.step_query.bias.fill_(1.0)
        module.word_key.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    v, word_mask = torch.randn(1, 3, 2), torch.ones(1, 2, dtype=torch.bool)
    one, a = module(v, torch.tensor([[[0.0, 1.0], [-1e4, 5.0]]]), word_mask)
    other, _ = module(v, torch.tensor([[[0.0, 1.0], [-1e4, -70.0]]]), word_mask)
    assert (a[0, 1] == 0).all()
    assert torch.equal(one, other)
    attended, _ = module(v, torch.tensor([[[0.0, 1.0], [0.0, -70.0]]]), word_mask)
    assert not torch.allclose(one, attended)


def test_products_are_divided_by_the_width_its_root_or_what_is_learnt() -> None:
    modules = {scale: CrossModalAttention(4, 3, 9, scale) for scale in ("width", "root", "learnt")}
    for module in modules.values():
        module.load_state_dict(modules["width"].state_dict(), strict=False)
    v, words, mask = torch.randn(1, 6, 4), torch.randn(1, 3, 3), torch.ones(1, 3, dtype=torch.bool)
    width, root, learnt = (module(v, words, mask)[1] for module in modules.values())
    torch.testing.assert_close(width.pow(3) / width.pow(3).sum(dim=1, keepdim=True), root)
    torch.testing.assert_close(learnt, root)
    assert [name for name, _ in modules["learnt"].named_parameters() if name == "factor"] == ["factor"]
    learnt[0, 0].sum().backward()
    assert modules["learnt"].get_parameter("factor").grad


def test_entropy_is_one_where_words_count_alike_and_zero_where_one_counts() -> None:
    word_mask = torch.tensor([[True, True, True], [True, True, False], [True, False, False]])
    feature_mask = torch.tensor([[True] * 4, [True] * 2 + [False] * 2, [True] * 4])
    alike = (word_mask / word_mask.sum(dim=1, keepdim=True))[..., None].expand(-1, -1, 4)
    one = torch.zeros(3, 3, 2)
    one[:, 0] = 1
    assert relative_entropy({"a": alike}, word_mask, feature_mask).item() == pytest.approx(1)
    assert relative_entropy({"b": one}, word_mask, feature_mask).item() == 0
    assert relative_entropy({"a": alike, "b": one}, word_mask, feature_mask).item() == pytest.approx(0.5)
    padded = alike.clone()
    padded[1, :, 2:] = one[1, :, :1]
    assert relative_entropy({"a": padded}, word_mask, feature_mask).item() == pytest.approx(1)
