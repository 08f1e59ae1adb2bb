"""Recipes: everything a training depends on, as typed settings, checked before it starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from asst.data import ACTION_DATASETS, DATASETS, require_split
from asst.data.lengths import MOST_FACTOR
from asst.data.query_tokens import LAST_HIDDEN_STATE, By
from asst.data.readers.didemo import MOST_PIECES
from asst.errors import InputError
from asst.evaluation.protocol import ProtocolName, protocol_of
from asst.models.methods.base import GIVEN, Fitted
from asst.models.methods.table import METHODS
from asst.models.trained.loading import build_observation
from asst.settings import FilePath, Fraction, Natural, Positive, Rate, Settings, Share, Weight
from asst.simulate.features.settings import MODALITIES
from asst.simulate.tapes.plan import TapeSettings
from asst.training.recipe_files import Named, read_as

EVEN = "even"
"""The length of a step that divides each video's annotated duration evenly."""
PACKAGED = "packaged"
"""The installed word vectors, in place of a path."""
GLOVE_300 = "glove-300"
"""The paper's word vectors, in place of a path: those of the file that ``ASST_GLOVE`` names, or else the installed."""


def _is_step(value: float | str) -> float | str:
    if value != EVEN and (isinstance(value, str) or value <= 0):
        raise ValueError(f"a number of seconds above 0, or {EVEN}, not {value!r}")
    return value


StepLength = Annotated[float | str, AfterValidator(_is_step)]


def _is_judged(holdout: dict[str, int]) -> dict[str, int]:
    if not any(holdout.values()):
        raise ValueError("no set has pictures held out; training is judged by them")
    return holdout


Holdout = Annotated[dict[str, Natural], Field(min_length=1), AfterValidator(_is_judged)]
"""Pictures of each set that are never learnt from, a clip as one."""


class Simulated(Settings):
    """Features made from annotation (`asst.simulate`), written where they are missing."""

    level: Literal["easy", "standard", "crowded", "hard"] = "crowded"
    """how hard they are: ``easy``, ``standard``, ``crowded`` or ``hard``."""
    seed: Natural = 0
    """of the prototypes and of all draws."""
    dimension: Positive = 256
    """width of a vector."""
    folder: FilePath = Path("features")
    """where the stores are kept, one folder a stream."""


class Tapes(Settings):
    """Tapes of captioned pictures (`asst.simulate.tapes.tapes`), made where they are missing."""

    count: Positive = 6000
    """tapes to learn from."""
    validation: Positive = Field(default=400, alias="validate")
    """tapes that checkpoints are chosen by; of pictures that are held out."""
    seed: Natural = 0
    """of the tapes."""
    extractor: str = "captions"
    """whose space they are made in: ``captions``, ``clip-crops``, or a fetched model such as ``clip-b32``."""
    folder: FilePath = Path("tapes")
    """where features of the pictures, and the tapes, are kept."""
    holdout: Holdout
    """pictures of each set that are held out, as where the space was learnt."""
    settings: TapeSettings = TapeSettings()
    """how they are planned and what they look like."""


TAPES = "tapes"
"""Stands for a data set where tapes are learnt from."""


class Windows(Settings):
    """Files of sliding windows, see `WindowStore`, of which those of one length make the steps."""

    fps: Rate
    """frames a second that their names count."""
    length: Positive
    """frames of a window."""


class FeatureFiles(Settings):
    """A store of one stream; what only published ones need is left out for ours."""

    path: FilePath | None = None
    """a folder, or an HDF5 file."""
    key: str | None = None
    """the array to take from a file or a group that holds several."""
    step_s: StepLength | None = None
    """how long a step lasts in seconds, or ``even`` where the steps divide a video's duration evenly."""
    start_s: float = 0.0
    """where the first step starts, in seconds."""
    normalize: bool = False
    """whether each step's vector is made as long as one."""
    windows: Windows | None = None
    """for a folder with a file a window."""


class Words(Settings):
    """What stands for the words of a sentence: vectors of words, or of the tokens of each query."""

    path: FilePath = Path(PACKAGED)
    """``packaged`` for the installed GloVe of 50 numbers, ``glove-300`` for the paper's, if ``ASST_GLOVE`` names it; a
    file of word vectors; or a folder or an HDF5 file of each query's tokens, to which the other settings apply."""
    key: str = LAST_HIDDEN_STATE
    """the array to take of a query that has several."""
    by: By = "qid"
    """whether a query is found by its ``qid`` or by the order of the annotation's lines."""
    first: Natural = 0
    """with ``order``, the number of the first line."""
    normalize: bool = False
    """whether each token's vector is made as long as one."""
    most: Positive | None = None
    """tokens to take of a query; all if not given."""


