"""Fitting a method in closed form: one pass over the training split, one checkpoint."""

from __future__ import annotations

import json
import time
from dataclasses import replace

from torch.utils.data import DataLoader

from asst.atomic import write_whole
from asst.data.batch import Collate, CollateWindows
from asst.data.samples import EpochOrder
from asst.models.answering import window_answers
from asst.models.checkpoint import save_checkpoint
from asst.models.method import Fitted
from asst.training.folder import RunFolder
from asst.training.module import QUERIES_AT_ONCE
from asst.training.prepare import Prepared
from asst.training.recipe import Recipe
from asst.training.sources import Say
from asst.training.validation import validation_metrics


def fit(prepared: Prepared, recipe: Recipe, folder: RunFolder, say: Say) -> float:
    """Fits, validates and keeps the method.

    Returns:
        Seconds that the fitting took, without the validation.

    Raises:
        InputError: for data that the method cannot be fitted to.
    """
    method = prepared.method
    assert isinstance(method, Fitted)
    started_s = time.monotonic()
    samples = prepared.samples
    batches = DataLoader(
        samples,
        batch_size=recipe.training.batch,
        sampler=EpochOrder(len(samples), recipe.training.seed),
        collate_fn=Collate(samples.observation.steps),
    )
    method.fit(samples.records, batches)
    seconds = time.monotonic() - started_s
    collate = CollateWindows(prepared.queries.observation.steps)
    queries = DataLoader(prepared.queries, batch_size=QUERIES_AT_ONCE, collate_fn=collate)
    metrics = validation_metrics(
        (answer for batch in queries for answer in window_answers([method], batch)),
        prepared.checked,
        prepared.protocol,
        relative=method.relative,
        overlap=recipe.overlap,
    )
    save_checkpoint(folder.best, replace(prepared.description, step=1, metrics=metrics), method.state_dict())
    line = {"step": 1, "seconds": round(seconds, 3), **{f"validate/{key}": value for key, value in metrics.items()}}
    write_whole(folder.metrics, json.dumps(line) + "\n")
    say("fitted: " + ", ".join(f"{key} {value:.2f}" for key, value in metrics.items()))
    return seconds
