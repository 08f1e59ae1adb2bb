"""``asst recipes`` and ``asst train``, a recipe to a checkpoint; ``asst export``, that as a network of its own."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli import options
from asst.cli.options import argument, option, print_grid, print_json, tell
from asst.errors import InputError, counted

if TYPE_CHECKING:
    from asst.training.recipe import Recipe
    from asst.training.space_recipe import CaptionRecipe
    from asst.training.trainer import Trained


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
    recipe: Annotated[
        list[str],
        argument(
            "RECIPE... [KEY=VALUE...]",
            "Names from 'asst recipes' or YAML files, each changing what those before it say, and changes of single "
            "settings.",
        ),
    ],
    run: Annotated[
        Path | None,
        option(
            "--run FOLDER",
            "Where everything goes, or the interrupted run to go on with; by default below runs/, by the recipe's name "
            "and seed.",
        ),
    ] = None,
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
    from asst.training.folder import RUNS
    from asst.training.recipe import Recipe
    from asst.training.recipe_files import recipe_and_changes
    from asst.training.space_recipe import read_any_recipe

    resolved, folders = read_any_recipe(*recipe_and_changes(recipe)), []
    if isinstance(resolved, Recipe):
        # Before what takes seconds to load.
        resolved.data.stores(resolved.name)
        if split is not None:
            require_split(resolved.data.dataset, split)
    every = list(resolved.each_seed()) if isinstance(resolved, Recipe) else [resolved]
    for own in every:
        name = f"seed{own.training.seed}"
        # Of several seeds each has a folder inside the one that is given.
        folder = RUNS / own.kind / own.name / name if run is None else run if len(every) == 1 else run / name
        folders.append(folder)
        done = _trained(own, folder)
        if done.first:
            _tell(own, folder, done, as_json=as_json)
    if split is not None:
        from asst.cli.judging import evaluate_runs

        evaluate_runs(folders, split, [], as_json=as_json)


def _tell(recipe: Recipe | CaptionRecipe, folder: Path, done: Trained, *, as_json: bool) -> None:
    """What was trained, and where it is."""
    if as_json:
        steps = {"steps": done.steps, "parameters": done.parameters, "seconds": done.seconds}
        print_json([{"run": str(folder), **steps}])
    else:
        did = "fitted in" if recipe.closed_form else f"trained {counted(done.steps, 'step')} in"
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


def recipes(
    recipe: Annotated[
        list[str] | None,
        argument(
            "[RECIPE...] [KEY=VALUE...]", "Print what these say together, as YAML to begin a recipe of your own with."
        ),
    ] = None,
    keys: Annotated[bool, option("--keys", "List every key, its default and meaning.")] = False,
    as_json: options.Json = False,
) -> None:
    """List the recipes that asst train knows by name, and what each needs; print one; or list their keys."""
    if recipe:
        import yaml

        from asst.training.recipe_files import recipe_and_changes, settings_of

        settings = settings_of(*recipe_and_changes(recipe))
        typer.echo(
            json.dumps(settings, allow_nan=False) if as_json else yaml.safe_dump(settings, sort_keys=False), nl=as_json
        )
        return
    from asst.training.recipe import Recipe
    from asst.training.recipe_files import about, packaged_recipes, setting_keys, settings_of
    from asst.training.space_recipe import METHOD, CaptionRecipe

    rows: list[dict[str, str]] = []
    for name in () if keys else packaged_recipes():
        settings = settings_of([name])
        data = settings.get("data", {})
        needs = " ".join(f"data.features.{stream}=STORE" for stream in data.get("streams", ()))
        whole = "dataset" in data or "method" in settings
        rows.append(
            {"recipe": name, "needs": needs if whole else "goes on top of another recipe", "about": about(name)}
        )
    for method, kind in (("all others", Recipe), (METHOD, CaptionRecipe)) if keys else ():
        rows += [{"method": method, **asdict(setting)} for setting in setting_keys(kind)]
    if as_json:
        print_json(rows)
        return
    cells = [list(row.values()) for row in rows]
    print_grid("keys of recipes" if keys else "recipes", list(rows[0]), cells, words=len(rows[0]))


def export(
    checkpoint: Annotated[Path, argument("CHECKPOINT", "A .safetensors file that asst train wrote, of any method.")],
    out: Annotated[Path, argument("OUT.onnx", "What is written.")],
) -> None:
    """Write a trained method as a network that runs without PyTorch: asst locate --model OUT.onnx."""
    from asst.training.export import export_checkpoint

    description = export_checkpoint(checkpoint, out)
    use = (
        f"detect VIDEO --checkpoint {out}"
        if "labels" in description.settings
        else f"locate VIDEO SENTENCE --model {out}"
    )
    typer.echo(f"wrote {out} ({description.method}), which runs without PyTorch: asst {use}")
