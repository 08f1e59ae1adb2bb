"""Models from checkpoints: what they need to be loaded, and how they look at a long video."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import asst
from asst.errors import InputError
from asst.models.checkpoint import load_checkpoint, save_checkpoint
from asst.models.trained.loading import build_observation
from asst.models.trained.model import TrainedModel, word_vectors

from .small_asst import noise, save_small


def test_a_checkpoint_answers_a_long_video_by_sliding_windows(tmp_path: Path) -> None:
    save_small(tmp_path / "m.safetensors")
    localizer = asst.load(tmp_path / "m.safetensors")
    assert localizer.name == "m.safetensors"
    answers = localizer.answer(noise(20.0), ["a dog jumps", "someone opens a door"], top=40)
    assert [answer.query for answer in answers] == ["a dog jumps", "someone opens a door"]
    ends = [moment.end_s for moment in answers[0].moments]
    assert max(ends) > 18
    assert max(ends) <= 20
    scores = [moment.score for moment in answers[0].moments]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    curve = answers[0].curve
    assert curve is not None
    assert curve.scores.max() == scores[0]
    assert scores != [moment.score for moment in answers[1].moments]


def test_a_classification_of_pieces_slides_too_and_its_scores_sum_to_one(tmp_path: Path) -> None:
    save_small(tmp_path / "m.safetensors", "pieces", head="classification", pieces=6)
    ranking = asst.load(tmp_path / "m.safetensors").model.rank(noise(75.0), ["a dog jumps"], top=1000)[0]
    assert len(ranking.moments) > 3 * 21
    assert sum(moment.score for moment in ranking.moments) == pytest.approx(1)
    assert {round(moment.start_s % 5, 6) for moment in ranking.moments} == {0.0}


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    description = save_small(tmp_path / "a.safetensors")
    save_small(tmp_path / "b.safetensors", channels=6)
    with pytest.raises(InputError, match="different models; average checkpoints of one training"):
        TrainedModel.load([tmp_path / "a.safetensors", tmp_path / "b.safetensors"])
    weights = load_checkpoint(tmp_path / "b.safetensors")[1]
    save_checkpoint(
        tmp_path / "c.safetensors", description, {name: torch.from_numpy(own) for name, own in weights.items()}
    )
    with pytest.raises(InputError, match="its weights do not fit its settings"):
        TrainedModel.load([tmp_path / "c.safetensors"])
    model = TrainedModel.load([tmp_path / "a.safetensors"])
    with pytest.raises(InputError, match="reads features of noise"):
        model.rank(replace(noise(4.0), extractor="other"), ["a dog"], top=1)
    with pytest.raises(InputError, match="no word in"):
        model.rank(noise(4.0), ["?!"], top=1)
    with pytest.raises(InputError, match=r"features of noise cannot be made from a video here"):
        asst.load(tmp_path / "a.safetensors").locate(tmp_path / "video.mp4", ["a dog"])
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    with pytest.raises(InputError, match=r"run is the folder of a run; name its checkpoint: .*run/checkpoints/best"):
        asst.load(tmp_path / "run")
    with pytest.raises(InputError, match="no model is called 'nothing'"):
        asst.load("nothing")


def test_word_vectors_and_observations_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert word_vectors("glove.6B.50d").dimension == 50
    monkeypatch.delenv("ASST_GLOVE", raising=False)
    with pytest.raises(InputError, match=r"reads the word vectors glove\.6B\.300d; set ASST_GLOVE"):
        word_vectors("glove.6B.300d")
    path = tmp_path / "glove.6B.300d.txt"
    path.write_text("dog " + " ".join(["0.5"] * 300) + "\n")
    monkeypatch.setenv("ASST_GLOVE", str(path))
    assert word_vectors("glove.6B.300d").dimension == 300
    with pytest.raises(InputError, match=r"holds glove\.6B\.300d"):
        word_vectors("glove.840B.300d")
    with pytest.raises(InputError, match=r"observation\.kind must be one of pieces, crops, whole, not 'grid'"):
        build_observation({"kind": "grid"})
    with pytest.raises(InputError, match="kind pieces: least: no such setting; there are steps"):
        build_observation({"kind": "pieces", "least": 1.0})