_BY_PATH = BeforeValidator(lambda value: {"path": value} if isinstance(value, str) else value)


class Data(Settings):
    """What is learnt from."""

    dataset: str
    """of sentences: ``didemo``, ``charades_sta``, ``charades_cd``, ``activitynet_captions``, ``activitynet_cd``,
    ``tacos``, ``qvhighlights`` or, for your own, ``jsonlines``; of actions: ``thumos14`` or, for your own, ``actions``;
    or ``tapes``."""
    root: FilePath | None = None
    """folder of its annotation files; the data set's name in ``$ASST_DATA`` if not given."""
    streams: list[str] = Field(default_factory=list)
    """the kinds of features, joined in this order; the names of ``features``. None for a method that looks at none."""
    features: dict[str, Annotated[FeatureFiles, _BY_PATH]] = Field(default_factory=dict)
    """the store of each stream, ours or as the field publishes; a path stands for settings with that path."""
    step_s: StepLength | None = None
    """of stores whose ``features.NAME.step_s`` is not given, likewise."""
    simulated: Simulated | None = None
    """make the features instead; each stream is then ``rgb``, ``flow`` or ``c3d``."""
    tapes: Tapes | None = None
    """made of the captioned pictures of ``root``, where ``dataset`` is ``tapes``; there are then no streams."""
    words: Annotated[Words, _BY_PATH] = Words()
    """what stands for the words of a sentence; a path, or ``packaged``, stands for settings with that path."""
    train: str = "train"
    """split to learn from; never the test split."""
    validation: str = Field(default="val", alias="validate")
    """split that checkpoints are chosen by; likewise."""
    wrong_sentences: Fraction = 0.0
    """share of the samples that show another video's sentence, all of whose clips are negatives; the paper has none."""
    length_factor: Annotated[float, Field(ge=1)] = MOST_FACTOR
    """features that are more than so many times as long as annotated, or as short, are refused."""
    memory_gb: Weight = 8.0
    """features kept in memory, in GiB; the others are read each time."""

    @model_validator(mode="after")
    def _streams_exist(self) -> Data:
        unknown = sorted(set(self.features) - set(self.streams))
        if unknown:
            raise ValueError(f"features of {', '.join(unknown)} are given, the streams are {', '.join(self.streams)}")
        if (self.tapes is not None) != (self.dataset == TAPES):
            raise ValueError(f"settings of tapes go with dataset {TAPES}, and it with them")
        for key, split in (("train", self.train), ("validate", self.validation)):
            if split.startswith("test"):
                raise ValueError(f"{key} is {split}; learn and choose checkpoints on other data than the test's")
            require_split(self.dataset, split)
        if self.simulated is not None and not set(self.streams) <= set(MODALITIES):
            raise ValueError(f"simulated streams are {', '.join(MODALITIES)}, not {', '.join(self.streams)}")
        return self

    def stores(self, recipe: str) -> dict[str, Path]:
        """The store of each stream that is not simulated; an `InputError` for one that is not given or not there."""
        if self.simulated is not None:
            return {}
        given = {stream: files.path for stream, files in self.features.items() if files.path is not None}
        if missing := [stream for stream in self.streams if stream not in given]:
            raise InputError(
                f"recipe {recipe} needs features of {' and '.join(missing)}: give "
                + " ".join(f"data.features.{stream}=STORE" for stream in missing)
            )
        for path in given.values():
            if not path.exists():
                raise InputError(f"no feature store at {path}; extract features or name another path")
        return given


Precision = Literal["auto", "float32", "bfloat16"]
"""Of sums; ``auto`` takes bfloat16 where it multiplies matrices faster."""


