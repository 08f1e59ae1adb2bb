"""What a recipe says of its data: annotation, the files of features, and what stands for words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from asst.data.lengths import MOST_FACTOR
from asst.data.query_tokens import LAST_HIDDEN_STATE, By
from asst.settings import FilePath, Fraction, Natural, Positive, Rate, Settings
from asst.simulate.features.settings import MODALITIES
from asst.simulate.tapes.settings import TapeSettings

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
        if self.simulated is not None and not set(self.streams) <= set(MODALITIES):
            raise ValueError(f"simulated streams are {', '.join(MODALITIES)}, not {', '.join(self.streams)}")
        return self
