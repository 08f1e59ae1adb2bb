"""``asst train``: a recipe to a checkpoint."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli.device import TrainingDeviceOption

if TYPE_CHECKING:
    from asst.training.caption_recipe import CaptionRecipe
    from asst.training.recipe import Recipe
    from asst.training.trainer import Trained


def train(
    recipe: Annotated[
        list[str],
        typer.Argument(
            metavar="RECIPE... [KEY=VALUE...]",
            help="Names from 'asst recipes' or YAML files, each changing what those before it say, and changes of "
            "single settings.",
            show_default=False,
        ),
    ],
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where everything goes, or the interrupted run to go on with; by default below runs/, by the "
            "recipe's name and seed.",
            show_default=False,
        ),
    ] = None,
    device: TrainingDeviceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Train by a RECIPE.

    Run the same command again to go on with a run that was interrupted, or with a larger training.steps to train it on.
    """
    from asst.training.caption_recipe import read_any_recipe
    from asst.training.recipe_files import recipe_and_changes

    resolved = read_any_recipe(*recipe_and_changes(recipe))
    folder = run or _usual_folder(resolved)
    done = _trained(resolved, folder)
    if not done.first:
        return
    if as_json:
        report = {"run": str(folder), "steps": done.steps, "parameters": done.parameters, "seconds": done.seconds}
        typer.echo(json.dumps(report, allow_nan=False))
    else:
        did = "fitted in" if resolved.closed_form else f"trained {done.steps} steps in"
        took = f"{done.seconds / 60:.1f} min" if done.seconds >= 60 else f"{done.seconds:.1f} s"
        typer.echo(f"{did} {took}; everything is in {folder}")


def _trained(recipe: Recipe | CaptionRecipe, folder: Path) -> Trained:
    from asst.training.recipe import Recipe

    progress = sys.stderr.isatty()
    if isinstance(recipe, Recipe):
        from asst.training.run import train as run_training

        return run_training(recipe, folder, _say, progress=progress)
    from asst.training.caption_run import train_captions

    return train_captions(recipe, folder, _say, progress=progress)


def _usual_folder(recipe: Recipe | CaptionRecipe) -> Path:
    from asst.training.folder import RUNS

    return RUNS / recipe.kind / recipe.name / f"seed{recipe.training.seed}"


def _say(line: str) -> None:
    typer.echo(line, err=True)
