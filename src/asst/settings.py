"""Typed settings: frozen values, checked when made, that a recipe and a checkpoint can hold as plain JSON or YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from asst.errors import InputError

Natural = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
FilePath = Annotated[Path, Field(strict=False)]
# Files have lists.
Numbers = Annotated[tuple[float, ...], Field(strict=False)]
Counts = Annotated[tuple[Positive, ...], Field(strict=False)]


class Settings(BaseModel):
    """Base of all settings; an unknown key or a value of another type is refused, nothing is converted."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON or YAML."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], owner: str = "the network") -> Self:
        """The inverse of `to_dict`; keys left out take their defaults.

        Raises an `InputError` for the first key that is unknown, missing or does not fit, by name; it begins with the
        ``owner`` of the settings, such as ``mcn``.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(f"{owner}: {first_fault(error, cls)}") from error

    @classmethod
    def fault(cls, values: Mapping[str, Any]) -> str:
        """What is wrong with settings to which others are still to be added, as `first_fault`; empty if nothing is."""
        try:
            cls.model_validate(dict(values))
        except ValidationError as error:
            return first_fault(error, cls, but="missing")
        return ""


def first_fault(error: ValidationError, kind: Any = None, *, but: str = "") -> str:
    """The first thing that is wrong, by its key, and how many more there are; empty if all are of the type ``but``.

    ``kind`` is the class whose keys are told where one is unknown, settings or a dataclass that is checked like them.
    """
    faults = [fault for fault in error.errors() if fault["type"] != but]
    if not faults:
        return ""
    first = faults[0]
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = kind.__pydantic_fields__ if kind is not None and len(first["loc"]) == 1 else ()
        reason = "no such setting" + (f"; there are {', '.join(sorted(known))}" if known else "")
    else:
        reason = first["msg"].removeprefix("Value error, ")
        if first["type"] not in ("missing", "value_error"):
            reason += f", not {first['input']!r}"
    key = "".join(f"{part}." for part in first["loc"])[:-1]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{key}: {reason}{more}" if key else f"{reason}{more}"
