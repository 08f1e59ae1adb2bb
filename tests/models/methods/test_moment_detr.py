"""Moment-DETR at given weights against a slow reading of its equations: attention, matching and losses."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.methods.base import Share
from asst.models.methods.moment_detr import Attention, Block, MomentDETRMethod, best_matching, distances

SETTINGS: dict[str, Any] = {
    "feature_channels": 4,
    "word_channels": 3,
    "queries": 5,
    "channels": 8,
    "heads": 2,
    "layers": 2,
    "hidden_channels": 6,
    "steps": 12,
}


@pytest.fixture
def model() -> MomentDETRMethod:
    torch.manual_seed(0)
    method = MomentDETRMethod(SETTINGS).eval()
    with torch.no_grad():
        for weight in method.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return method


def normed(norm: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(norm, nn.LayerNorm)
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / (centred.pow(2).mean(dim=-1, keepdim=True) + norm.eps).sqrt() * norm.weight + norm.bias


def attended(attention: nn.Module, asks: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Of one sample without padding: each head and each asking place by itself."""
    assert isinstance(attention, Attention)
    q, k, v = attention.asks(asks), attention.keys(keys), attention.values(values)
    rows = []
    for row in q:
        heads = []
        for own, each, told in zip(row.chunk(2), k.chunk(2, dim=1), v.chunk(2, dim=1), strict=True):
            powers = [math.exp(float(own @ key) / math.sqrt(len(own))) for key in each]
            heads.append(sum(power / sum(powers) * value for power, value in zip(powers, told, strict=True)))
        rows.append(torch.cat([torch.as_tensor(head) for head in heads]))
    found: Tensor = attention.out(torch.stack(rows))
    return found


def passed(block: nn.Module, x: Tensor, place: Tensor, *asked: tuple[Tensor, Tensor]) -> Tensor:
    assert isinstance(block, Block)
    for attention, norm, (seen, where) in zip(block.attentions, block.norms, asked, strict=False):
        x = normed(norm, x + attended(attention, x + place, seen + where, seen))
    first, _, _, second = block.maps
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    hidden = (x @ first.weight.T + first.bias).clamp(min=0)
    return normed(block.norms[-1], x + hidden @ second.weight.T + second.bias)


def projected(layers: nn.Sequential, x: Tensor) -> Tensor:
    first_norm, _, first, _, second_norm, _, second = layers
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    x = (normed(first_norm, x) @ first.weight.T + first.bias).clamp(min=0)
    return normed(second_norm, x) @ second.weight.T + second.bias


def slow(model: MomentDETRMethod, batch: Batch, sample: int) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """What each layer says of one sample, of whose padding nothing is looked at."""
    network = model.network
    steps, words = int(batch.feature_mask[sample].sum()), int(batch.word_mask[sample].sum())
    ends = torch.tensor([[k / steps, (k + 1) / steps] for k in range(steps)])
    video = projected(network.video, torch.cat([batch.features[sample, :steps], ends], dim=1))
    x = torch.cat([video, projected(network.words, batch.words[sample, :words])])
    where = torch.zeros_like(x)
    for step in range(steps):
        for pair in range(4):
            angle = 2 * math.pi * (step + 1) / steps / 10000 ** (2 * pair / 8)
            where[step, 2 * pair], where[step, 2 * pair + 1] = math.sin(angle), math.cos(angle)
    for block in network.encoder:
        x = passed(block, x, where, (x, where))
    told, spans, labels = torch.zeros_like(network.queries), [], []
    for block in network.decoder:
        told = passed(block, told, network.queries, (told, network.queries), (x, where))
        final = normed(network.norm, told)
        spans.append(network.span(final).sigmoid())
        labels.append(final @ network.label.weight.T + network.label.bias)
    return spans, labels, (x[:steps] @ network.saliency.weight.T + network.saliency.bias).squeeze(1)


