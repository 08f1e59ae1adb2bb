from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from asst import InputError
from asst.nn.config import ASSTConfig
from asst.nn.convolution import TemporalConvolution
from asst.nn.steps import ValidSteps
from asst.nn.video import VideoSubnet, VisualLayer, endpoints, expand


def conv(layer: nn.Linear, x: Tensor) -> Tensor:
    """The library's convolution with a layer's weights, channels first."""
    if not isinstance(layer, TemporalConvolution):
        return functional.conv1d(x, layer.weight[..., None], layer.bias)
    kernel = layer.weight.view(layer.out_features, layer.kernel, -1).mT
    margin = layer.dilation * (layer.kernel // 2)
    return functional.conv1d(x, kernel, layer.bias, layer.stride, margin, layer.dilation)


def visual(layer: VisualLayer, x: Tensor, words: Tensor) -> Tensor:
    u = conv(layer.convolution, x) if isinstance(layer.convolution, nn.Linear) else x
    if layer.attention is not None:
        everything = torch.ones(words.shape[:2], dtype=torch.bool)
        u = layer.attention(u.mT, words, everything)[0].mT
    norm = layer.norm
    scale = norm.weight / (u.var(dim=(0, 2), unbiased=False) + norm.eps).sqrt()
    return ((u - u.mean(dim=(0, 2))[:, None]) * scale[:, None] + norm.bias[:, None]).clamp(min=0)


def reference(subnet: VideoSubnet, features: Tensor, words: Tensor) -> Tensor:
    """Section 3.1.1 in training, without padding or dropout, channels first, by the library's operations."""
    h = conv(subnet.projection, features.mT)
    for layer in subnet.dilation:
        assert isinstance(layer, VisualLayer)
        h = h + visual(layer, h, words)
    maps = [h]
    for layer in subnet.squeezing:
        assert isinstance(layer, VisualLayer)
        maps.append(visual(layer, maps[-1], words))
    h = conv(subnet.join, maps.pop())
    for lateral in subnet.laterals:
        assert isinstance(lateral, nn.Linear)
        h = functional.interpolate(h, scale_factor=2, mode="linear", align_corners=False) + conv(lateral, maps.pop())
    return (h if subnet.final is None else visual(subnet.final, h, words)).mT


FEEDINGS = ["none", "final", "last_dilation", "first_dilation", "multiple"]


def build(small: Callable[..., ASSTConfig], **changes: object) -> VideoSubnet:
    subnet = VideoSubnet(small(dropout=0.0, input_dropout=0.0, **changes)).double()
    for module in subnet.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return subnet


@pytest.mark.parametrize("feeding", FEEDINGS)
def test_the_subnet_and_its_gradients_against_a_plain_one(small: Callable[..., ASSTConfig], feeding: str) -> None:
    subnet = build(small, feeding=feeding)
    features = torch.randn(2, 16, 6, dtype=torch.float64, requires_grad=True)
    words = torch.randn(2, 3, 4, dtype=torch.float64)
    out, _ = subnet(features, torch.ones(2, 16, dtype=torch.bool), words, torch.ones(2, 3, dtype=torch.bool))
    expected = reference(subnet, features, words)
    torch.testing.assert_close(out, expected)
    pull, inputs = torch.randn_like(out), [features, *subnet.parameters()]
    ours = torch.autograd.grad((out * pull).sum(), inputs)
    theirs = torch.autograd.grad((expected * pull).sum(), inputs)
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right)


@pytest.mark.parametrize("feeding", FEEDINGS)
@pytest.mark.parametrize("training", [True, False])
def test_padding_changes_nothing(small: Callable[..., ASSTConfig], feeding: str, training: bool) -> None:
    subnet = build(small, feeding=feeding).train(training)
    words, word_mask = torch.randn(2, 3, 4, dtype=torch.float64), torch.ones(2, 3, dtype=torch.bool)
    lengths = torch.tensor([[8], [5]])
    short = torch.randn(2, 8, 6, dtype=torch.float64)
    mask = torch.arange(32) < lengths
    alone, weights = subnet(short, mask[:, :8], words, word_mask)
    long = torch.full((2, 32, 6), torch.nan, dtype=torch.float64)
    long[:, :8] = short
    long[1, 5:] = torch.inf
    out, wide = subnet(long, mask, words, word_mask)
    torch.testing.assert_close(out[:, :8], alone)
    assert (out[~mask] == 0).all()
    for name, weight in weights.items():
        steps = weight.shape[2]
        real = ValidSteps.of(mask)
        while real.mask.shape[1] > wide[name].shape[2]:
            real = real.halved()
        seen = real.mask[:, None, :steps].expand_as(weight)
        torch.testing.assert_close(wide[name][..., :steps][seen], weight[seen])


def test_the_receptive_field_of_the_dilation_layers(small: Callable[..., ASSTConfig]) -> None:
    subnet = build(small, feeding="none", steps=64, dilation_layers=4).eval()
    maps: list[Tensor] = []
    subnet.laterals[-1].register_forward_hook(lambda module, inputs, out: maps.append(inputs[0]))
    features = torch.randn(1, 64, 6, dtype=torch.float64, requires_grad=True)
    subnet(features, torch.ones(1, 64, dtype=torch.bool))
    (grad,) = torch.autograd.grad(maps[0][0, 32].square().sum(), features)
    reached = grad[0].abs().sum(dim=1).nonzero().flatten().tolist()
    # 1 + 2 * (1 + 2 + 4 + 8) = 31 steps
    assert (reached[0], reached[-1], len(reached)) == (32 - 15, 32 + 15, 31)


