"""Whether the libraries are installed that only some verbs need."""

from __future__ import annotations

from importlib.util import find_spec

from asst.errors import InputError

_TRAINING = ("lightning", "pydantic", "yaml", "tensorboard")
_WEB = ("fastapi", "uvicorn", "lancedb", "filelock")


def require_training() -> None:
    """Check that recipes can be read and trained by.

    Raises:
        InputError: naming what is missing and how to get it.
    """
    _require(_TRAINING, "train")


def require_web() -> None:
    """Check that a library can be served.

    Raises:
        InputError: as `require_training`.
    """
    _require(_WEB, "web")


def _require(names: tuple[str, ...], extra: str) -> None:
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise InputError(f"{', '.join(missing)} is not installed; run: pip install 'asst-video[{extra}]'")
