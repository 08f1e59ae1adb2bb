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
    """What is learnt from."""

    root: FilePath | None = None
    """folder of Parquet files with pictures and their captions; ``captions`` in ``$ASST_DATA`` if not given."""
    holdout: Holdout
    """how many pictures of each set are never learnt from, a clip as one; training is judged by them."""
    seed: Natural = 0
    """of the draws of these."""
    cache: FilePath = Path("captions-cache")
    """folder for what the frozen parts of the towers make of pictures and sentences."""
    views: Positive = 3
    """of each picture that are kept: as it is, mirrored, and from the third on random crops."""
    crop: Share = 0.4
    """the least share of the picture's area that a random crop has."""
    jitter: Fraction = 0.3
    """how much its brightness, contrast and colour change at most."""
    window: Share = 0.875
    """side of the part that a step sees of a kept view, as a share of its short side."""


class CaptionNetwork(Settings):
    """The space and what of its towers learns; the other layers stay as published."""

    first_block: Annotated[int, Field(ge=0, lt=BLOCKS)] = 20
    """of the picture network's that learns, with all after it."""
    first_layer: Annotated[int, Field(ge=0, le=LAYERS)] = 6
    """of the sentence encoder's that learns, with all after it; 6 for none."""
    picture_dropout: Fraction = 0.2
    """share of a picture's channels that is dropped."""
    depth_dropout: Fraction = 0.1
    """how often the last block is left out; those before it less often, in equal steps."""
    sentence_dropout: Fraction = 0.1
    """of the encoder's layers and of those that follow."""


class CaptionOptimizer(Settings):
    """AdamW, its rates rising to these and falling over the whole training (one cycle)."""

    picture_rate: Rate = 2e-4
    """of the picture network."""
    sentence_rate: Rate = 1e-4
    """of the sentence encoder."""
    placing_rate: Rate = 1e-3
    """of the layers after the sentence encoder, and of the temperature."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    """of all but the temperature."""
    rise: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """share of the steps in which rates rise."""
    clip: Rate = 5.0
    """the longest gradient."""


class CaptionTraining(Settings):
    """How long and how much at once."""

    steps: Positive = 700
    """optimiser steps in all."""
    interval: Positive = 140
    """steps from one validation, log line and resumable state to the next; the last one ends with ``steps``."""
    batch: Annotated[int, Field(ge=2)] = 512
    """pictures a step; each one's sentences are told from all others'."""
    sentences: Positive = 2
    """of each picture in a step."""
    classes: Annotated[float, Field(ge=0)] = 1.0
    """weight of telling the published classifier's classes as it does, beside telling sentences."""
    temperature: Rate = 0.07
    """that products are divided by at the start; it learns."""
    average: Fraction = 0.99
    """how much of the averaged weights, which are what is kept, stays at each step in the end."""
    patience: Natural = 3
    """intervals without a better R@10 after which training ends; 0 for never."""
    precision: Precision = "auto"
    """of sums, but for those of the loss."""
    seed: Natural = 0
    """of weights, draws and orders."""
    parts: ClassVar[int] = 1
    processes: ClassVar[int] = 1
    nodes: ClassVar[int] = 1
    keep: ClassVar[int] = 0


class CaptionRecipe(Settings):
    """One training of the space."""

    name: str = "own"
    """the recipe's path below a folder ``recipes``, without suffix."""
    method: Literal["captions"]
    """``captions``."""
    data: CaptionData
    """what is learnt from."""
    network: CaptionNetwork = CaptionNetwork()
    """what learns."""
    optimizer: CaptionOptimizer = CaptionOptimizer()
    """how weights move."""
    training: CaptionTraining = CaptionTraining()
    """how long and how much at once."""
    kind: ClassVar[Path] = Path()
    """as `Recipe.kind`."""
    closed_form: ClassVar[bool] = False
    """as `Recipe.closed_form`."""
    may_be_longer: ClassVar[bool] = False
    """as `Recipe.may_be_longer`; here the rates of all steps follow from their number."""


def read_any_recipe(recipes: Sequence[Named], changes: Sequence[str] = ()) -> Recipe | CaptionRecipe:
    """A recipe of the kind that its ``method`` says; raises as `read_as`."""
    captions = settings_of(recipes, changes).get("method") == METHOD
    return read_as(CaptionRecipe, recipes, changes) if captions else read_as(Recipe, recipes, changes)
