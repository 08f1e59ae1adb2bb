"""Recipes for the space of pictures and sentences, beside those for methods that answer questions about videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from asst.features.zeroshot.efficientnet import BLOCKS
from asst.features.zeroshot.minilm import LAYERS
from asst.settings import FilePath, Fraction, Natural, Positive, Rate, Settings, Share
from asst.training.recipe import Holdout, Precision, Recipe
from asst.training.recipe_files import Named, read_as, settings_of

METHOD = "captions"
"""Tells these recipes from others."""


class CaptionData(Settings):
    """What is learnt from.

    Attributes:
        root: folder of Parquet files, see `asst.data.readers.captions`; ``captions`` of the shared data if not given.
        holdout: how many pictures of each set are never learnt from, a clip as one; training is judged by them.
        seed: of the draws of these.
        cache: folder for what the frozen parts of the towers make of pictures and sentences.
        views: of each picture that are kept: as it is, mirrored, and from the third on random crops.
        crop: the least share of the picture's area that a random crop has.
        jitter: how much its brightness, contrast and colour change at most.
        window: side of the part that a step sees of a kept view, as a share of its short side.
    """

    root: FilePath | None = None
    holdout: Holdout
    seed: Natural = 0
    cache: FilePath = Path("captions-cache")
    views: Positive = 3
    crop: Share = 0.4
    jitter: Fraction = 0.3
    window: Share = 0.875


class CaptionNetwork(Settings):
    """The space and what of its towers learns; the other layers stay as published.

    Attributes:
        first_block: of the picture network's that learns, with all after it.
        first_layer: of the sentence encoder's that learns, with all after it; 6 for none.
        picture_dropout: share of a picture's channels that is dropped.
        depth_dropout: how often the last block is left out; those before it less often, in equal steps.
        sentence_dropout: of the encoder's layers and of those that follow.
    """

    first_block: Annotated[int, Field(ge=0, lt=BLOCKS)] = 20
    first_layer: Annotated[int, Field(ge=0, le=LAYERS)] = 6
    picture_dropout: Fraction = 0.2
    depth_dropout: Fraction = 0.1
    sentence_dropout: Fraction = 0.1


class CaptionOptimizer(Settings):
    """AdamW, its rates rising to these and falling over the whole training (one cycle).

    Attributes:
        picture_rate: of the picture network.
        sentence_rate: of the sentence encoder.
        placing_rate: of the layers after the sentence encoder, and of the temperature.
        weight_decay: of all but the temperature.
        rise: share of the steps in which rates rise.
        clip: the longest gradient.
    """

    picture_rate: Rate = 2e-4
    sentence_rate: Rate = 1e-4
    placing_rate: Rate = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    rise: Annotated[float, Field(gt=0, lt=1)] = 0.1
    clip: Rate = 5.0


class CaptionTraining(Settings):
    """How long and how much at once.

    Attributes:
        steps: optimiser steps in all.
        interval: steps from one validation, log line and resumable state to the next; the last one ends with ``steps``.
        batch: pictures a step; each one's sentences are told from all others'.
        sentences: of each picture in a step.
        classes: weight of telling the published classifier's classes as it does, beside telling sentences.
        temperature: that products are divided by at the start; it learns.
        average: how much of the averaged weights, which are what is kept, stays at each step in the end.
        patience: intervals without a better R@10 after which training ends; 0 for never.
        precision: of sums, but for those of the loss.
        seed: of weights, draws and orders.
    """

    steps: Positive = 700
    interval: Positive = 140
    batch: Annotated[int, Field(ge=2)] = 512
    sentences: Positive = 2
    classes: Annotated[float, Field(ge=0)] = 1.0
    temperature: Rate = 0.07
    average: Fraction = 0.99
    patience: Natural = 3
    precision: Precision = "auto"
    seed: Natural = 0
    parts: ClassVar[int] = 1
    processes: ClassVar[int] = 1
    nodes: ClassVar[int] = 1
    keep: ClassVar[int] = 0


class CaptionRecipe(Settings):
    """One training of the space.

    Attributes:
        name: the recipe's path below a folder ``recipes``, without suffix.
        method: `METHOD`.
        data: what is learnt from.
        network: what learns.
        optimizer: how weights move.
        training: how long and how much at once.
        kind: as `Recipe.kind`.
        closed_form: as `Recipe.closed_form`.
        may_be_longer: as `Recipe.may_be_longer`; here the rates of all steps follow from their number.
    """

    name: str = "own"
    method: Literal["captions"]
    data: CaptionData
    network: CaptionNetwork = CaptionNetwork()
    optimizer: CaptionOptimizer = CaptionOptimizer()
    training: CaptionTraining = CaptionTraining()
    kind: ClassVar[Path] = Path()
    closed_form: ClassVar[bool] = False
    may_be_longer: ClassVar[bool] = False


def read_any_recipe(recipes: Sequence[Named], changes: Sequence[str] = ()) -> Recipe | CaptionRecipe:
    """A recipe of the kind that its ``method`` says; raises as `read_as`."""
    captions = settings_of(recipes, changes).get("method") == METHOD
    return read_as(CaptionRecipe, recipes, changes) if captions else read_as(Recipe, recipes, changes)
