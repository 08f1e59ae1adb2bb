"""Typed settings: frozen values, checked when made, that a recipe and a checkpoint can hold as plain JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from asst.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Base of dataclasses whose fields are whole numbers, numbers, truth values, choices or lists of numbers.

    A whole number is at least 1, unless its field's metadata give another ``least``. Ranges of other fields are the
    subclass's to check.

    Raises:
        InputError: for a value of another type, naming the field.
    """

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value, hint = getattr(self, field.name), hints[field.name]
            if get_origin(hint) is tuple and isinstance(value, list):
                value = tuple(value)
                object.__setattr__(self, field.name, value)
            fault = _fault(value, hint)
            if not fault and hint is int and value < (least := field.metadata.get("least", 1)):
                fault = f"at least {least}, not {value}"
            if fault:
                raise InputError(f"{field.name} must be {fault}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON or YAML."""
        values = dataclasses.asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], owner: str = "the network") -> Self:
        """The inverse of `to_dict`; keys left out take their defaults.

        Args:
            values: by the names of fields.
            owner: what has these settings, for messages, such as ``mcn``.

        Raises:
            InputError: for keys it does not know, or without one that has no default, by name.
        """
        fields = dataclasses.fields(cls)
        known = {field.name for field in fields}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(f"unknown setting {', '.join(unknown)}; {owner} has {', '.join(sorted(known))}")
        needed = [field.name for field in fields if field.default is dataclasses.MISSING]
        missing = [name for name in needed if name not in values]
        if missing:
            raise InputError(f"{missing[0]} is missing: {owner} needs {', '.join(needed)}")
        return cls(**values)


def _fault(value: object, hint: Any) -> str:
    """What a value ought to be and is not; empty if it is."""
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        return "" if value in choices else f"one of {', '.join(choices)}, not {value!r}"
    if get_origin(hint) is tuple:
        (inner, _) = get_args(hint)
        faulty = not isinstance(value, tuple) or any(_fault(item, inner) for item in value)
        return f"a list of numbers, not {value!r}" if faulty else ""
    wanted, types = {
        int: ("a whole number", int),
        float: ("a number", int | float),
        bool: ("true or false", bool),
    }[hint]
    fits = isinstance(value, types) and (hint is bool or not isinstance(value, bool))
    return "" if fits else f"{wanted}, not {value!r}"
