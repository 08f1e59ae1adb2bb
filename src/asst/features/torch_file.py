"""Weights that PyTorch saved, read without PyTorch and without running anything that is in the file."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from asst.errors import InputError

Array = npt.NDArray[Any]

_STORAGES = {"FloatStorage": np.float32, "LongStorage": np.int64}
# Before the tensors come a magic number, the protocol and the byte order, a pickle each.
_PREFACES = 3


def read_torch_file(path: Path) -> dict[str, Array]:
    """The tensors of a state dict by their names, in the form that PyTorch wrote before it wrote archives.

    Raises:
        InputError: for a file that holds anything else.
    """
    try:
        with path.open("rb") as file:
            for _ in range(_PREFACES):
                _TensorUnpickler(file).load()
            table = _TensorUnpickler(file)
            state = table.load()
            for key in _TensorUnpickler(file).load():
                storage = table.storages[key]
                file.seek(8, 1)  # How many numbers follow.
                storage[:] = np.fromfile(file, storage.dtype, len(storage))
    except (OSError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(f"{path}: no weights that can be read ({error}); copy the file anew") from error
    return dict(state)


class _TensorUnpickler(pickle.Unpickler):
    """Builds arrays whose numbers follow later, and refuses everything that a file of tensors has no need of."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Array] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is no part of weights")

    def persistent_load(self, pid: Any) -> Array:
        _, kind, key, _, count, *_ = pid
        return self.storages.setdefault(key, np.empty(count, kind))


def _tensor(storage: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> Array:
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if min((offset, *strides)) < 0 or last >= len(storage):
        raise ValueError("a tensor reaches beyond its numbers")
    return as_strided(storage[offset:], shape, [stride * storage.itemsize for stride in strides])
