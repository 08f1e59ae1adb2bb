"""Recipes: everything a training depends on, as typed settings, checked before it starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from asst.data import ACTION_DATASETS, require_split
from asst.data.lengths import MOST_FACTOR
from asst.data.query_tokens import LAST_HIDDEN_STATE, By
from asst.evaluation.protocol import ProtocolName
from asst.models.methods.base import Fitted
from asst.models.methods.table import METHODS
from asst.settings import FilePath, Fraction, Natural, Positive, Rate, Settings, Share
from asst.simulate.features.settings import MODALITIES
from asst.simulate.tapes.plan import TapeSettings
from asst.training.recipe_files import Named, read_as

EVEN = "even"
"""The length of a step that divides each video's annotated duration evenly."""
PACKAGED = "packaged"
"""The installed word vectors, in place of a path."""
GLOVE_300 = "glove-300"
"""The paper's word vectors, in place of a path: those of the file that ``ASST_GLOVE`` names, or else the installed."""

StepLength = Rate | Literal["even"]


def _is_judged(holdout: dict[str, int]) -> dict[str, int]:
    if not any(holdout.values()):
        raise ValueError("no set has pictures held out; training is judged by them")
    return holdout


Holdout = Annotated[dict[str, Natural], Field(min_length=1), AfterValidator(_is_judged)]
"""Pictures of each set that are never learnt from, a clip as one."""


class Simulated(Settings):
    """Features made from annotation (`asst.simulate`), written where they are missing.

    Attributes:
        level: a key of `asst.simulate.features.settings.LEVELS`.
        seed: of the prototypes and of all draws.
        dimension: width of a vector.
        folder: where the stores are kept, one folder a stream.
    """

    level: Literal["easy", "standard", "crowded", "hard"] = "crowded"
    seed: Natural = 0
    dimension: Positive = 256
    folder: FilePath = Path("features")


class Tapes(Settings):
    """Tapes of captioned pictures (`asst.simulate.tapes.tapes`), made where they are missing.

    Attributes:
        count: tapes to learn from.
        validate: tapes that checkpoints are chosen by; of pictures that are held out.
        seed: of the tapes.
        extractor: whose space they are made in; `asst.models.zeroshot.model.zeroshot_of` must know it.
        folder: where features of the pictures, and the tapes, are kept.
        holdout: pictures of each set that are held out, as where the space was learnt.
        settings: how they are planned and what they look like.
    """

    count: Positive = 6000
    validation: Positive = Field(default=400, alias="validate")
    seed: Natural = 0
    extractor: str = "captions"
    folder: FilePath = Path("tapes")
    holdout: Holdout
    settings: TapeSettings = TapeSettings()


TAPES = "tapes"
"""Stands for a data set where tapes are learnt from."""


class Windows(Settings):
    """Files of sliding windows, see `WindowStore`, of which those of one length make the steps.

    Attributes:
        fps: frames a second that their names count.
        length: frames of a window.
    """

    fps: Rate
    length: Positive


class FeatureFiles(Settings):
    """A store of one stream; what only published ones need is left out for ours.

    Attributes:
        path: a folder, or an HDF5 file.
        key: the array to take from a file or a group that holds several.
        step_s: how long a step lasts in seconds, or ``even`` where the steps divide a video's duration evenly.
        start_s: where the first step starts, in seconds.
        normalize: whether each step's vector is made as long as one.
        windows: for a folder with a file a window.
    """

    path: FilePath | None = None
    key: str | None = None
    step_s: StepLength | None = None
    start_s: float = 0.0
    normalize: bool = False
    windows: Windows | None = None


class Words(Settings):
    """What stands for the words of a sentence: vectors of words, or of the tokens of each query.

    Attributes:
        path: ``packaged`` for the installed 50-dimensional GloVe, ``glove-300`` for the paper's, which ``ASST_GLOVE``
            names, or the installed where it names none; a file of word vectors; or a folder or an HDF5 file
            with the tokens of each query (`asst.data.query_tokens`), to which the other settings apply.
        key: the array to take of a query that has several.
        by: whether a query is found by its ``qid`` or by the order of the annotation's lines.
        first: with ``order``, the number of the first line.
        normalize: whether each token's vector is made as long as one.
        most: tokens to take of a query; all if not given.
    """

    path: FilePath = Path(PACKAGED)
    key: str = LAST_HIDDEN_STATE
    by: By = "qid"
    first: Natural = 0
    normalize: bool = False
    most: Positive | None = None


_BY_PATH = BeforeValidator(lambda value: {"path": value} if isinstance(value, str) else value)