def test_every_input_step_reaches_every_final_step(small: Callable[..., ASSTConfig]) -> None:
    subnet = build(small, feeding="none", steps=128, dilation_layers=4, squeezing_layers=6).eval()
    for module in subnet.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.constant_(module.bias, 5.0)  # every ReLU open: what counts here is which steps are connected
    mask = torch.ones(1, 128, dtype=torch.bool)
    features = torch.randn(1, 128, 6, dtype=torch.float64)
    with torch.no_grad():
        before, _ = subnet(features, mask)
        for step in (0, 31, 64, 127):
            changed = features.clone()
            changed[0, step] += 10.0
            after, _ = subnet(changed, mask)
            assert ((after - before).abs().sum(dim=2) > 0).all()


@pytest.mark.parametrize(
    ("feeding", "layers"),
    [
        ("none", []),
        ("final", ["final"]),
        ("last_dilation", ["dilation2"]),
        ("first_dilation", ["dilation1"]),
        ("multiple", ["dilation1", "dilation2", "squeezing1", "squeezing2"]),
    ],
)
def test_where_language_enters(small: Callable[..., ASSTConfig], feeding: str, layers: list[str]) -> None:
    subnet = build(small, feeding=feeding)
    present = [name.rsplit(".", 1)[0] for name, module in subnet.named_modules() if name.endswith(".attention")]
    names = {"dilation.0": "dilation1", "dilation.1": "dilation2", "squeezing.0": "squeezing1"}
    names |= {"squeezing.1": "squeezing2", "final": "final"}
    assert [names[name] for name in present] == layers
    words = torch.randn(1, 3, 4, dtype=torch.float64, requires_grad=True)
    mask = torch.ones(1, 16, dtype=torch.bool)
    out, weights = subnet(torch.randn(1, 16, 6, dtype=torch.float64), mask, words, torch.ones(1, 3, dtype=torch.bool))
    steps = {"squeezing1": 8, "squeezing2": 4}
    assert {name: tuple(weight.shape) for name, weight in weights.items()} == {
        name: (1, 3, steps.get(name, 16)) for name in layers
    }
    (grad,) = torch.autograd.grad(out.square().sum(), words, allow_unused=True)
    assert (grad is None) == (feeding == "none")


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_expansion_is_linear_interpolation_that_stops_at_padding(steps: int) -> None:
    x = torch.randn(2, steps, 3)
    whole = expand(x, ValidSteps.of(torch.ones(2, steps, dtype=torch.bool)))
    torch.testing.assert_close(whole, functional.interpolate(x.mT, scale_factor=2, mode="linear").mT)
    longer = torch.cat([x, torch.full((2, 2, 3), 1e9)], dim=1)
    held = expand(longer, ValidSteps.of((torch.arange(steps + 2) < steps).expand(2, -1)))
    torch.testing.assert_close(held[:, : 2 * steps], whole)


def test_temporal_endpoints(small: Callable[..., ASSTConfig]) -> None:
    mask = torch.arange(16) < torch.tensor([[16], [4]])
    feature = endpoints(mask)
    assert feature[0, 3].tolist() == [3 / 16, 4 / 16]
    assert feature[1, :5].tolist() == [[0, 0.25], [0.25, 0.5], [0.5, 0.75], [0.75, 1], [0, 0]]
    subnet = build(small, feeding="none", endpoint_feature=True)
    out, _ = subnet(torch.randn(2, 16, 6, dtype=torch.float64), mask)
    assert out.shape[2] == subnet.out_channels == 8
    torch.testing.assert_close(out[..., 6:], feature.double())


def test_dropout_acts_on_the_input_and_after_every_layer(small: Callable[..., ASSTConfig]) -> None:
    features, mask = torch.randn(1, 16, 6), torch.ones(1, 16, dtype=torch.bool)
    for rates in ({"input_dropout": 0.5, "dropout": 0.0}, {"input_dropout": 0.0, "dropout": 0.5}):
        subnet = VideoSubnet(small(feeding="none", **rates))
        assert not torch.equal(subnet(features, mask)[0], subnet(features, mask)[0])
        subnet.eval()
        assert torch.equal(subnet(features, mask)[0], subnet(features, mask)[0])


def test_what_cannot_be_squeezed_or_read_is_refused(small: Callable[..., ASSTConfig]) -> None:
    subnet = VideoSubnet(small())
    with pytest.raises(InputError, match="18 steps cannot be squeezed; pad them to a multiple of 4"):
        subnet(torch.randn(1, 18, 6), torch.ones(1, 18, dtype=torch.bool))
    with pytest.raises(InputError, match="this network reads sentences"):
        subnet(torch.randn(1, 16, 6), torch.ones(1, 16, dtype=torch.bool))


def test_features_are_standardised_by_those_of_training(small: Callable[..., ASSTConfig]) -> None:
    torch.manual_seed(1)
    plain, subnet = (VideoSubnet(small(feeding="none", standardize=own)).eval() for own in (False, True))
    subnet.load_state_dict(plain.state_dict(), strict=False)
    videos = [3 + torch.randn(5, 6) * torch.arange(6), 3 + torch.randn(9, 6) * torch.arange(6)]
    subnet.fit_features(video.numpy() for video in videos)
    rows = torch.cat(videos)
    scale = rows.std(dim=0, unbiased=False)
    scale[0] = 1  # that number does not vary
    seen = torch.randn(2, 16, 6)
    mask = torch.ones(2, 16, dtype=torch.bool)
    mask[1, 12:] = False
    torch.testing.assert_close(subnet(seen, mask)[0], plain((seen - rows.mean(dim=0)) / scale, mask)[0])
