"""Recipes: everything a training depends on, as YAML files and ``key=value`` changes, checked before it starts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from asst.data.action_sets import ACTION_DATASETS
from asst.data.lengths import MOST_FACTOR
from asst.data.simulate.settings import MODALITIES
from asst.errors import InputError
from asst.local import check_ends
from asst.models.method import Fitted
from asst.models.methods import METHODS

FOLDER = "recipes"
"""A recipe's name is its path below a folder of this name."""

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, le=1)]
FilePath = Annotated[Path, Field(strict=False)]
Precision = Literal["auto", "float32", "bfloat16"]
"""Of sums; ``auto`` takes bfloat16 where it multiplies matrices faster."""
Kind = TypeVar("Kind", bound="Checked")


class Checked(BaseModel):
    """Settings that are checked when they are read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    def dump(self) -> str:
        """As YAML that reads back to the same value."""
        text: str = yaml.safe_dump(self.model_dump(mode="json", by_alias=True), sort_keys=False)
        return text


class Simulated(Checked):
    """Features made from annotation (`asst.data.simulate`), written where they are missing.

    Attributes:
        level: a key of `asst.data.simulate.settings.LEVELS`.
        seed: of the prototypes and of all draws.
        dimension: width of a vector.
        folder: where the stores are kept, one folder a stream.
    """

    level: Literal["easy", "standard", "hard"] = "standard"
    seed: Annotated[int, Field(ge=0)] = 0
    dimension: Positive = 256
    folder: FilePath = Path("features")


class Scenes(Checked):
    """Simulated scenes (`asst.data.simulate.scenes`), made where they are missing.

    Attributes:
        count: scenes to learn from.
        validate: scenes that checkpoints are chosen by; others than those.
        seed: of the scenes.
        extractor: whose space they are made in; `asst.models.zeroshot.zeroshot_of` must know it.
        folder: where they are kept.
        settings: of `asst.data.simulate.scene_settings.SceneSettings`.
    """

    count: Positive = 6000
    validation: Positive = Field(default=400, alias="validate")
    seed: Annotated[int, Field(ge=0)] = 0
    extractor: str = "captions"
    folder: FilePath = Path("scenes")
    settings: dict[str, Any] = Field(default_factory=dict)


SCENES = "scenes"
"""Stands for a data set where scenes are learnt from."""


class Data(Checked):
    """What is learnt from.

    Attributes:
        dataset: a key of `asst.data.DATASETS`, of `asst.data.action_sets.ACTION_DATASETS`, or `SCENES`.
        root: folder of its annotation files; found by ``asst.data.dataset_folder`` if not given.
        streams: the kinds of features, joined in this order; the names of ``features``. None for a method that looks at
            no video.
        features: the store of each stream, ours or as the field publishes.
        step_s: for published stores, how long a step lasts in seconds.
        simulated: make the features instead; each stream is then a key of `MODALITIES`.
        scenes: make everything, where ``dataset`` is `SCENES`; there are then no streams.
        words: ``packaged`` for the installed 50-dimensional GloVe, or a file of vectors.
        train: split to learn from; never the test split.
        validate: split that checkpoints are chosen by; likewise.
        length_factor: features that are more than so many times as long as annotated, or as short, are refused.
        memory_gb: features kept in memory, in GiB; the others are read each time.
    """

    dataset: str
    root: FilePath | None = None
    streams: list[str] = Field(default_factory=list)
    features: dict[str, FilePath] = Field(default_factory=dict)
    step_s: Annotated[float, Field(gt=0)] | None = None
    simulated: Simulated | None = None
    scenes: Scenes | None = None
    words: str = "packaged"
    train: str = "train"
    validation: str = Field(default="val", alias="validate")
    length_factor: Annotated[float, Field(ge=1)] = MOST_FACTOR
    memory_gb: Annotated[float, Field(ge=0)] = 8.0

    @model_validator(mode="after")
    def _streams_exist(self) -> Data:
        unknown = sorted(set(self.features) - set(self.streams))
        if unknown:
            raise ValueError(f"features of {', '.join(unknown)} are given, the streams are {', '.join(self.streams)}")
        if (self.scenes is not None) != (self.dataset == SCENES):
            raise ValueError(f"settings of scenes go with dataset {SCENES}, and it with them")
        for key, split in (("train", self.train), ("validate", self.validation)):
            if split == "test":
                raise ValueError(f"{key} is test; learn and choose checkpoints on other data than the test is made on")
        if self.simulated is not None and not set(self.streams) <= set(MODALITIES):
            raise ValueError(f"simulated streams are {', '.join(MODALITIES)}, not {', '.join(self.streams)}")
        return self


class Optimizer(Checked):
    """How weights move; the defaults are the paper's (section 4.2).

    Attributes:
        name: ``adam``, or ``sgd`` with momentum.
        learning_rate: at the first step.
        decay: factor of the rate after every ``decay_steps`` steps.
        decay_steps: see ``decay``.
        momentum: of ``sgd``.
    """

    name: Literal["adam", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 5e-4
    decay: Share = 0.9
    decay_steps: Positive = 2500
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9


class Training(Checked):
    """How long, how much at once, on what.

    Attributes:
        steps: optimiser steps in all, a multiple of ``interval``; none for a method that is fitted in closed form.
        interval: steps from one validation, log line and resumable state to the next.
        batch: samples a step, of all processes together; the paper's is 128.
        parts: equal parts that a batch is passed in, to fit into memory (gradient accumulation).
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
    start: FilePath | None = None
    frozen: list[str] = Field(default_factory=list)
    average: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _averages_what_is_kept(self) -> Recipe:
        if self.average > self.training.keep:
            raise ValueError(f"average ({self.average}) needs training.keep to be as many, not {self.training.keep}")
        return self

    @model_validator(mode="after")
    def _reranks_scenes(self) -> Recipe:
        if self.data.scenes is not None and self.method != "reranker":
            raise ValueError("only method reranker learns from data.scenes")
        if self.method == "reranker" and self.data.scenes is None and len(self.data.streams) != 1:
            raise ValueError("method reranker learns from data.scenes, or from one stream of the packaged features")
        return self

    @model_validator(mode="after")
    def _has_features_to_look_at(self) -> Recipe:
        if METHODS[self.method].looks and self.data.scenes is None and not self.data.streams:
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
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
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
