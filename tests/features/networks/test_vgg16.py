"""VGG16: as many parameters, layers and shapes as published, and the numbers of a slow second implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from asst.errors import InputError
from asst.features.extractor import extractor_named
from asst.features.networks.vgg16 import VGG16, published_name
from asst.video import Frames

from ..conftest import SlowLayers, scramble, thin

# torchvision's convolutions: the layer's number and the channels before and after it.
CONVOLUTIONS = {
    0: (3, 64),
    2: (64, 64),
    5: (64, 128),
    7: (128, 128),
    10: (128, 256),
    12: (256, 256),
    14: (256, 256),
    17: (256, 512),
    19: (512, 512),
    21: (512, 512),
    24: (512, 512),
    26: (512, 512),
    28: (512, 512),
}
LINEAR = {0: (25088, 4096), 3: (4096, 4096), 6: (4096, 1000)}


def published_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (before, after) in CONVOLUTIONS.items():
        shapes |= {f"features.{layer}.weight": (after, before, 3, 3), f"features.{layer}.bias": (after,)}
    for layer, (before, after) in LINEAR.items():
        shapes |= {f"classifier.{layer}.weight": (after, before), f"classifier.{layer}.bias": (after,)}
    return shapes


def test_it_has_the_published_parameters() -> None:
    with torch.device("meta"):
        network = VGG16()
    ours = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    theirs = {published_name(name): shape for name, shape in published_shapes().items()}
    assert theirs.pop(None) in {(1000, 4096), (1000,)}
    assert theirs == ours
    assert sum(parameter.numel() for parameter in network.parameters()) + 4096 * 1000 + 1000 == 138_357_544


def test_layers_have_the_published_shapes() -> None:
    with torch.device("meta"):
        network = VGG16()
        shapes: dict[str, tuple[int, ...]] = {}
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.register_forward_hook(lambda *seen, name=name: shapes.update({name: tuple(seen[2].shape)}))
        network(torch.zeros(2, 224, 224, 3, dtype=torch.uint8))
    sides = {64: 224, 128: 112, 256: 56}
    for name, shape in shapes.items():
        number = int(name.partition(".")[2])
        channels = CONVOLUTIONS.get(number, (0, 0))[1]
        side = sides.get(channels, 28 if number < 24 else 14)
        assert shape == ((2, channels, side, side) if name.startswith("features") else (2, 4096))
    assert len(shapes) == 15


def test_numbers_are_those_of_a_slow_second_implementation(one_thread: None) -> None:
    network = scramble(VGG16(channels=(4, 6, 8, 8, 10), hidden=12, side=64))
    ours_to_theirs = {published_name(name): name for name in published_shapes() if published_name(name)}
    slow = SlowLayers({ours_to_theirs[name]: tensor for name, tensor in network.state_dict().items()})
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    x = ((picture / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1)
    for layer in range(31):
        if layer in CONVOLUTIONS:
            x = slow.relu(slow.conv(f"features.{layer}", x))
        elif layer in {4, 9, 16, 23, 30}:
            x = slow.pool(x, (2, 2), (2, 2))
    x = slow.relu(slow.linear("classifier.0", x.ravel()))
    expected = slow.relu(slow.linear("classifier.3", x))
    found = network(torch.from_numpy(picture)[None])[0].numpy()
    assert (expected > 0).sum() > 3
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_torchvisions_file_is_an_extractor(tmp_path: Path, one_thread: None) -> None:
    torch.save(thin(published_shapes()), tmp_path / "vgg16.pth")
    extractor = extractor_named("vgg16", tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    features = extractor.extract_frames([Frames(pixels, np.array([0.0, 0.25]))])
    assert features.vectors.shape == (2, extractor.dimension) == (2, 4096)
    assert (features.extractor, features.step_s) == ("vgg16", 0.25)
    assert len(extractor.weights) == len(extractor.preprocessing) == 12


def test_another_networks_file_is_refused(tmp_path: Path) -> None:
    shapes = published_shapes()
    shapes["features.30.weight"] = shapes.pop("features.28.weight")
    torch.save(thin(shapes), tmp_path / "vgg16.pth")
    with pytest.raises(InputError, match=r"1 .* first features\.28\.weight; 1 .* first features\.30\.weight"):
        extractor_named("vgg16", tmp_path / "vgg16.pth")