class Optimizer(Settings):
    """How weights move; the defaults are the paper's (section 4.2)."""

    name: Literal["adam", "sgd"] = "adam"
    """``adam``, or ``sgd`` with momentum."""
    learning_rate: Rate = 5e-4
    """at the first step."""
    schedule: Literal["steps", "cosine"] = "steps"
    """``steps`` lets the rate fall by ``decay`` after every ``decay_steps`` steps, as the paper does; ``cosine`` lets
    it fall to zero over the training."""
    decay: Share = 0.9
    """see ``schedule``."""
    decay_steps: Positive = 2500
    """see ``schedule``."""
    warmup: Natural = 0
    """first steps, over which the rate rises to what the schedule has."""
    momentum: Fraction = 0.9
    """of ``sgd``."""
    rates: dict[str, Rate] = Field(default_factory=dict)
    """factors of the rate for parts of the network, by a part's name in its parameters, such as ``lstm``."""
    clip: Weight = 0.0
    """norm that a longer gradient is shortened to; 0 for none."""
    averaging: Fraction = 0.0
    """share of itself that the mean of the weights keeps at each step, such as 0.999; the mean is then what is
    validated and kept. 0 for the weights themselves."""


def _listed(value: Any) -> Any:
    """Seeds as the command line has them."""
    if isinstance(value, str) and re.fullmatch(r"\d+(,\d+)*", value):
        return [int(seed) for seed in value.split(",")]
    return [value] if isinstance(value, int) else value


