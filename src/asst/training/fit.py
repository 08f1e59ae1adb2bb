"""Fitting a method in closed form: one pass over the training split, one checkpoint."""

from __future__ import annotations

import json
import time
from dataclasses import replace

from torch.utils.data import DataLoader

from asst.atomic import write_whole
from asst.data.batch import Collate
from asst.data.samples import EpochOrder, TrainingSamples
from asst.models.checkpoint import save_checkpoint
from asst.models.methods.base import Fitted
from asst.training.divergence import require_finite_figures, require_finite_weights
from asst.training.folder import RunFolder
from asst.training.prepare import Prepared
from asst.training.recipe import Recipe
from asst.training.simulation import Say


def fit(prepared: Prepared, recipe: Recipe, folder: RunFolder, say: Say) -> float:
    """Fits, validates and keeps the method; gives the seconds that the fitting took, without the validation.

    Raises an `InputError` for data that the method cannot be fitted to, or with which it comes to nothing finite.
    """
    method = prepared.method
    assert isinstance(method, Fitted)
    started_s = time.monotonic()
    samples = prepared.task.samples
    assert isinstance(samples, TrainingSamples)
    batches = DataLoader(
        samples,
        batch_size=recipe.training.batch,
        sampler=EpochOrder(len(samples), recipe.training.seed),
        collate_fn=Collate(samples.observation.steps),
    )
    method.fit(samples.records, batches)
    require_finite_weights(method.state_dict(), step=1)
    seconds = time.monotonic() - started_s
    validation = prepared.task.validation
    asked = prepared.task.loader()
    metrics = validation.metrics(method, (answer for batch in asked for answer in validation.answers(method, batch)))
    require_finite_figures(metrics, step=1)
    save_checkpoint(folder.best, replace(prepared.description, step=1, metrics=metrics), method.state_dict())
    line = {"step": 1, "seconds": round(seconds, 3), **{f"validate/{key}": value for key, value in metrics.items()}}
    write_whole(folder.metrics, json.dumps(line, allow_nan=False) + "\n")
    say("fitted: " + ", ".join(f"{key} {value:.2f}" for key, value in metrics.items()))
    return seconds
