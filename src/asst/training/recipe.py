"""Recipes: everything a training depends on, as YAML files and ``key=value`` changes, checked before it starts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from asst.data.action_sets import ACTION_DATASETS
from asst.errors import InputError
from asst.evaluation.protocol import ProtocolName
from asst.local import check_ends
from asst.models.method import Fitted
from asst.models.methods import METHODS
from asst.training.checked import Checked, FilePath, Positive, Share
from asst.training.data_settings import Data

FOLDER = "recipes"
"""A recipe's name is its path below a folder of this name."""

Precision = Literal["auto", "float32", "bfloat16"]
"""Of sums; ``auto`` takes bfloat16 where it multiplies matrices faster."""
Kind = TypeVar("Kind", bound=Checked)


class Optimizer(Checked):
    """How weights move; the defaults are the paper's (section 4.2).

    Attributes:
        name: ``adam``, or ``sgd`` with momentum.
        learning_rate: at the first step.
        schedule: ``steps`` lets the rate fall by ``decay`` after every ``decay_steps`` steps, as the paper does;
            ``cosine`` lets it fall to zero over the training.
        decay: see ``schedule``.
        decay_steps: see ``schedule``.
        warmup: first steps, over which the rate rises to what the schedule has.
        momentum: of ``sgd``.
        rates: factors of the rate for parts of the network, by a part's name in its parameters, such as ``lstm``.
        clip: norm that a longer gradient is shortened to; 0 for none.
        averaging: share of itself that the mean of the weights keeps at each step, such as 0.999; the mean is then what
            is validated and kept. 0 for the weights themselves.
    """

    name: Literal["adam", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 5e-4
    schedule: Literal["steps", "cosine"] = "steps"
    decay: Share = 0.9
    decay_steps: Positive = 2500
    warmup: Annotated[int, Field(ge=0)] = 0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    rates: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    clip: Annotated[float, Field(ge=0)] = 0.0
    averaging: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Training(Checked):
    """How long, how much at once, on what.

    Attributes:
        steps: optimiser steps in all, a multiple of ``interval``; none for a method that is fitted in closed form.
        interval: steps from one validation, log line and resumable state to the next.
        batch: samples a step, of all processes together; the paper's is 128.
        parts: equal parts that a batch is passed in, to fit into memory (gradient accumulation). Batch normalisation
            and losses that look across samples see a part at a time, which changes what is learnt.
        processes: on this machine, sharing each batch (DDP).
        nodes: machines.
        precision: of sums.
        seed: of weights, draws and orders.
        keep: latest checkpoints to keep beside the best one, for averaging.
    """

    steps: Annotated[int, Field(ge=0)] = 0
    interval: Positive = 500
    batch: Positive = 128
    parts: Positive = 1
    processes: Positive = 1
    nodes: Positive = 1
    precision: Precision = "auto"
    seed: Annotated[int, Field(ge=0)] = 0
    keep: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _divides(self) -> Training:
        if self.steps % self.interval:
            raise ValueError(f"steps ({self.steps}) must be a multiple of interval ({self.interval})")
        if self.batch % (self.parts * self.processes * self.nodes):
            raise ValueError(
                f"batch ({self.batch}) must be a multiple of parts x processes x nodes "
                f"({self.parts} x {self.processes} x {self.nodes})"
            )
        return self


class Recipe(Checked):
    """One training.

    Attributes:
        name: the recipe's path below ``recipes``, without suffix; the row of the paper it fills.
        method: a key of `asst.models.methods.METHODS`.
        data: what is learnt from.
        observation: ``kind`` and settings of `asst.data.observations`; none for a reranker, which has its own.
        network: settings of the method, without the widths of features and word vectors, which the data decide.
        optimizer: how weights move.
        training: how long, how much at once, on what.
        overlap: IoU above which the weaker of two answers is dropped (0.8 on Charades-STA; 1 drops none).
        protocol: what validation and ``asst evaluate`` judge by, as `asst.evaluation.protocol.protocol_of` has it;
            ``tall`` drops the weaker of two answers itself, and ``overlap`` is then for users of the model alone.
        start: checkpoint of the same method whose network and weights are begun with, in place of fresh ones;
            ``default`` is the one that the package ships.
        frozen: parts of the method that stay as ``start`` has them, dropout and batch statistics included.
        average: latest checkpoints whose predictions are averaged; 0 takes the best one on validation alone.
    """

    name: str = "own"
    method: Literal["asst", "prior", "cca", "mcn", "ctrl", "detector", "frames", "reranker"] = "asst"
    data: Data
    observation: dict[str, Any] = Field(default_factory=dict)
    network: dict[str, Any] = Field(default_factory=dict)
    optimizer: Optimizer = Optimizer()
    training: Training = Training()
    overlap: Share = 0.8
    protocol: ProtocolName = "standard"
    start: FilePath | None = None
    frozen: list[str] = Field(default_factory=list)
    average: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _averages_what_is_kept(self) -> Recipe:
        if self.average > self.training.keep:
            raise ValueError(f"average ({self.average}) needs training.keep to be as many, not {self.training.keep}")
        return self

    @model_validator(mode="after")
    def _reranks_tapes(self) -> Recipe:
        if self.data.tapes is not None and self.method != "reranker":
            raise ValueError("only method reranker learns from data.tapes")
        if self.method == "reranker" and self.data.tapes is None and len(self.data.streams) != 1:
            raise ValueError("method reranker learns from data.tapes, or from one stream of the packaged features")
        return self

    @model_validator(mode="after")
    def _tells_wrong_sentences(self) -> Recipe:
        tells = self.method == "asst" and self.network.get("head", "detection") == "detection"
        if self.data.wrong_sentences and not tells:
            raise ValueError("only method asst with network.head detection learns from data.wrong_sentences")
        return self

    @model_validator(mode="after")
    def _has_features_to_look_at(self) -> Recipe:
        if METHODS[self.method].looks and self.data.tapes is None and not self.data.streams:
            raise ValueError(f"method {self.method} looks at features; name their kinds in data.streams")
        return self

    @model_validator(mode="after")
    def _starts_from_what_it_trains(self) -> Recipe:
        if self.start is not None and self.network:
            raise ValueError("start brings the network's settings; leave network out")
        if self.start is None and self.frozen:
            raise ValueError("frozen parts stay as they start, and there is no start; give start=CHECKPOINT")
        return self

    @model_validator(mode="after")
    def _has_the_steps_its_method_takes(self) -> Recipe:
        if self.closed_form and self.training.steps:
            raise ValueError(f"method {self.method} is fitted in closed form; leave training.steps out")
        if not self.closed_form and not self.training.steps:
            raise ValueError(f"method {self.method} is trained by steps; give training.steps")
        return self

    @property
    def detects(self) -> bool:
        """Whether its data are labelled spans rather than sentences."""
        return self.data.dataset in ACTION_DATASETS

    @property
    def kind(self) -> Path:
        """Folder, below that of all runs, for runs of its kind."""
        simulated = self.data.simulated
        return Path(f"simulated-{simulated.level}") if simulated else Path()

    @property
    def closed_form(self) -> bool:
        """Whether the method is fitted in one pass."""
        return issubclass(METHODS[self.method], Fitted)


class _Loader(yaml.SafeLoader):
    """YAML with the numbers of YAML 1.2: ``5e-4`` is one."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def read_recipe(paths: Sequence[Path], changes: Sequence[str] = ()) -> Recipe:
    """`checked` of `settings_of` for a method that answers questions about videos.

    Raises:
        InputError: for a file that cannot be read, an unknown key or a value that does not fit, by name.
    """
    recipe = checked(Recipe, settings_of(paths, changes), paths)
    assert recipe.method in METHODS
    return recipe


def settings_of(paths: Sequence[Path], changes: Sequence[str] = ()) -> dict[str, Any]:
    """Settings from files, each of which changes what those before it say, and from ``key=value`` changes.

    A file with ``extends: OTHER.yaml`` changes what the other says, so that a row of an ablation is what it changes.
    The name is the first file's, unless a file gives one.

    Args:
        paths: at least one YAML file.
        changes: such as ``training.batch=64``; the value is YAML.

    Raises:
        InputError: for a file that cannot be read.
    """
    values: dict[str, Any] = {"name": _name(paths[0])}
    for path in paths:
        values = _merged(values, _read(path))
    for change in changes:
        values = _merged(values, _change(change))
    return values


def checked(kind: type[Kind], values: Mapping[str, Any], paths: Sequence[Path]) -> Kind:
    """Settings as a typed value.

    Raises:
        InputError: for an unknown key or a value that does not fit, by name, and the files.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{' + '.join(str(path) for path in paths)}: {_first_fault(error)}") from error


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
    return _merged(_read(path.parent / below, (*above, path.resolve())), own)


def _content(path: Path) -> dict[str, Any]:
    check_ends(path)
    try:
        content = _parsed(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name a recipe, a YAML file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); a recipe is YAML") from error
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
    parts = path.with_suffix("").parts
    start = len(parts) - parts[::-1].index(FOLDER) if FOLDER in parts else len(parts) - 1
    return "/".join(parts[start:])


def _first_fault(error: ValidationError) -> str:
    """The first thing that is wrong, by its key, and how many more there are."""
    faults = error.errors()
    first = faults[0]
    key = ".".join(str(part) for part in first["loc"]) or "the recipe"
    if first["type"] == "extra_forbidden":
        reason = "no such setting"
    else:
        reason = first["msg"].removeprefix("Value error, ")
        if first["type"] not in ("missing", "value_error"):
            reason += f", not {first['input']!r}"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{key}: {reason}{more}"
