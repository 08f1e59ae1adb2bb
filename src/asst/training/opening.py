"""A run's folder opened again: its checkpoints and what they learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asst.errors import InputError
from asst.training.folder import RUNS, RunFolder
from asst.training.recipe import Recipe
from asst.training.simulation import Say
from asst.training.sources import Sources, open_sources
from asst.training.space_recipe import CaptionRecipe, read_any_recipe

MOST_NAMED = 8


def open_run(path: Path, changes: Sequence[str], say: Say) -> tuple[list[Path], Recipe, Sources]:
    """The checkpoints of a run that make its model, and what it was trained on.

    ``changes`` are of its recipe's settings, such as ``data.features.rgb=STORE`` where that has moved. Raises an
    `InputError` if the folder holds no run, or one that has not come to a checkpoint.
    """
    folder = RunFolder(path)
    if not folder.recipe.exists():
        raise InputError(f"{path} is no folder of a run ({folder.recipe.name} is missing); {_runs_here(path)}")
    recipe = read_any_recipe([folder.recipe], changes)
    if isinstance(recipe, CaptionRecipe):
        raise InputError(f"{path} holds a space of pictures and sentences; {folder.retrieval} says how good it is")
    paths = folder.checkpoints_to_use(recipe)
    return paths, recipe, open_sources(recipe.data, recipe.name, say)


def _runs_here(path: Path) -> str:
    """What to name in place of a folder that holds no run: those below it, else those of the usual folder."""
    for place in (path, RUNS):
        runs = sorted(found.parent for found in place.rglob(RunFolder(place).recipe.name))
        if runs:
            more = f" and {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else ""
            return f"there are {', '.join(map(str, runs[:MOST_NAMED]))}{more}"
    return "'asst train' makes them"
