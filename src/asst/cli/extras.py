"""Whether the libraries are installed that only some verbs need."""

from __future__ import annotations

from importlib.util import find_spec

from asst.errors import InputError

_TRAINING = ("lightning", "pydantic", "yaml", "tensorboard")


def require_training() -> None:
    """Check that recipes can be read and trained by.

    Raises:
        InputError: naming what is missing and how to get it.
    """
    missing = [name for name in _TRAINING if find_spec(name) is None]
    if missing:
        raise InputError(f"{', '.join(missing)} is not installed; run: pip install 'asst-video[train]'")
