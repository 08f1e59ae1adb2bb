"""``asst recipes``: what ``asst train`` can be given by name, and the keys that change it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from asst.cli import options
from asst.cli.options import argument, option
from asst.cli.verb import print_json

ON_TOP = "goes on top of another recipe"


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
    rows = _keys() if keys else _recipes()
    if as_json:
        print_json(rows)
        return
    from asst.outputs.grid import Grid, write_grids

    headings, cells = list(rows[0]), [list(row.values()) for row in rows]
    write_grids([Grid("keys of recipes" if keys else "recipes", headings, cells, words=len(headings))], sys.stdout)


def _recipes() -> list[dict[str, str]]:
    from asst.training.recipe_files import about, packaged_recipes, settings_of

    rows = []
    for name in packaged_recipes():
        settings = settings_of([name])
        data = settings.get("data", {})
        needs = " ".join(f"data.features.{stream}=STORE" for stream in data.get("streams", ()))
        rows.append({"recipe": name, "needs": needs if "dataset" in data or "method" in settings else ON_TOP})
        rows[-1]["about"] = about(name)
    return rows


def _keys() -> list[dict[str, str]]:
    from asst.training.recipe import Recipe
    from asst.training.recipe_files import setting_keys
    from asst.training.space_recipe import METHOD, CaptionRecipe

    return [
        {"method": method, **asdict(setting)}
        for method, kind in (("all others", Recipe), (METHOD, CaptionRecipe))
        for setting in setting_keys(kind)
    ]
