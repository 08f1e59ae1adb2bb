"""Networks as graphs that ONNX Runtime computes, on whatever device it was installed for; and what PyTorch computes on.

Graphs ship without weights: these come from the packages that carry the published ones, and from files of what was
trained. ``scripts/build_graphs.py`` writes the graphs.
"""

from __future__ import annotations

import functools
import os
import platform
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asst.errors import InputError
from asst.moments import Array

if TYPE_CHECKING:
    import torch
    from onnxruntime import InferenceSession

DEVICE = "ASST_DEVICE"
"""Environment variable that names the device to compute on; the first of `devices` if it is not set."""
PRECISION = "ASST_PRECISION"
"""Environment variable that names what picture networks compute in, ``int8`` or ``float32``."""
CARD_BATCH = 8
"""Pictures that a graphics card is given at once."""

_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "rocm": "MIGraphXExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
# Of the matrices by which number formats are compared.
_SIZE = 384
_ROUNDS = 5
# What PyTorch calls processors that emulate ``bfloat16``.
_WITHOUT_HALF = frozenset({"DEFAULT", "NO AVX", "AVX2"})


def devices() -> list[str]:
    """What ONNX Runtime can compute on here, the best first; ``cpu`` is always among them."""
    import onnxruntime

    here = onnxruntime.get_available_providers()
    return [name for name, provider in _PROVIDERS.items() if provider in here]


def device_lines() -> list[str]:
    """A line for a person about each of `devices`."""
    used = device()
    return [f"{name:9} {_PROVIDERS[name]}{f', used, {precision()}' if name == used else ''}" for name in devices()]


def device() -> str:
    """The device that networks are computed on; raises InputError if `DEVICE` names one that is not here."""
    here = devices()
    named = os.environ.get(DEVICE) or here[0]
    if named not in here:
        raise InputError(f"no device {named!r} here, only {', '.join(here)}; install the onnxruntime that has it")
    return named


def at_once() -> int:
    """How many pictures a network is best given at once: on a processor threads share out single ones."""
    return 1 if device() == "cpu" else CARD_BATCH


def threads() -> int:
    """Threads that this process may use: what ``OMP_NUM_THREADS`` says, else the cores that it may run on."""
    named = os.environ.get("OMP_NUM_THREADS", "")
    if named.isdecimal() and int(named):
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def precision() -> str:
    """What picture networks compute in: what `PRECISION` names, else ``int8`` where the processor sums bytes' products.

    Others would clip them. Raises an `InputError` if it names another than ``int8`` or ``float32``.
    """
    named = os.environ.get(PRECISION) or ("int8" if device() == "cpu" and _sums_bytes() else "float32")
    if named not in ("int8", "float32"):
        raise InputError(f"{PRECISION} must be int8 or float32, not {named!r}")
    return named


@functools.cache
def _sums_bytes() -> bool:
    """Whether the processor says so: on Linux; Apple's all do."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    try:
        flags = set(Path("/proc/cpuinfo").read_text(errors="replace").split())
    except OSError:
        return False
    return not flags.isdisjoint({"avx512_vnni", "avx_vnni", "asimddp"})


def graph(name: str) -> Path:
    """The file of a graph that ships."""
    return Path(__file__).with_name(f"{name}.onnx")


# Networks are made ready while the video begins to be read.
_PREPARING = ThreadPoolExecutor(2, "preparing")


class Network:
    """A graph with its weights, made ready by another thread. It may be called by several threads at once.

    ``weights`` are, by name, those that the file does not hold; others are ignored. A call takes `threads`, or one if
    several go on at once (``alone``). Raises an `InputError` for a missing file or device; at the first use, for a file
    that is damaged or no graph.
    """

    def __init__(self, path: Path, weights: Mapping[str, Array] | None = None, *, alone: bool = False) -> None:
        if not path.is_file():
            raise InputError(f"no file {path}; name a network that asst export wrote")
        self._path = path
        self._provider = _PROVIDERS[device()]
        self._threads = 1 if alone else threads()
        self._prepared: Future[InferenceSession] = _PREPARING.submit(self._prepare, weights or {})

    def _prepare(self, weights: Mapping[str, Array]) -> InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        # Threads that wait by spinning take the cores from those that decode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # It plans memory ahead for each size of the inputs, and holds more of it than it needs.
        options.enable_mem_pattern = False
        # The session copies them.
        given = {name: np.asarray(weight, order="C") for name, weight in weights.items()}
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(weight) for weight in given.values()]
        options.add_external_initializers(list(given), values)
        try:
            return onnxruntime.InferenceSession(self._path, options, providers=[self._provider])
        except Exception as error:  # ONNX Runtime's errors have no class in common but this.
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{self._path}: no graph that can be computed ({reason}); copy the file anew") from error

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says of itself."""
        found: dict[str, str] = self._prepared.result().get_modelmeta().custom_metadata_map
        return found

    @property
    def inputs(self) -> list[str]:
        """Names of what is read."""
        return [given.name for given in self._prepared.result().get_inputs()]

    @property
    def outputs(self) -> list[str]:
        """Names of what is computed."""
        return [output.name for output in self._prepared.result().get_outputs()]

    def __call__(self, **inputs: Array) -> list[Array]:
        """The outputs for some inputs."""
        found: list[Array] = self._prepared.result().run(None, inputs)
        return found


@functools.cache
def fastest_device() -> str:
    """``cuda`` where PyTorch has one and ``ASST_DEVICE`` names no other, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() and os.environ.get(DEVICE, "cuda") == "cuda" else "cpu"


@functools.cache
def fastest_dtype() -> torch.dtype:
    """``bfloat16`` where it multiplies matrices faster than ``float32``, else ``float32``.

    Measured once a process, in a few milliseconds; not on processors that cannot gain, where it takes far longer.
    """
    import torch

    if fastest_device() == "cpu" and torch.backends.cpu.get_cpu_capability() in _WITHOUT_HALF:
        return torch.float32

    def seconds(dtype: torch.dtype) -> float:
        a = torch.ones(_SIZE, _SIZE, dtype=dtype, device=fastest_device())
        best = float("inf")
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            (a @ a)[0, 0].item()
            best = min(best, time.perf_counter() - start)
        return best

    return torch.bfloat16 if seconds(torch.bfloat16) < seconds(torch.float32) else torch.float32


def precision_name() -> str:
    """`fastest_dtype` in the header of features: ``bfloat16`` or ``float32``."""
    return str(fastest_dtype()).removeprefix("torch.")
