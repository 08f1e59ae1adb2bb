"""One training of the space of pictures and sentences, begun or gone on with."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from asst.atomic import write_whole
from asst.data import data_folder
from asst.data.readers.captions import Captions, held_out, read_captions
from asst.errors import counted
from asst.evaluation.bootstrap import Interval
from asst.features.hashing import LENGTH
from asst.features.zeroshot.captions import SpaceDescription, load_space, save_space
from asst.memory import hold
from asst.training.folder import RunFolder
from asst.training.module import Lesson
from asst.training.simulation import Say
from asst.training.space.cache import keep_hidden, keep_maps
from asst.training.space.module import CaptionModule
from asst.training.space.samples import CaptionSamples, KeptCaptions
from asst.training.space.towers import LearningTowers, towers_with, weights_of
from asst.training.space.validation import CaptionValidation
from asst.training.space_recipe import CaptionRecipe
from asst.training.trainer import Trained, learnt_numbers, train_by_steps


def train_captions(recipe: CaptionRecipe, path: Path, say: Say, *, progress: bool = False) -> Trained:
    """Trains a space by a recipe; otherwise as `asst.training.run.train`."""
    folder, training = RunFolder(path), recipe.training
    hold()
    captions = read_captions(recipe.data.root or data_folder("captions"))
    learnt, held = held_out(captions, recipe.data.holdout, recipe.data.seed)
    going_on = folder.claim(recipe)
    kept = _kept(recipe, captions, say, progress=progress)
    validation = CaptionValidation(kept, held)
    samples = CaptionSamples(kept, learnt, recipe.data.window, training.sentences, training.seed)
    module = CaptionModule(recipe, Lesson(samples, samples.collate, validation.loader(), validation))
    sets = tuple(Counter(captions.pictures[index].set for index in learnt))

    def save(space: Path, step: int, metrics: dict[str, float]) -> None:
        description = SpaceDescription(
            scale=float(module.scale.detach()), recipe=recipe.name, sets=sets, step=step, metrics=metrics
        )
        save_space(space, weights_of(module.kept.towers), description)

    held_words = " and ".join(f"{len(own)} of {name}" for name, own in held.items())
    begun = (
        f"{recipe.name}: {learnt_numbers(module):,} parameters, {counted(training.steps, 'step')} of {training.batch} "
        f"from {len(learnt):,} pictures of {', '.join(sets)}; held out are {held_words}"
    )
    with folder.telling_divergence():
        done = train_by_steps(module, folder, save, say, begun=[begun], going_on=going_on, progress=progress)
    _measure(recipe, validation, folder, say)
    say(f"the space is {folder.best}; use it by --model {folder.best}")
    return done


def _kept(recipe: CaptionRecipe, captions: Captions, say: Say, *, progress: bool) -> KeptCaptions:
    """What the towers' frozen parts make of everything, made where it is missing."""
    folder = recipe.data.cache / captions.digest()[:LENGTH]
    say(f"{len(captions.pictures):,} pictures; what of them does not change in training is kept in {folder}")
    views = keep_maps(captions, recipe.data, recipe.network, folder, progress=progress)
    numbers: dict[str, int] = {}
    texts = [
        np.array([numbers.setdefault(sentence, len(numbers)) for sentence in picture.sentences])
        for picture in captions.pictures
    ]
    hidden = keep_hidden(list(numbers), recipe.network, folder, progress=progress)
    groups = np.unique([picture.group for picture in captions.pictures], return_inverse=True)[1]
    return KeptCaptions(captions.pictures, groups, texts, views, hidden)


@torch.inference_mode()
def _measure(recipe: CaptionRecipe, validation: CaptionValidation, folder: RunFolder, say: Say) -> None:
    """Retrieval by the best space as its file has it, with intervals."""
    space = load_space(folder.best)
    learnt = LearningTowers(towers_with(space.weights()), recipe.network).eval()
    seen = [own for batch in validation.batches() for own in validation.answers(learnt, batch)]
    found = {name: ranks.intervals() for name, ranks in validation.ranks(learnt, seen)}
    report = {name: {key: _ends(at) for key, at in own.items()} for name, own in found.items()}
    write_whole(folder.retrieval, json.dumps(report, indent=1, allow_nan=False) + "\n")
    for name, own in found.items():
        say(f"{name}: " + ", ".join(f"{key} {at.mean:.1f} ({at.low:.1f} .. {at.high:.1f})" for key, at in own.items()))


def _ends(at: Interval) -> dict[str, float | None]:
    """An interval for JSON, which has no NaN: one picture says nothing of others."""
    return {part: value if math.isfinite(value) else None for part, value in asdict(at).items()}
