"""The table of methods that are trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asst.errors import InputError
from asst.models.asst import ASSTMethod
from asst.models.trainable import Trainable

METHODS: dict[str, Callable[[dict[str, Any]], Trainable]] = {
    "asst": ASSTMethod,
}


def build_method(name: str, settings: dict[str, Any]) -> Trainable:
    """A method with fresh weights.

    Raises:
        InputError: for a name that no method has, or settings it cannot have.
    """
    if name not in METHODS:
        raise InputError(f"no method is called {name!r}; there are {', '.join(METHODS)}")
    return METHODS[name](settings)
