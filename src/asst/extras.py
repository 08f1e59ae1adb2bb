"""What only some verbs, options, models and formats need, and what is said where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from asst.errors import InputError

_LIBRARY = ("lancedb", "pyarrow")

EXTRAS: dict[str, tuple[str, ...]] = {
    "torch": ("torch",),
    "train": ("torch", "lightning", "onnx", "onnxscript", "yaml", "tensorboard", "h5py", "pyarrow", "PIL"),
    "clip": ("torch", "transformers", "PIL"),
    "flow": ("torch", "cv2"),
    "hub": ("huggingface_hub", "tokenizers", "PIL", "filelock"),
    "library": _LIBRARY,
    "web": (*_LIBRARY, "fastapi", "uvicorn"),
    "cluster": ("ray", "pandas", "pyarrow"),
    "hdf5": ("h5py",),
    "plot": ("matplotlib",),
    "timeline": ("opentimelineio",),
}
"""The modules that each extra brings; of one in several, the first is what a message names."""

VERBS = {
    "export": "train",
    "index": "library",
    "library": "library",
    "recipes": "train",
    "search": "library",
    "serve": "web",
    "train": "train",
}
"""The verbs that do nothing without an extra."""


def install(extra: str) -> str:
    """The command that brings an extra."""
    return f"pip install 'asst-video[{extra}]'"


def require(extra: str, what: str) -> None:
    """Check that one of `EXTRAS` is installed, without importing it; raises InputError saying how to get it."""
    missing = [name for name in EXTRAS[extra] if find_spec(name) is None]
    if missing:
        raise _lacking(what, ", ".join(missing), extra)


def lacking(error: ModuleNotFoundError, what: str) -> InputError | None:
    """What to say of a module that something needs and that was not found; None if no extra brings it."""
    module = (error.name or "").partition(".")[0]
    extra = next((extra for extra, modules in EXTRAS.items() if module in modules), None)
    return None if extra is None else _lacking(what, module, extra)


def _lacking(what: str, missing: str, extra: str) -> InputError:
    return InputError(f"{what} needs {missing}, not installed here; run: {install(extra)}")
