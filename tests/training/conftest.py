from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asst.training.recipe import Recipe, read_recipe


@pytest.fixture
def toy_recipe(recipe_file: Path) -> Callable[..., Recipe]:
    """The recipe with changes in the form of the command line."""
    return lambda *changes: read_recipe([recipe_file], changes)
