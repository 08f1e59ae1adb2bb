"""A detector trained as its user trains it, on a toy data set of labelled spans."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.data import read_actions
from asst.errors import InputError
from asst.evaluation.detection import mean_average_precisions
from asst.evaluation.results import read_result
from asst.features.stores.native import Store
from asst.models.checkpoint import read_description
from asst.models.trained.detector import TrainedDetector
from asst.models.trained.model import TrainedModel
from asst.training.recipe import Recipe, read_recipe
from asst.training.run import train
from asst.training.trainer import Trained

pytestmark = pytest.mark.usefixtures("one_thread")


def silent(_: str) -> None:
    """Says nothing."""


def recipe_of(settings: dict[str, Any], folder: Path, *changes: str) -> Recipe:
    path = folder / "recipes" / "toy.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(settings))
    return read_recipe([path], changes)


def asst(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, toy_actions: Path, one_thread: None) -> Path:
    """A folder in which a small detector has learnt the toy actions."""
    folder = tmp_path_factory.mktemp("detection")
    settings = {
        "method": "detector",
        "data": {
            "dataset": "actions",
            "root": str(toy_actions / "annotation"),
            "streams": ["toy"],
            "features": {"toy": str(toy_actions / "features")},
        },
        "observation": {"kind": "crops", "steps": 16, "step_s": 1.0},
        "network": {
            "dilation_layers": 2,
            "squeezing_layers": 2,
            "dilation_channels": 16,
            "channels": 16,
            "levels": 4,
            "dropout": 0.0,
            "input_dropout": 0.0,
        },
        "optimizer": {"name": "sgd", "learning_rate": 0.05},
        "training": {"steps": 240, "interval": 120, "batch": 16, "precision": "float32"},
        "overlap": 0.3,
    }
    train(recipe_of(settings, folder), folder / "run", silent)
    return folder / "run"


def test_it_learns_and_is_judged_as_it_was_while_it_learnt(run: Path, toy_actions: Path) -> None:
    log = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert {"train/loss/class", "train/loss/offsets", "validate/map,iou=0.7", "validate/map"} <= set(log[0])
    description = read_description(run / "checkpoints" / "best.safetensors")
    assert description.settings["labels"] == ["jump", "run"]
    assert description.metrics["map,iou=0.5"] == max(line["validate/map,iou=0.5"] for line in log)
    assert description.metrics["map,iou=0.5"] > 80

    detector = TrainedDetector.load([run / "checkpoints" / "best.safetensors"])
    videos = read_actions("actions", toy_actions / "annotation", "val").videos
    found = list(detector.detect_videos(videos, Store(toy_actions / "features")))
    means = mean_average_precisions(videos, found)
    assert 100 * means["map,iou=0.5"] == pytest.approx(description.metrics["map,iou=0.5"], abs=0.01)


def test_a_run_is_evaluated_on_its_test_split(run: Path) -> None:
    done = asst("evaluate", run, "--split", "test", "--json")
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    assert content["map,iou=0.5"] > 80
    assert (content["videos"], sorted(content["classes"])) == (5, ["jump", "run"])
    assert read_result(run / "results" / "test.json").metrics["map,iou=0.5"].mean == content["map,iou=0.5"]
    words = ["--dataset", "actions", "--split", "test", "--json"]
    annotation = yaml.safe_load((run / "recipe.yaml").read_text())["data"]["root"]
    again = asst("evaluate", run / "predictions" / "test.jsonl", *words, "--data", annotation)
    assert json.loads(again.stdout) == content
    store = Path(annotation).parent / "features"
    best = run / "checkpoints" / "best.safetensors"
    asked = asst("evaluate", "--model", best, "--store", store, *words, "--data", annotation)
    assert json.loads(asked.stdout) == content


def test_detect_prints_the_actions_of_a_video_in_a_store(run: Path, toy_actions: Path) -> None:
    best, store = run / "checkpoints" / "best.safetensors", toy_actions / "features"
    done = asst("detect", "test1", "--checkpoint", best, "--store", store, "--json", "--top", "3")
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    assert (content["video"], content["duration_s"], content["model"]) == ("test1", 48.0, "best.safetensors")
    videos = read_actions("actions", toy_actions / "annotation", "test").videos
    truths = next(video.actions for video in videos if video.video == "test1")
    for truth in truths:
        near = min(content["moments"], key=lambda moment: abs(moment["start_s"] - truth.start_s))
        assert near["label"] == truth.label
        assert abs(near["start_s"] - truth.start_s) < 2
    scores = [moment["score"] for moment in content["moments"]]
    assert scores == sorted(scores, reverse=True)

    table = asst("detect", "test1", "--checkpoint", best, "--store", store, "--top", "3")
    assert table.stdout.splitlines()[0] == "test1: 3 actions in 0:48.0"
    assert {line.split()[-1] for line in table.stdout.splitlines()[2:]} == {truth.label for truth in truths}
    nothing = asst("detect", "test1", "--checkpoint", best, "--store", store, "--min-score", "1")
    assert (nothing.exit_code, nothing.stdout) == (1, "test1: no action reaches a score of 1\n")


def test_detect_says_in_a_line_what_it_lacks(run: Path, toy_actions: Path, tmp_path: Path) -> None:
    best, store = run / "checkpoints" / "best.safetensors", toy_actions / "features"
    film = tmp_path / "film.mp4"
    film.write_bytes(b"")
    cases: list[tuple[list[str | Path], str]] = [
        (["film.mp4", "--checkpoint", best], "film.mp4: no such file"),
        ([film, "--checkpoint", best], "features of toy cannot be made from a video here"),
        (["test9", "--checkpoint", best, "--store", store], "no features of test9"),
        (["test1", "--checkpoint", best, "--store", store, "--store", store], "give --store STORE once"),
        (["test1", "--checkpoint", tmp_path / "x.safetensors", "--store", store], "no checkpoint at"),
    ]
    for words, message in cases:
        done = asst("detect", *words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
    with pytest.raises(InputError, match="finds actions and answers no sentence; use it with asst detect"):
        TrainedModel.load([best])


def test_a_run_that_was_broken_off_ends_with_the_weights_of_an_unbroken_one(
    detector_settings: dict[str, Any], tmp_path: Path, ends_as_unbroken: Callable[..., Trained]
) -> None:
    ends_as_unbroken(partial(train, recipe_of(detector_settings, tmp_path, "network.dropout=0.3")), 6)


def test_the_baseline_learns_too_and_is_not_averaged(detector_settings: dict[str, Any], tmp_path: Path) -> None:
    settings = detector_settings | {
        "method": "frames",
        "network": {"hidden_channels": 16, "smoothing": 1},
        "optimizer": {"learning_rate": 0.02},
        "training": {"steps": 120, "interval": 60, "batch": 8, "precision": "float32", "keep": 2},
    }
    done = train(recipe_of(settings, tmp_path), tmp_path / "run", silent)
    assert read_description(done.folder.best).metrics["map,iou=0.5"] > 70
    with pytest.raises(InputError, match="checkpoints of frames cannot be averaged"):
        TrainedDetector.load(done.folder.latest())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["method=asst"], "has labelled spans and no sentences; set method to detector or frames"),
        (["observation.kind=whole"], "set observation.kind to crops"),
        (["data.train=trainval"], "has no split 'trainval'"),
        (["network.labels=[a]"], r"network\.labels is decided by data"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    detector_settings: dict[str, Any], tmp_path: Path, changes: list[str], message: str
) -> None:
    settings = detector_settings | {"observation": {"kind": "crops", "steps": 16}}
    with pytest.raises(InputError, match=message):
        train(recipe_of(settings, tmp_path, *changes), tmp_path / "run", silent)


def test_a_validation_part_without_an_action_is_refused_before_the_first_step(
    detector_settings: dict[str, Any], tmp_path: Path
) -> None:
    for split in ("train", "val"):
        lines = (Path(detector_settings["data"]["root"]) / f"{split}.jsonl").read_text().splitlines()
        rows = map(json.loads, lines)
        kept = [row | ({"actions": []} if split == "val" else {}) for row in rows]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    recipe = recipe_of(detector_settings, tmp_path, f"data.root={tmp_path}")
    with pytest.raises(InputError, match="actions val has no action to choose checkpoints by"):
        train(recipe, tmp_path / "run", silent)
    assert not (tmp_path / "run").exists()


def test_a_detector_of_sentences_is_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    recipe = recipe_of(settings | {"method": "detector"}, tmp_path)
    with pytest.raises(InputError, match="jsonlines has sentences and no labelled spans; set method to asst or prior"):
        train(recipe, tmp_path / "run", silent)
