"""What tests of several extractors need: slow layers to compare with, and files of weights."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

Floats = npt.NDArray[np.float64]
State = Mapping[str, torch.Tensor]


class SlowLayers:
    """Layers on one picture or clip ``(channels, *space)``, in float64, tap by tap; weights by published names."""

    def __init__(self, state: State) -> None:
        self._state = {name: tensor.double().numpy() for name, tensor in state.items()}

    def conv(self, name: str, x: Floats, stride: int = 1, pad: int = 1) -> Floats:
        """A convolution of any number of dimensions, without what follows it."""
        kernel, bias = self._state[f"{name}.weight"], self._state[f"{name}.bias"]
        x = np.pad(x, [(0, 0)] + [(pad, pad)] * (x.ndim - 1))
        taps = kernel.shape[2:]
        sizes = [(n - k) // stride + 1 for n, k in zip(x.shape[1:], taps, strict=True)]
        total = np.broadcast_to(bias.reshape(-1, *[1] * len(sizes)), (len(bias), *sizes)).copy()
        for number, tap in enumerate(product(*map(range, taps))):
            seen = x[
                (slice(None), *(slice(t, t + (n - 1) * stride + 1, stride) for t, n in zip(tap, sizes, strict=True)))
            ]
            total += np.tensordot(kernel.reshape(*kernel.shape[:2], -1)[..., number], seen, axes=1)
        return total

    def norm(self, name: str, x: Floats) -> Floats:
        """Batch normalisation with the statistics that are stored."""
        mean, variance, scale, shift = (
            self._state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        normal: Floats = (x - mean) / np.sqrt(variance + 1e-5) * scale + shift
        return normal

    def linear(self, name: str, x: Floats) -> Floats:
        """A fully connected layer."""
        sums: Floats = self._state[f"{name}.weight"] @ x + self._state[f"{name}.bias"]
        return sums

    @staticmethod
    def relu(x: Floats) -> Floats:
        """What is above zero."""
        return np.maximum(x, 0)

    @staticmethod
    def pool(x: Floats, kernel: tuple[int, ...], stride: tuple[int, ...], pad: int = 0, mean: bool = False) -> Floats:
        """The largest, or the mean with padding counted, of each window; windows that hang over the end count."""
        sizes = [-(-(n + 2 * pad - k) // s) + 1 for n, k, s in zip(x.shape[1:], kernel, stride, strict=True)]
        over = [(s - 1) * t + k for s, t, k in zip(sizes, stride, kernel, strict=True)]
        after = [o - n - pad for o, n in zip(over, x.shape[1:], strict=True)]
        x = np.pad(x, [(0, 0)] + [(pad, max(0, a)) for a in after], constant_values=0.0 if mean else -np.inf)
        taps = [
            x[(slice(None), *(slice(t, t + (n - 1) * s + 1, s) for t, n, s in zip(tap, sizes, stride, strict=True)))]
            for tap in product(*map(range, kernel))
        ]
        pooled: Floats = np.mean(taps, axis=0) if mean else np.max(taps, axis=0)
        return pooled


def scramble(network: nn.Module, seed: int = 0) -> nn.Module:
    """Random weights under which numbers stay of the order of one, and normalisations that do something."""
    draw = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=draw))
        elif tensor.dim() > 1:
            tensor.copy_(torch.randn(tensor.shape, generator=draw) * (2 / tensor[0].numel()) ** 0.5)
        elif tensor.is_floating_point():
            tensor.copy_((1 if name.endswith("bn.weight") else 0) + 0.1 * torch.randn(tensor.shape, generator=draw))
    return network.eval().requires_grad_(False)


def thin(shapes: Mapping[str, tuple[int, ...]], value: float = 1e-4) -> dict[str, torch.Tensor]:
    """Tensors of these shapes whose numbers are all one number, stored once: files of hundreds of MB in a few KB."""
    return {name: torch.tensor(value).expand(shape) for name, shape in shapes.items()}


@pytest.fixture(scope="session")
def bn_inception_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights of both streams: a port's file of pictures, a TSN checkpoint of flow."""
    from asst.features.networks.bn_inception import FLOW_CHANNELS, BNInception

    folder = tmp_path_factory.mktemp("weights")
    last = {"last_linear.weight": torch.zeros(1000, 1024), "last_linear.bias": torch.zeros(1000)}
    rgb, flow = (scramble(BNInception(channels), channels).state_dict() for channels in (3, FLOW_CHANNELS))
    for state in (rgb, flow):
        # Bytes go in; what comes out is then of the order of one, as of trained networks.
        state["conv1_7x7_s2.weight"] /= 64
    torch.save({**rgb, **last}, folder / "bn-inception-rgb.pth")
    wrapped = {f"module.base_model.{name}": tensor for name, tensor in flow.items()}
    wrapped |= {"module.new_fc.weight": torch.zeros(101, 1024), "module.new_fc.bias": torch.zeros(101)}
    torch.save({"epoch": 7, "arch": "BNInception", "state_dict": wrapped}, folder / "bn-inception-flow.pth.tar")
    return folder


@pytest.fixture(scope="module")
def weights(bn_inception_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of weights of every network of ours that needs one, in a published format."""
    from .networks.test_c3d import published_shapes as c3d_shapes
    from .networks.test_vgg16 import published_shapes as vgg16_shapes

    folder = tmp_path_factory.mktemp("every")
    for path in bn_inception_files.iterdir():
        (folder / path.name).symlink_to(path)
    torch.save(thin(vgg16_shapes()), folder / "vgg16.pth")
    torch.save(thin(c3d_shapes()), folder / "c3d.pth")
    return folder
