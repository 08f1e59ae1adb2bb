"""A reranker trained on simulated scenes, from the recipe to the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

import asst
from asst.data.simulate.scene_settings import SceneSettings
from asst.errors import InputError
from asst.features.captions import CaptionSentences
from asst.features.concepts import concept_data
from asst.library.engine import engine_of
from asst.models.channels import channel_names
from asst.models.checkpoint import read_description
from asst.models.zeroshot import SimilarityModel
from asst.training.recipe import read_recipe
from asst.training.reranker_samples import Chosen, RerankerValidation
from asst.training.run import train
from asst.training.scene_pool import ScenePool

from ..tiny_clip import WORDS, write

pytestmark = [
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated"),
    pytest.mark.filterwarnings("ignore:.*litlogger.*"),
]

RECIPE = Path(__file__).parents[2] / "recipes" / "default.yaml"
SMALL = [
    *("data.scenes.count=50", "data.scenes.validate=50", "training.batch=8"),
    *(f"network.{name}=16" for name in ("dilation_channels", "channels", "language_channels")),
    *("training.steps=2", "training.interval=1", "training.precision=float32"),
]


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
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, street: Path, similarity: SimilarityModel
) -> None:
    monkeypatch.setenv("ASST_DATA", str(shared_data))
    folder = tmp_path / "scenes"
    changes = [*SMALL, f"data.scenes.folder={folder}"]
    recipe = read_recipe([RECIPE], changes)
    said: list[str] = []
    done = train(recipe, tmp_path / "run", said.append)
    assert done.steps == 2
    assert sum(line.startswith("making 100 scenes") for line in said) == 1
    description = read_description(done.folder.best)
    assert (description.method, description.origin, description.dataset) == ("reranker", "simulated", "scenes")
    assert {"R@1,IoU=0.5", "R@1,IoU=0.7", "joined,IoU=0.5"} <= description.metrics.keys()

    settings = SceneSettings.from_dict(recipe.data.scenes.settings if recipe.data.scenes else {})
    again: list[str] = []
    questions = ScenePool.of(similarity, folder, 0, settings).questions(50, 50, again.append)
    assert not again
    for question in questions:
        assert question.channels.shape[1] == len(channel_names(CaptionSentences.measures))
        assert 0 <= question.clips.min() <= question.clips.max() <= len(question.channels)
        assert (question.clips[:, 0] < question.clips[:, 1]).all()
    # The candidates can answer nearly all of what is asked.
    assert np.mean([question.overlaps.max() >= 0.5 for question in questions]) > 0.9

    (moments,) = asst.load(done.folder.best).locate(street, ["a taxi sign on top of a car"], top=2)
    assert all(0 <= moment.start_s < moment.end_s <= 10.1 for moment in moments)


def test_the_same_recipe_learns_in_the_space_of_clip(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, street: Path, one_thread: None
) -> None:
    words = {word for text in concept_data()["unrelated"] for word in text.split()}
    write(tmp_path / "weights" / "clip", "clip", sorted(words - {*WORDS}))
    # One process makes them, where the other test has two: starting one takes longer than its work.
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setenv("ASST_DATA", str(shared_data))
    monkeypatch.setenv("ASST_WEIGHTS", str(tmp_path / "weights"))
    changes = [*SMALL, f"data.scenes.folder={tmp_path / 'scenes'}"]
    done = train(read_recipe([RECIPE.with_name("default_clip.yaml")], changes), tmp_path / "run", lambda _: None)
    kind = read_description(done.folder.best).features
    assert (kind.extractor, kind.dimension) == ("clip-squares", 48)

    localizer = asst.load(done.folder.best)
    queries = ["a man walks down the street", "a car drives by for the second time"]
    (first, second) = localizer.answer(street, queries, attention=True)
    assert all(0 <= m.start_s < m.end_s <= 10.1 for m in localizer.rank(localizer.features(street), queries)[0].moments)
    assert first.attention is not None
    assert second.attention is not None
    assert second.attention.words == ("a", "car", "drives", "by", "for", "the", "second", "time")

    # A library of clip can be asked by what was learnt in its space.
    assert engine_of(done.folder.best).identity == engine_of("clip").identity
    weights = tmp_path / "weights" / "clip" / "model.safetensors"
    save_file({name: tensor + 1 for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})
    with pytest.raises(InputError, match="was trained on features of clip-squares with weights"):
        asst.load(done.folder.best)