class Data(Settings):
    """What is learnt from.

    Attributes:
        dataset: a key of `asst.data.DATASETS`, of `asst.data.ACTION_DATASETS`, or `TAPES`.
        root: folder of its annotation files; found by ``asst.data.data_folder`` if not given.
        streams: the kinds of features, joined in this order; the names of ``features``. None for a method that looks at
            no video.
        features: the store of each stream, ours or as the field publishes; a path stands for settings with that path.
        step_s: of published stores that do not have their own, as in `FeatureFiles`.
        simulated: make the features instead; each stream is then a key of `MODALITIES`.
        tapes: made of the captioned pictures of ``root``, where ``dataset`` is `TAPES`; there are then no streams.
        words: what stands for the words of a sentence; a path, or ``packaged``, stands for settings with that path.
        train: split to learn from; never the test split.
        validate: split that checkpoints are chosen by; likewise.
        wrong_sentences: share of the samples that show another video's sentence, all of whose clips are negatives; the
            paper has none.
        length_factor: features that are more than so many times as long as annotated, or as short, are refused.
        memory_gb: features kept in memory, in GiB; the others are read each time.
    """

    dataset: str
    root: FilePath | None = None
    streams: list[str] = Field(default_factory=list)
    features: dict[str, Annotated[FeatureFiles, _BY_PATH]] = Field(default_factory=dict)
    step_s: StepLength | None = None
    simulated: Simulated | None = None
    tapes: Tapes | None = None
    words: Annotated[Words, _BY_PATH] = Words()
    train: str = "train"
    validation: str = Field(default="val", alias="validate")
    wrong_sentences: Fraction = 0.0
    length_factor: Annotated[float, Field(ge=1)] = MOST_FACTOR
    memory_gb: Annotated[float, Field(ge=0)] = 8.0

    @model_validator(mode="after")
    def _streams_exist(self) -> Data:
        unknown = sorted(set(self.features) - set(self.streams))
        if unknown:
            raise ValueError(f"features of {', '.join(unknown)} are given, the streams are {', '.join(self.streams)}")
        if (self.tapes is not None) != (self.dataset == TAPES):
            raise ValueError(f"settings of tapes go with dataset {TAPES}, and it with them")
        for key, split in (("train", self.train), ("validate", self.validation)):
            if split.startswith("test"):
                raise ValueError(
                    f"{key} is {split}; learn and choose checkpoints on other data than the test is made on"
                )
            require_split(self.dataset, split)
        if self.simulated is not None and not set(self.streams) <= set(MODALITIES):
            raise ValueError(f"simulated streams are {', '.join(MODALITIES)}, not {', '.join(self.streams)}")
        return self


Precision = Literal["auto", "float32", "bfloat16"]
"""Of sums; ``auto`` takes bfloat16 where it multiplies matrices faster."""


class Optimizer(Settings):
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
    learning_rate: Rate = 5e-4
    schedule: Literal["steps", "cosine"] = "steps"
    decay: Share = 0.9
    decay_steps: Positive = 2500
    warmup: Natural = 0
    momentum: Fraction = 0.9
    rates: dict[str, Rate] = Field(default_factory=dict)
    clip: Annotated[float, Field(ge=0)] = 0.0
    averaging: Fraction = 0.0


def _listed(value: Any) -> Any:
    """Seeds as the command line has them."""
    if isinstance(value, str) and re.fullmatch(r"\d+(,\d+)*", value):
        return [int(seed) for seed in value.split(",")]
    return [value] if isinstance(value, int) else value


class Training(Settings):
    """How long, how much at once, on what.

    Attributes:
        steps: optimiser steps in all; none for a method that is fitted in closed form.
        interval: steps from one validation, log line and resumable state to the next; the last one ends with ``steps``.
        batch: samples a step, of all processes together; the paper's is 128.
        parts: equal parts that a batch is passed in, to fit into memory (gradient accumulation). Batch normalisation
            and losses that look across samples see a part at a time, which changes what is learnt.
        processes: on this machine, sharing each batch (DDP).
        nodes: machines.
        precision: of sums.
        seed: of weights, draws and orders.
        seeds: several in place of ``seed``, a run each; as a list or as ``0,1,2``.
        keep: latest checkpoints to keep beside the best one, for averaging.
        patience: intervals without a better checkpoint after which the training ends; 0 for never.
    """

    steps: Natural = 0
    interval: Positive = 500
    batch: Positive = 128
    parts: Positive = 1
    processes: Positive = 1
    nodes: Positive = 1
    precision: Precision = "auto"
    seed: Natural = 0
    seeds: Annotated[list[Natural], BeforeValidator(_listed)] = Field(default_factory=list)
    keep: Natural = 0
    patience: Natural = 0

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
    """One training.

    Attributes:
        name: the recipe's path below a folder ``recipes``, without suffix; the row of the paper it fills.
        method: a key of `asst.models.methods.table.METHODS`.
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
        may_be_longer: whether a step does the same in a run of more steps.
    """

    name: str = "own"
    method: Annotated[str, AfterValidator(_known_method)] = "asst"
    data: Data
    observation: dict[str, Any] = Field(default_factory=dict)
    network: dict[str, Any] = Field(default_factory=dict)
    optimizer: Optimizer = Optimizer()
    training: Training = Training()
    overlap: Share = 0.8
    protocol: ProtocolName = "standard"
    start: FilePath | None = None
    frozen: list[str] = Field(default_factory=list)
    average: Natural = 0
    may_be_longer: ClassVar[bool] = True

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
        if data.tapes is not None and method != "reranker":
            return "only method reranker learns from data.tapes"
        if method == "reranker" and data.tapes is None and len(data.streams) != 1:
            return "method reranker learns from data.tapes, or from one stream of the packaged features"
        detects_moments = method == "asst" and self.network.get("head", "detection") == "detection"
        if data.wrong_sentences and not detects_moments:
            return "only method asst with network.head detection learns from data.wrong_sentences"
        if METHODS[method].looks and data.tapes is None and not data.streams:
            return f"method {method} looks at features; name their kinds in data.streams"
        if self.start is not None and self.network:
            return "start brings the network's settings; leave network out"
        if self.start is None and self.frozen:
            return "frozen parts stay as they start, and there is no start; give start=CHECKPOINT"
        if self.closed_form and steps:
            return f"method {method} is fitted in closed form; leave training.steps out"
        if not self.closed_form and not steps:
            return f"method {method} is trained by steps; give training.steps"
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
