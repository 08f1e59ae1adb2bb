"""A reranker trained on simulated scenes, from the recipe to the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import asst
from asst.data.simulate.scene_settings import SceneSettings
from asst.errors import InputError
from asst.models.channels import NAMES
from asst.models.checkpoint import read_description
from asst.training.recipe import read_recipe
from asst.training.reranker_samples import Chosen, RerankerValidation
from asst.training.run import train
from asst.training.scene_pool import ScenePool

pytestmark = [
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated"),
    pytest.mark.filterwarnings("ignore:.*litlogger.*"),
]

RECIPE = Path(__file__).parents[2] / "recipes" / "default.yaml"


def test_scenes_and_reranker_go_together() -> None:
    with pytest.raises(InputError, match="method reranker learns from"):
        read_recipe([RECIPE], ["method=asst"])
    with pytest.raises(InputError, match="settings of scenes go with dataset scenes"):
        read_recipe([RECIPE], ["data.dataset=didemo"])


def test_recall_is_of_the_first_and_by_kind() -> None:
    chosen = [Chosen(0.9, "joined"), Chosen(0.6, "joined"), Chosen(0.4, "ordinal"), Chosen(0.0, "ordinal")]
    assert RerankerValidation(()).metrics(None, chosen) == {  # type: ignore[arg-type]
        "R@1,IoU=0.5": 50.0,
        "R@1,IoU=0.7": 25.0,
        "joined,IoU=0.5": 100.0,
        "ordinal,IoU=0.5": 0.0,
    }


def test_a_recipe_makes_scenes_trains_and_gives_a_model(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, street: Path, one_thread: None
) -> None:
    monkeypatch.setenv("ASST_DATA", str(shared_data))
    folder = tmp_path / "scenes"
    small = ["data.scenes.count=50", "data.scenes.validate=50", "data.scenes.variant=lite0", "training.batch=8"]
    sizes = [f"network.{name}=16" for name in ("dilation_channels", "channels", "language_channels")]
    steps = ["training.steps=2", "training.interval=1", "training.precision=float32"]
    recipe = read_recipe([RECIPE], [*small, *sizes, *steps, f"data.scenes.folder={folder}"])
    said: list[str] = []
    done = train(recipe, tmp_path / "run", said.append)
    assert done.steps == 2
    assert sum(line.startswith("making 50 scenes") for line in said) == 2
    description = read_description(done.folder.best)
    assert (description.method, description.origin, description.dataset) == ("reranker", "simulated", "scenes")
    assert {"R@1,IoU=0.5", "R@1,IoU=0.7", "joined,IoU=0.5"} <= description.metrics.keys()

    settings = SceneSettings.from_dict(recipe.data.scenes.settings if recipe.data.scenes else {})
    again: list[str] = []
    questions = ScenePool(folder, 0, settings, "lite0").questions(50, 50, again.append)
    assert not again
    for question in questions:
        assert question.channels.shape[1] == len(NAMES)
        assert 0 <= question.clips.min() <= question.clips.max() <= len(question.channels)
        assert (question.clips[:, 0] < question.clips[:, 1]).all()
    # The candidates can answer nearly all of what is asked.
    assert np.mean([question.overlaps.max() >= 0.5 for question in questions]) > 0.9

    (moments,) = asst.load(done.folder.best).locate(street, ["a taxi sign on top of a car"], top=2)
    assert all(0 <= moment.start_s < moment.end_s <= 10.1 for moment in moments)
