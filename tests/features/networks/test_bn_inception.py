"""BN-Inception: as many parameters, layers and shapes as published, and the numbers of a slow second implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from asst.errors import InputError
from asst.features.extractor import extractor_named
from asst.features.networks.bn_inception import FLOW_CHANNELS, BNInception, flow_branch_of, published_name
from asst.features.networks.flow import OpticalFlow
from asst.video import Frames

from ..conftest import Floats, SlowLayers, scramble

# The maps that each block gives, as Table 5 of the publication and the ports' layer lists have them.
MAPS = {
    "3a": (256, 28),
    "3b": (320, 28),
    "3c": (576, 14),
    "4a": (576, 14),
    "4b": (576, 14),
    "4c": (608, 14),
    "4d": (608, 14),
    "4e": (1056, 7),
    "5a": (1024, 7),
    "5b": (1024, 7),
}


def test_it_has_the_published_parameters() -> None:
    with torch.device("meta"):
        rgb, flow = BNInception(), BNInception(FLOW_CHANNELS)
    count = sum(parameter.numel() for parameter in rgb.parameters())
    assert count + 1025 * 1000 == 11_295_240
    assert sum(parameter.numel() for parameter in flow.parameters()) - count == 7 * 64 * 7 * 7
    assert sum(isinstance(layer, nn.Conv2d) for layer in rgb.modules()) == 69


def test_layers_have_the_published_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        network = BNInception(FLOW_CHANNELS)
        shapes: dict[str, tuple[int, ...]] = {}
        block = network._inception

        def watched(name: str, x: torch.Tensor) -> torch.Tensor:
            x = block(name, x)
            shapes[name] = tuple(x.shape)
            return x

        monkeypatch.setattr(network, "_inception", watched)
        assert network(torch.zeros(2, 224, 224, 10, dtype=torch.uint8)).shape == (2, 1024)
    assert shapes == {name: (2, channels, side, side) for name, (channels, side) in MAPS.items()}


def slow_forward(slow: SlowLayers, x: Floats) -> Floats:
    """The whole network on one picture ``(channels, height, width)``."""

    def layer(name: str, x: Floats, stride: int = 1, pad: int = 0) -> Floats:
        return slow.relu(slow.norm(f"{name}_bn", slow.conv(name, x, stride, pad)))

    x = slow.pool(layer("conv1_7x7_s2", x, 2, 3), (3, 3), (2, 2))
    x = slow.pool(layer("conv2_3x3", layer("conv2_3x3_reduce", x), 1, 1), (3, 3), (2, 2))
    for name in MAPS:
        at = f"inception_{name}"
        stride = 2 if name in {"3c", "4e"} else 1
        three = layer(f"{at}_3x3", layer(f"{at}_3x3_reduce", x), stride, 1)
        double = layer(f"{at}_double_3x3_1", layer(f"{at}_double_3x3_reduce", x), 1, 1)
        double = layer(f"{at}_double_3x3_2", double, stride, 1)
        if stride == 2:
            x = np.concatenate([three, double, slow.pool(x, (3, 3), (2, 2))])
            continue
        pooled = slow.pool(x, (3, 3), (1, 1), pad=1, mean=name != "5b")
        projected = layer(f"{at}_pool_proj", pooled)
        x = np.concatenate([layer(f"{at}_1x1", x), three, double, projected])
    means: Floats = x.mean((1, 2))
    return means


@pytest.mark.parametrize("channels", [3, FLOW_CHANNELS])
@pytest.mark.parametrize("side", [64, 96])
def test_numbers_are_those_of_a_slow_second_implementation(channels: int, side: int, one_thread: None) -> None:
    network = BNInception(channels)
    scramble(network)
    slow = SlowLayers(network.state_dict())
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, channels), dtype=np.uint8)
    centred: Floats = pixels.astype(np.float64) - 128
    if channels == 3:
        centred = pixels[..., ::-1] - np.array([104.0, 117.0, 128.0])
    expected = slow_forward(slow, centred.transpose(2, 0, 1))
    given = torch.from_numpy(pixels)[None]
    small = 1e-5 * float(expected.max())
    np.testing.assert_allclose(network(given)[0].numpy(), expected, rtol=1e-4, atol=small)
    network.fold()
    np.testing.assert_allclose(network(given)[0].numpy(), expected, rtol=1e-4, atol=small)
    assert (expected > 0).mean() > 0.3


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("conv1_7x7_s2.weight", "conv1_7x7_s2.weight"),
        ("base_model.inception_3a_1x1_bn.running_mean", "inception_3a_1x1_bn.running_mean"),
        ("module.base_model.inception_5b_pool_proj.bias", "inception_5b_pool_proj.bias"),
        ("last_linear.weight", None),
        ("fc.bias", None),
        ("base_model.fc.bias", None),
        ("new_fc.weight", None),
        ("module.new_fc.weight", None),
    ],
)
def test_names_of_the_ports(theirs: str, ours: str | None) -> None:
    assert published_name(theirs) == ours


def test_both_streams_are_extractors(bn_inception_files: Path, one_thread: None) -> None:
    # TV-L1 takes long over pictures that have nothing in common.
    frames = Frames(np.full((6, 64, 80, 3), 90, np.uint8), np.arange(6) / 24)
    for name in ("bn-inception-rgb", "bn-inception-flow", "bn-inception-flow-dis"):
        extractor = extractor_named(name, bn_inception_files)
        features = extractor.extract_frames([frames])
        assert features.vectors.shape == (1, extractor.dimension) == (1, 1024)
        assert np.isfinite(features.vectors).all()
        assert features.extractor == extractor.name == name


def test_old_ports_without_counts_and_with_rows_fit(bn_inception_files: Path, tmp_path: Path) -> None:
    state = torch.load(bn_inception_files / "bn-inception-rgb.pth", weights_only=True)
    old = {
        name: (tensor[None] if "_bn." in name else tensor).contiguous()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
    save_file(old, tmp_path / "bn-inception-rgb.safetensors")
    new, again = (extractor_named("bn-inception-rgb", path) for path in (bn_inception_files, tmp_path))
    assert new.preprocessing == again.preprocessing
    assert new.weights != again.weights
    frames = Frames(np.full((1, 60, 60, 3), 90, np.uint8), np.zeros(1))
    np.testing.assert_array_equal(new.extract_frames([frames]).vectors, again.extract_frames([frames]).vectors)


def test_the_other_streams_file_is_refused(bn_inception_files: Path) -> None:
    with pytest.raises(InputError, match=r"conv1_7x7_s2\.weight has the shape \(64, 10, 7, 7\), not \(64, 3, 7, 7\)"):
        extractor_named("bn-inception-rgb", bn_inception_files / "bn-inception-flow.pth.tar")
    with pytest.raises(InputError, match=r"\(64, 3, 7, 7\), not \(64, 10, 7, 7\)"):
        extractor_named("bn-inception-flow", bn_inception_files / "bn-inception-rgb.pth")


@pytest.mark.parametrize(("height", "width"), [(256, 455), (256, 256), (455, 256), (256, 230)])
def test_flow_of_the_centre_is_stacked_in_turns(height: int, width: int) -> None:
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 256, (20, 20, 3)).astype(np.float32)
    texture = torch.nn.functional.interpolate(
        torch.from_numpy(coarse).permute(2, 0, 1)[None], size=(height + 60, width + 60), mode="bicubic"
    )
    wide = texture[0].permute(1, 2, 0).clamp(0, 255).byte().numpy()
    # What is shown moves three pixels to the right and one up a picture.
    pictures = [wide[10 + k : 10 + k + height, 30 - 3 * k : 30 - 3 * k + width] for k in range(6)]
    with torch.device("meta"):
        branch = flow_branch_of(BNInception(FLOW_CHANNELS), "", OpticalFlow("dis"))
    stack = branch.prepare(pictures)
    assert stack.shape == (224, 224, 10)
    assert stack.dtype == np.uint8
    assert len(branch.ticks) == 6
    pixels_of_motion = (np.median(stack.astype(float), axis=(0, 1)) - 127.5) * 40 / 255
    np.testing.assert_allclose(pixels_of_motion, [3, -1] * 5, atol=0.2)
