"""A reranker trained on tapes of captioned pictures, from the recipe to the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

import asst
from asst.errors import InputError
from asst.features.zeroshot.space import CaptionSentences, concept_data
from asst.library.engine import engine_of
from asst.models.checkpoint import read_description
from asst.models.reranker_inputs import input_names
from asst.models.zeroshot.model import SimilarityModel
from asst.simulate.tapes.plan import TapeSettings
from asst.training.recipe import read_recipe
from asst.training.reranker.questions import RerankerValidation
from asst.training.reranker.tape_pool import CaptionedClips, Part, TapePool
from asst.training.run import train

from ...caption_pictures import shapes
from ...caption_pictures import write as write_pictures
from ...tiny_clip import WORDS, write

RECIPE = "default"
RECIPE_HOLDS = ("flickr8k", "msrvtt", "coco", "coco_sample")
SMALL = [
    *("data.tapes.count=50", "data.tapes.validate=50", "training.batch=8"),
    *("data.tapes.holdout.shapes=24", *(f"data.tapes.holdout.{name}=0" for name in RECIPE_HOLDS)),
    *(f"network.{name}=16" for name in ("dilation_channels", "channels", "language_channels")),
    *("training.steps=2", "training.interval=1", "training.precision=float32"),
]


def test_tapes_and_reranker_go_together() -> None:
    with pytest.raises(InputError, match="method reranker learns from"):
        read_recipe([RECIPE], ["method=asst"])
    with pytest.raises(InputError, match="settings of tapes go with dataset tapes"):
        read_recipe([RECIPE], ["data.dataset=didemo"])


def test_recall_is_of_the_first_and_by_kind() -> None:
    chosen = [(0.9, "clip"), (0.6, "clip"), (0.4, "ordinal"), (0.0, "ordinal")]
    assert RerankerValidation(()).metrics(None, chosen) == {  # type: ignore[arg-type]
        "R@1,IoU=0.5": 50.0,
        "R@1,IoU=0.7": 25.0,
        "clip,IoU=0.5": 100.0,
        "ordinal,IoU=0.5": 0.0,
    }


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captioned pictures of shapes: clips of two frames."""
    rows = shapes(range(8))
    clips = [{**row, "id": f"clip {i // 2}", "group": f"clip {i // 2}", "frame": i % 2} for i, row in enumerate(rows)]
    write_pictures(folder := tmp_path_factory.mktemp("pictures"), clips)
    return folder


def test_a_recipe_makes_tapes_trains_and_gives_a_model(
    pictures: Path, tmp_path: Path, street: Path, similarity: SimilarityModel
) -> None:
    folder = tmp_path / "tapes"
    changes = [*SMALL, f"data.root={pictures}", f"data.tapes.folder={folder}"]
    recipe = read_recipe([RECIPE], changes)
    said: list[str] = []
    done = train(recipe, tmp_path / "run", said.append)
    assert done.steps == 2
    assert [line.split(" in ")[0] for line in said if line.startswith("making")] == ["making 50 tapes"] * 2
    description = read_description(done.folder.best)
    assert (description.method, description.origin, description.dataset) == ("reranker", "simulated", "tapes")
    assert {"R@1,IoU=0.5", "R@1,IoU=0.7", "clip,IoU=0.5"} <= description.metrics.keys()

    clips, again = CaptionedClips(pictures, folder, {"shapes": 24}), list[str]()
    clips.make(similarity.extractor, again.append)
    questions = TapePool(clips, "learnt", 0, TapeSettings(), "captions").questions(similarity, 50, again.append)
    assert not again
    for question in questions:
        assert question.inputs.shape[1] == len(input_names(CaptionSentences.measures))
        assert 0 <= question.clips.min() <= question.clips.max() <= len(question.inputs)
        assert (question.clips[:, 0] < question.clips[:, 1]).all()
    # The candidates can answer most of what is asked.
    assert np.mean([question.overlaps.max() >= 0.5 for question in questions]) > 0.9

    (moments,) = asst.load(done.folder.best).locate(street, ["a taxi sign on top of a car"], top=2)
    assert all(0 <= moment.start_s < moment.end_s <= 10.1 for moment in moments)


def test_the_same_recipe_learns_in_the_space_of_clip(
    pictures: Path, tmp_path: Path, few_tapes: list[str], monkeypatch: pytest.MonkeyPatch, street: Path
) -> None:
    words = {word for text in concept_data()["negatives"] for word in text.split()}
    write(tmp_path / "weights" / "clip", "clip", sorted(words - {*WORDS}))
    monkeypatch.setenv("ASST_WEIGHTS", str(tmp_path / "weights"))
    changes = [*SMALL, *few_tapes, f"data.root={pictures}", f"data.tapes.folder={tmp_path / 'tapes'}"]
    done = train(read_recipe(["default_clip"], changes), tmp_path / "run", lambda _: None)
    kind = read_description(done.folder.best).features
    assert (kind.extractor, kind.dimension) == ("clip-crops", 48)

    localizer = asst.load(done.folder.best)
    queries = ["a man walks down the street", "a car drives by for the second time"]
    (first, second) = localizer.answer(street, queries, attention=True)
    assert all(
        0 <= m.start_s < m.end_s <= 10.1
        for m in localizer.model.rank(localizer.features(street), queries, top=5)[0].ranked
    )
    assert first.attention is not None
    assert second.attention is not None
    assert second.attention.words == ("a", "car", "drives", "by", "for", "the", "second", "time")

    # A library of clip can be asked by what was learnt in its space.
    assert engine_of(done.folder.best).identity == engine_of("clip").identity
    weights = tmp_path / "weights" / "clip" / "model.safetensors"
    save_file({name: tensor + 1 for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})
    with pytest.raises(InputError, match="was trained on features of clip-crops with weights"):
        asst.load(done.folder.best)


def test_what_is_held_out_is_in_no_tape_that_is_learnt_from(pictures: Path, tmp_path: Path) -> None:
    extractor, clips = SimilarityModel().extractor, CaptionedClips(pictures, tmp_path, {"shapes": 24})
    clips.make(extractor, lambda _: None)
    parts: tuple[Part, Part] = ("learnt", "held out")
    (learnt, features), (held, _) = (clips.read(part, extractor) for part in parts)
    assert (len(learnt), len(held), len(features)) == (24, 24, 96)
    assert all(len(clip.frames) == 2 for clip in learnt)
    assert not {row for clip in learnt for row in clip.frames} & {row for clip in held for row in clip.frames}
