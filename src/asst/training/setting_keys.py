"""The keys of a recipe with their defaults and meanings, read from the settings' own fields and texts."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from asst.settings import Settings


@dataclass(frozen=True, slots=True)
class SettingKey:
    """One setting of a recipe: its key as in ``key=value``, NAME for that of a stream or a set, and its meaning.

    ``default`` is as YAML has it; ``required`` or empty where there is none.
    """

    key: str
    default: str
    meaning: str


def setting_keys(kind: type[Settings], above: str = "") -> Iterator[SettingKey]:
    """Every key of some settings, those of settings within them too.

    >>> from asst.training.recipe import Recipe
    >>> next(setting for setting in setting_keys(Recipe) if setting.key == "training.batch").default
    '128'
    """
    meanings = _meanings(kind)
    for name, field in kind.model_fields.items():
        key = above + (field.alias or name)
        within = _within(field.annotation)
        if within is not None:
            many = get_origin(field.annotation) is dict
            yield from setting_keys(within, f"{key}.NAME." if many else f"{key}.")
            continue
        default = "required"
        if not field.is_required():
            value = field.get_default(call_default_factory=True)
            default = "" if value in (None, [], {}) else json.dumps(value, default=str, allow_nan=False).strip('"')
        yield SettingKey(key, default, meanings[field.alias or name])


def _within(annotation: Any) -> type[Settings] | None:
    """The settings that a field holds, alone or by name."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    return next((found for part in get_args(annotation) if (found := _within(part))), None)


def _meanings(kind: type[Settings]) -> dict[str, str]:
    """What the text of a class says of its attributes."""
    text = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, flags=re.MULTILINE)
    return {name: " ".join(meaning.split()).replace("``", "`") for name, meaning in found}
