"""Recipes as files: YAML on top of YAML, ``key=value`` changes on top of that, and what each key means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml

from asst.data.files import read_text
from asst.errors import InputError
from asst.settings import Settings

PACKAGED = Path(__file__).parents[1] / "recipes"
"""The recipes of the package."""

Named = str | Path
"""A recipe's file, or the name of a packaged one: its path below `PACKAGED` without suffix, ``charades_sta/c3d``."""
Kind = TypeVar("Kind", bound=Settings)


class _Loader(yaml.SafeLoader):
    """YAML with the numbers of YAML 1.2: ``5e-4`` is one."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def packaged_recipes() -> list[str]:
    """Names of the recipes that the package brings, sorted."""
    return sorted(path.relative_to(PACKAGED).with_suffix("").as_posix() for path in PACKAGED.rglob("*.yaml"))


def about(recipe: str) -> str:
    """The first sentence of the comment at the head of a packaged recipe."""
    lines = takewhile(lambda line: line.startswith("# "), recipe_path(recipe).read_text(encoding="utf-8").splitlines())
    text = " ".join(line[2:] for line in lines if not line.startswith("#   "))
    return re.split(r"(?<!et al)\.(?: |$)", text)[0]


def recipe_and_changes(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The recipes among the words of a command, and the ``key=value`` changes; an `InputError` without a recipe."""
    recipes = [word for word in words if "=" not in word]
    if not recipes:
        raise InputError("which recipe? name one of 'asst recipes', or a YAML file")
    return recipes, [word for word in words if "=" in word]


def recipe_path(recipe: Named) -> Path:
    """The file of a recipe; one that lies where it is named goes before a packaged one of the name."""
    packaged = str(recipe) in packaged_recipes() and not Path(recipe).is_file()
    return PACKAGED / f"{recipe}.yaml" if packaged else Path(recipe)


def settings_of(recipes: Sequence[Named], changes: Sequence[str] = ()) -> dict[str, Any]:
    """Settings from files, each of which changes what those before it say, and from changes as ``training.batch=64``.

    A file with ``extends: OTHER.yaml``, or the name of a packaged recipe, changes what the other says, so that a row of
    an ablation is what it changes. The name is the first file's, unless a file gives one. Raises an `InputError` for a
    file that cannot be read.
    """
    paths = [recipe_path(recipe) for recipe in recipes]
    values: dict[str, Any] = {"name": _name(paths[0])}
    for path in paths:
        values = _merged(values, _read(path))
    for change in changes:
        values = _merged(values, _change(change))
    return values


def read_as(kind: type[Kind], recipes: Sequence[Named], changes: Sequence[str] = ()) -> Kind:
    """`settings_of` as a typed value.

    Raises an `InputError` for a file that cannot be read, an unknown key or a value that does not fit, by name.
    """
    return kind.from_dict(settings_of(recipes, changes), " + ".join(map(str, recipes)))


def dumped(settings: Settings) -> str:
    """As YAML that reads back to the same value."""
    return yaml.safe_dump(settings.to_dict(), sort_keys=False)


def changed_settings(old: Settings, new: Settings, *, but: Sequence[str] = ()) -> list[str]:
    """The settings that differ, ``training.seed is 0 there, 1 here`` each, but for those of the keys ``but``."""
    found = differing(old, new).items()
    return [f"{key} is {was} there, {now} here" for key, (was, now) in found if key not in but]


def differing(old: Settings, new: Settings) -> dict[str, tuple[Any, Any]]:
    """The settings that differ, by their keys, ``training.seed``: what they were and what they are."""
    was, now = (dict(_flat(own.to_dict())) for own in (old, new))
    return {
        key: (was.get(key, "not set"), now.get(key, "not set"))
        for key in dict.fromkeys((*was, *now))
        if was.get(key) != now.get(key)
    }


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _read(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """One file on top of the one that it extends, named relative to it, below those ``above`` it."""
    own = _content(path)
    if path.resolve() in above:
        raise InputError(f"{path} extends itself, in a circle; take out one extends")
    below = own.pop("extends", None)
    if below is None:
        return own
    if not isinstance(below, str):
        raise InputError(f"{path}: extends: a file's name, not {below!r}")
    beside = path.parent / below
    return _merged(_read(beside if beside.is_file() else recipe_path(below), (*above, path.resolve())), own)


def _content(path: Path) -> dict[str, Any]:
    content = _parsed(read_text(path, "one of 'asst recipes', or a YAML file"), str(path))
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no settings; a recipe is YAML with keys such as data and training")
    return content


def _change(text: str) -> dict[str, Any]:
    key, separator, value = text.partition("=")
    names = key.split(".")
    if not separator or not all(names):
        raise InputError(f"not a change of a setting: {text!r}; write key=value, such as training.batch=64")
    content = _parsed(value, text)
    for name in reversed(names):
        content = {name: content}
    found: dict[str, Any] = content
    return found


def _parsed(text: str, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  a subclass of SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{where}: not YAML ({' '.join(str(error).split())})") from error
    except RecursionError as error:
        raise InputError(f"{where}: brackets nested too deep; a setting is a few levels deep") from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The settings above over those below; a text that meets settings is their path."""
    merged = dict(below)
    for key, value in above.items():
        old, new = merged.get(key), value
        if isinstance(old, str) and isinstance(new, Mapping):
            old = {"path": old}
        elif isinstance(old, Mapping) and isinstance(new, str):
            new = {"path": new}
        merged[key] = _merged(old, new) if isinstance(old, Mapping) and isinstance(new, Mapping) else value
    return merged


def _name(path: Path) -> str:
    """A recipe's path below a folder of the name that the packaged ones' has, without suffix; else its file's name."""
    parts = path.with_suffix("").parts
    start = len(parts) - parts[::-1].index(PACKAGED.name) if PACKAGED.name in parts else len(parts) - 1
    return "/".join(parts[start:])


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
        yield SettingKey(key, default, " ".join((field.description or "").split()).replace("``", "`"))


def _within(annotation: Any) -> type[Settings] | None:
    """The settings that a field holds, alone or by name."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    return next((found for part in get_args(annotation) if (found := _within(part))), None)
