"""C3D: as many parameters, layers and shapes as published, and the numbers of a slow second implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from asst.errors import InputError
from asst.features.extractor import extractor_named
from asst.features.networks.c3d import C3D, clip_of, published_name
from asst.video import Frames

from ..conftest import SlowLayers, scramble, thin

CHANNELS = {
    "conv1": (3, 64),
    "conv2": (64, 128),
    "conv3a": (128, 256),
    "conv3b": (256, 256),
    "conv4a": (256, 512),
    "conv4b": (512, 512),
    "conv5a": (512, 512),
    "conv5b": (512, 512),
}
LINEAR = {"fc6": (8192, 4096), "fc7": (4096, 4096), "fc8": (4096, 487)}
NUMBERED = dict(zip([*CHANNELS, *LINEAR], [0, 3, 6, 8, 11, 13, 16, 18, 0, 3, 6], strict=True))


def published_shapes(numbered: bool = False) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (before, after) in {**CHANNELS, **LINEAR}.items():
        part = "features" if layer in CHANNELS else "classifier"
        name = f"{part}.{NUMBERED[layer]}" if numbered else layer
        taps = (3, 3, 3) if layer in CHANNELS else ()
        shapes |= {f"{name}.weight": (after, before, *taps), f"{name}.bias": (after,)}
    return shapes


@pytest.mark.parametrize("numbered", [False, True])
def test_it_has_the_published_parameters(numbered: bool) -> None:
    with torch.device("meta"):
        network = C3D("fc7")
    ours = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    theirs = {published_name(name): shape for name, shape in published_shapes(numbered).items()}
    assert theirs.pop(None) in {(487, 4096), (487,)}
    assert theirs == ours
    count = sum(parameter.numel() for parameter in network.parameters())
    # With the 487 classes of Sports-1M, and with the 101 of UCF101.
    assert (count + 4097 * 487, count + 4097 * 101) == (79_991_015, 78_409_573)


def test_layers_have_the_published_shapes() -> None:
    with torch.device("meta"):
        network = C3D("fc7")
        shapes: dict[str, tuple[int, ...]] = {}
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Conv3d | nn.Linear):
                layer.register_forward_hook(lambda *seen, name=name: shapes.update({name: tuple(seen[2].shape[1:])}))
        network(torch.zeros(2, 16, 112, 112, 3, dtype=torch.uint8))
    assert shapes == {
        "conv1": (64, 16, 112, 112),
        "conv2": (128, 16, 56, 56),
        "conv3a": (256, 8, 28, 28),
        "conv3b": (256, 8, 28, 28),
        "conv4a": (512, 4, 14, 14),
        "conv4b": (512, 4, 14, 14),
        "conv5a": (512, 2, 7, 7),
        "conv5b": (512, 2, 7, 7),
        "fc6": (4096,),
        "fc7": (4096,),
    }


def test_numbers_are_those_of_a_slow_second_implementation(one_thread: None) -> None:
    network = scramble(C3D("fc7", channels=(3, 4, 5, 6, 7), hidden=40))
    slow = SlowLayers(network.state_dict())
    clip = np.random.default_rng(0).integers(0, 256, (16, 112, 112, 3), dtype=np.uint8)
    x = (clip[..., ::-1] - np.array([90.25, 97.66, 101.41])).transpose(3, 0, 1, 2)
    x = slow.pool(slow.relu(slow.conv("conv1", x)), (1, 2, 2), (1, 2, 2))
    x = slow.pool(slow.relu(slow.conv("conv2", x)), (2, 2, 2), (2, 2, 2))
    for group in "345":
        x = slow.relu(slow.conv(f"conv{group}b", slow.relu(slow.conv(f"conv{group}a", x))))
        if group == "5":
            # Seven rows and columns get one of padding on either side and make four.
            x = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=-np.inf)[:, :, :8, :8]
        x = slow.pool(x, (2, 2, 2), (2, 2, 2))
    fc6 = slow.relu(slow.linear("fc6", x.ravel()))
    fc7 = slow.relu(slow.linear("fc7", fc6))
    assert (fc6 > 0).sum() > 3
    pixels = torch.from_numpy(clip)[None]
    np.testing.assert_allclose(network(pixels)[0].numpy(), fc7, rtol=1e-4, atol=1e-3)
    network.layer = "fc6"  # type: ignore[assignment]
    np.testing.assert_allclose(network(pixels)[0].numpy(), fc6, rtol=1e-4, atol=1e-3)


def test_clips_are_cut_from_the_centre() -> None:
    rows = np.arange(128 * 171, dtype=np.int64).reshape(128, 171, 1)
    picture = np.concatenate([rows % 251, rows // 251 % 251, rows % 7], axis=2).astype(np.uint8)
    np.testing.assert_array_equal(clip_of([picture])[0], picture[8:120, 29:141])


@pytest.mark.parametrize("layer", ["fc6", "fc7"])
@pytest.mark.parametrize("numbered", [False, True])
def test_both_ports_files_are_extractors(layer: str, numbered: bool, tmp_path: Path) -> None:
    torch.save(thin(published_shapes(numbered)), tmp_path / "c3d.pth")
    extractor = extractor_named(f"c3d-{layer}", tmp_path)
    assert (extractor.name, extractor.dimension) == (f"c3d-{layer}", 4096)


def test_the_layers_differ_in_preprocessing_and_not_in_weights(tmp_path: Path, one_thread: None) -> None:
    torch.save(thin(published_shapes()), tmp_path / "c3d.pth")
    fc6, fc7 = (extractor_named(f"c3d-{layer}", tmp_path) for layer in ("fc6", "fc7"))
    assert fc6.weights == fc7.weights
    assert fc6.preprocessing != fc7.preprocessing
    features = fc6.extract_frames([Frames(np.zeros((1, 40, 60, 3), np.uint8), np.zeros(1))])
    assert features.vectors.shape == (1, 4096)


def test_another_networks_file_is_refused(tmp_path: Path) -> None:
    shapes = published_shapes()
    del shapes["conv5b.bias"]
    torch.save(thin(shapes), tmp_path / "c3d.pth")
    with pytest.raises(InputError, match=r"1 tensor is missing, first conv5b\.bias; get the published file$"):
        extractor_named("c3d-fc6", tmp_path / "c3d.pth")