class Training(Settings):
    """How long, how much at once, on what."""

    steps: Natural = 0
    """optimiser steps in all; none for a method that is fitted in closed form."""
    interval: Positive = 500
    """steps from one validation, log line and resumable state to the next; the last one ends with ``steps``."""
    batch: Positive = 128
    """samples a step, of all processes together; the paper's is 128."""
    parts: Positive = 1
    """equal parts that a batch is passed in, to fit into memory (gradient accumulation). Batch normalisation and losses
    that look across samples see a part at a time, which changes what is learnt."""
    processes: Positive = 1
    """on this machine, sharing each batch (DDP)."""
    nodes: Positive = 1
    """machines."""
    precision: Precision = "auto"
    """of sums."""
    seed: Natural = 0
    """of weights, draws and orders."""
    seeds: Annotated[list[Natural], BeforeValidator(_listed)] = Field(default_factory=list)
    """several in place of ``seed``, a run each; as a list or as ``0,1,2``."""
    keep: Natural = 0
    """latest checkpoints to keep beside the best one, for averaging."""
    patience: Natural = 0
    """intervals without a better checkpoint after which the training ends; 0 for never."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must differ, not {self.seeds}")
        if self.batch % (self.parts * self.processes * self.nodes):
            raise ValueError(
                f"batch ({self.batch}) must be a multiple of parts x processes x nodes "
                f"({self.parts} x {self.processes} x {self.nodes})"
            )
        return self


def _known_method(name: str) -> str:
    if name not in METHODS:
        raise ValueError(f"one of {', '.join(map(repr, METHODS))}, not {name!r}")
    return name


class Recipe(Settings):
    """One training."""

    name: str = "own"
    """the recipe's path below a folder ``recipes``, without suffix; the row of the paper it fills."""
    method: Annotated[str, AfterValidator(_known_method)] = "asst"
    """``asst``, ``prior``, ``cca``, ``mcn``, ``ctrl``, ``2d-tan``, ``moment-detr`` or ``reranker``; for actions
    ``detector`` or ``frames``."""
    data: Data
    """what is learnt from."""
    observation: dict[str, Any] = Field(default_factory=dict)
    """``kind``, one of ``pieces``, ``crops`` and ``whole``, and its settings, such as ``steps``; none for a reranker,
    which has its own."""
    network: dict[str, Any] = Field(default_factory=dict)
    """settings of the method, without the widths of features and word vectors, which the data decide."""
    optimizer: Optimizer = Optimizer()
    """how weights move."""
    training: Training = Training()
    """how long, how much at once, on what."""
    overlap: Share = 0.8
    """IoU above which the weaker of two answers is dropped (0.8 on Charades-STA; 1 drops none)."""
    protocol: ProtocolName = "standard"
    """what validation and ``asst evaluate`` judge by: ``standard``, or ``tall``, which drops the weaker of two answers
    itself; ``overlap`` is then for users of the model alone."""
    start: FilePath | None = None
    """checkpoint of the same method, to begin with its network and weights; ``default`` is the packaged one."""
    frozen: list[str] = Field(default_factory=list)
    """parts of the method that stay as ``start`` has them, dropout and batch statistics included."""
    average: Natural = 0
    """latest checkpoints whose predictions are averaged; 0 takes the best one on validation alone."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if fault := self._fault():
            raise ValueError(fault)
        return self

    def _fault(self) -> str:
        """What does not go together; empty where all does."""
        method, data, steps = self.method, self.data, self.training.steps
        if self.average > self.training.keep:
            return f"average ({self.average}) needs training.keep to be as many, not {self.training.keep}"
        if self.average > 1 and not METHODS[method].averages:
            return f"checkpoints of {method} cannot be averaged; leave average out"
        if data.tapes is not None and method != "reranker":
            return "only method reranker learns from data.tapes"
        if method == "reranker" and data.tapes is None and len(data.streams) != 1:
            return "method reranker learns from data.tapes, or from one stream of the packaged features"
        detects_moments = method == "asst" and self.network.get("head", "detection") == "detection"
        if data.wrong_sentences and not detects_moments:
            return "only method asst with network.head detection learns from data.wrong_sentences"
        if data.tapes is None and not data.streams:
            if METHODS[method].looks:
                return f"method {method} looks at features; name their kinds in data.streams"
            if self.observation.get("kind") == "crops":
                return "observation.kind crops slides over features, and data.streams names none; set it to whole"
        if self.detects and self.protocol != "standard":
            return f"protocol {self.protocol} judges sentences, and {data.dataset} has none; leave it out"
        if self.start is not None and self.network:
            return "start brings the network's settings; leave network out"
        if self.start is None and self.frozen:
            return "frozen parts stay as they start, and there is no start; give start=CHECKPOINT"
        if self.closed_form == bool(steps):
            so = "fitted in closed form; leave training.steps out" if steps else "trained by steps; give training.steps"
            return f"method {method} is {so}"
        return self._network_fault(classifies=method == "asst" and not detects_moments)

    def _network_fault(self, *, classifies: bool) -> str:
        """What is wrong with ``network``, by itself and beside ``observation`` and the data set's protocol."""
        own, dataset, method = self.network, self.data.dataset, METHODS[self.method]
        if taken := sorted(GIVEN & own.keys()):
            return f"network.{taken[0]} is decided by data and observation; leave it out"
        steps = build_observation(self.observation).steps if self.observation else None
        if fault := method.fault(own, steps):
            return f"{'observation' if fault.startswith('steps ') else 'network'}.{fault}"
        pieces = self.observation.get("kind") == "pieces" and own.get("pieces", MOST_PIECES) == MOST_PIECES
        if classifies and not pieces:
            return "network.head classification needs observation.kind pieces; leave it out, and network.pieces too"
        named = {"head", "clips"} & getattr(method.kind(), "model_fields", {}).keys()
        unfit = self.overlap != 1 or (named and not (classifies or own.get("clips") == "pieces"))
        ranks = dataset in DATASETS and protocol_of(dataset, self.protocol).pieces
        if ranks and unfit and steps and not self.start:
            return (
                f"{dataset} is judged by the order of all its clips; set overlap to 1, and network.head to "
                "classification or network.clips to pieces (methods asst, mcn, cca and prior)"
            )
        return ""

    def each_seed(self) -> Iterator[Recipe]:
        """The recipe with each of its seeds alone."""
        for seed in self.training.seeds or [self.training.seed]:
            training = self.training.model_copy(update={"seed": seed, "seeds": []})
            yield self.model_copy(update={"training": training})

    @property
    def detects(self) -> bool:
        """Whether its data are labelled spans rather than sentences."""
        return self.data.dataset in ACTION_DATASETS

    @property
    def may_be_longer(self) -> bool:
        """Whether a step does the same in a run of more steps; a cosine falls over all of them."""
        return self.optimizer.schedule != "cosine"

    @property
    def kind(self) -> Path:
        """Folder, below that of all runs, for runs of its kind."""
        simulated = self.data.simulated
        return Path(f"simulated-{simulated.level}") if simulated else Path()

    @property
    def closed_form(self) -> bool:
        """Whether the method is fitted in one pass."""
        return issubclass(METHODS[self.method], Fitted)


def read_recipe(recipes: Sequence[Named], changes: Sequence[str] = ()) -> Recipe:
    """The recipe of a method that answers questions about videos; raises as `read_as`."""
    return read_as(Recipe, recipes, changes)