@torch.no_grad()
def test_the_network_computes_what_the_equations_say(model: MomentDETRMethod, seen: Batch) -> None:
    spans, labels, saliency = model.network(seen)
    out = model.outputs(seen)
    for sample in range(4):
        slow_spans, slow_labels, slow_saliency = slow(model, seen, sample)
        for layer in range(2):
            assert torch.allclose(spans[layer][sample], slow_spans[layer], atol=1e-5)
            assert torch.allclose(labels[layer][sample], slow_labels[layer], atol=1e-5)
        steps = len(slow_saliency)
        assert torch.allclose(saliency[sample, :steps], slow_saliency, atol=1e-5)
        for query, (centre, width) in enumerate(slow_spans[-1].tolist()):
            expected = max(0, centre - width / 2) * steps, min(1, centre + width / 2) * steps
            assert out["spans"][sample, query].tolist() == pytest.approx(expected, abs=1e-4)
            own, other = slow_labels[-1][query].exp().tolist()
            assert float(out["scores"][sample, query]) == pytest.approx(own / (own + other), abs=1e-5)


def test_the_matching_is_the_best_of_all() -> None:
    cost = torch.randn(20, 6, 4, generator=torch.Generator().manual_seed(0))
    found = best_matching(cost)
    for own, each in zip(found.tolist(), cost, strict=True):
        assert sorted(moment for moment in own if moment >= 0) == [0, 1, 2, 3]
        least = min(
            sum(float(each[query, moment]) for moment, query in enumerate(queries))
            for queries in permutations(range(6), 4)
        )
        assert sum(float(each[query, moment]) for query, moment in enumerate(own) if moment >= 0) == pytest.approx(
            least
        )


def test_distances_by_hand() -> None:
    # From 0.2 to 0.6 against 0.4 to 0.8; and from 0 to 0.2 against the same, 0.2 apart.
    far, apart = distances(torch.tensor([[0.4, 0.4], [0.1, 0.2]]), torch.tensor([0.4, 0.8]))
    assert far.tolist() == pytest.approx([0.2, 0.7])
    assert apart.tolist() == pytest.approx([1 - 0.2 / 0.6, 1 + 0.2 / 0.8])


@torch.no_grad()
def test_the_loss_is_that_of_the_equations(model: MomentDETRMethod, seen: Batch, share: Callable[[], Share]) -> None:
    spans, overlaps, labels, saliency = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], 0.0
    keys = share().uniform(12)
    for sample in range(4):
        slow_spans, slow_labels, slow_saliency = slow(model, seen, sample)
        steps = len(slow_saliency)
        start, end = seen.moments[sample, 0].tolist()
        for layer in range(2):
            far, apart = distances(slow_spans[layer], torch.tensor([start / steps, end / steps]))
            sure = slow_labels[layer].softmax(dim=1)
            best = int((10 * far + apart - 4 * sure[:, 0]).argmin())
            spans[layer] += float(far[best]) / 2 / 4
            overlaps[layer] += float(apart[best]) / 4
            each = [-math.log(own[0]) if q == best else -0.1 * math.log(own[1]) for q, own in enumerate(sure.tolist())]
            labels[layer] += sum(each) / 5 / 4
        inside = [step for step in range(steps) if start <= step + 0.5 < end]
        outside = [step for step in range(steps) if step not in inside]
        high, low = (max(of, key=lambda step: float(keys[sample, step])) for of in (inside, outside))
        saliency += max(0.0, 0.2 + float(slow_saliency[low] - slow_saliency[high])) / 4
    loss = model.loss(seen, share())
    expected = {"spans": sum(spans), "overlap": sum(overlaps), "labels": sum(labels), "saliency": saliency}
    assert {name: float(own) for name, own in loss.parts.items()} == pytest.approx(expected, rel=1e-4)
    total = 10 * sum(spans) + sum(overlaps) + 4 * sum(labels) + saliency
    assert float(loss.total) == pytest.approx(total, rel=1e-4)


def test_it_refuses_what_it_cannot_have() -> None:
    with pytest.raises(InputError, match="channels must be a multiple of twice the heads"):
        MomentDETRMethod({**SETTINGS, "channels": 10})
