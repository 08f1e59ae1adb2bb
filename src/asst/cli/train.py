"""``asst train``: a recipe to a checkpoint."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli import options
from asst.cli.options import argument, option
from asst.cli.verb import print_json, tell
from asst.errors import InputError

if TYPE_CHECKING:
    from asst.training.recipe import Recipe
    from asst.training.space_recipe import CaptionRecipe
    from asst.training.trainer import Trained


_Recipe = Annotated[
    list[str],
    argument(
        "RECIPE... [KEY=VALUE...]",
        "Names from 'asst recipes' or YAML files, each changing what those before it say, and changes of single "
        "settings.",
    ),
]
_Run = Annotated[
    Path | None,
    option(
        "--run FOLDER",
        "Where everything goes, or the interrupted run to go on with; by default below runs/, by the recipe's name and "
        "seed.",
    ),
]


def _train_on(name: str | None) -> str | None:
    if name is not None:
        import torch

        from asst.features.runtime import DEVICE

        here = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
        if name not in here:
            raise InputError(f"PyTorch has no device {name!r} here, only {' and '.join(here)}")
        os.environ[DEVICE] = name
    return name


def train(
    recipe: _Recipe,
    run: _Run = None,
    device: Annotated[
        str | None,
        option("--device cpu|cuda", "Where PyTorch computes; cuda where it is, if not given.", callback=_train_on),
    ] = None,
    split: Annotated[
        str | None, option("--evaluate SPLIT", "Then judge it on this part of the data, such as test.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train by a RECIPE.

    Run the same command again to go on with a run that was interrupted, or with a larger training.steps to train it on.
    With training.seeds=0,1,2 there is a run for each seed.
    """
    from asst.data import require_split
    from asst.training.recipe import Recipe
    from asst.training.recipe_files import recipe_and_changes
    from asst.training.space_recipe import read_any_recipe

    resolved = read_any_recipe(*recipe_and_changes(recipe))
    if split is not None and isinstance(resolved, Recipe):
        require_split(resolved.data.dataset, split)
    folders = []
    for own, folder in _runs(resolved, run):
        _tell(own, folder, _trained(own, folder), as_json=as_json)
        folders.append(folder)
    if split is not None:
        from asst.cli.evaluate_run import evaluate_runs

        evaluate_runs(folders, split, [], as_json=as_json)


def _runs(recipe: Recipe | CaptionRecipe, folder: Path | None) -> Iterator[tuple[Recipe | CaptionRecipe, Path]]:
    """Each seed's recipe and folder; of several a folder inside the one that is given."""
    from asst.training.folder import RUNS
    from asst.training.recipe import Recipe

    every = list(recipe.each_seed()) if isinstance(recipe, Recipe) else [recipe]
    for own in every:
        name = f"seed{own.training.seed}"
        if folder is None:
            yield own, RUNS / own.kind / own.name / name
        else:
            yield own, folder if len(every) == 1 else folder / name


def _tell(recipe: Recipe | CaptionRecipe, folder: Path, done: Trained, *, as_json: bool) -> None:
    if not done.first:
        return
    if as_json:
        report = {"run": str(folder), "steps": done.steps, "parameters": done.parameters, "seconds": done.seconds}
        print_json([report])
    else:
        did = "fitted in" if recipe.closed_form else f"trained {done.steps} steps in"
        took = f"{done.seconds / 60:.1f} min" if done.seconds >= 60 else f"{done.seconds:.1f} s"
        typer.echo(f"{did} {took}; everything is in {folder}")


def _trained(recipe: Recipe | CaptionRecipe, folder: Path) -> Trained:
    from asst.training.recipe import Recipe

    progress = sys.stderr.isatty()
    if isinstance(recipe, Recipe):
        from asst.training.run import train as run_training

        return run_training(recipe, folder, tell, progress=progress)
    from asst.training.space.run import train_captions

    return train_captions(recipe, folder, tell, progress=progress)
