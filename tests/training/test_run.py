"""Training as its user sees it: it learns, it can be broken off, and what it leaves behind is of use."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import asst
from asst.data import read_dataset
from asst.errors import InputError
from asst.evaluation.answers import answer_split, origin_of
from asst.evaluation.protocol import protocol_of
from asst.features.store import Store
from asst.features.values import Features
from asst.models.checkpoint import load_checkpoint, read_description
from asst.models.trained import TrainedModel
from asst.training.callbacks import KeepRun
from asst.training.folder import RunFolder
from asst.training.module import TrainingModule
from asst.training.opening import open_run
from asst.training.recipe import Data, Recipe, Simulated
from asst.training.run import train
from asst.training.sources import open_sources

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    # Lightning 2.6 calls what torch 2.13 has renamed, and loads its own states with what numpy wrote in them.
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated"),
    pytest.mark.filterwarnings("ignore:.*litlogger.*"),
]


def silent(_: str) -> None:
    """Says nothing."""


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path)[1]


def test_a_run_learns_and_its_folder_answers_and_locates(
    toy_recipe: Callable[..., Recipe], toy: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    done = train(toy_recipe("training.steps=240", "training.interval=120", "training.keep=2"), run, silent)
    log = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [120, 240]
    assert log[1]["train/loss"] < 0.6 * log[0]["train/loss"]
    assert done.steps == 240
    assert any((run / "events").iterdir())

    description = read_description(done.folder.best)
    assert (description.recipe, description.dataset, description.split) == ("toy", "jsonlines", "train")
    assert (description.features.extractor, description.features.dimension) == ("toy", 6)
    assert description.metrics["r@1,iou=0.5"] == max(line["validate/r@1,iou=0.5"] for line in log)
    assert [path.name for path in done.folder.latest()] == ["step-0000120.safetensors", "step-0000240.safetensors"]

    paths, _, sources = open_run(run, [], silent)
    model = TrainedModel.load(paths, sources.words)
    records = sources.records("val").records
    answers = answer_split(model, records, sources.store)
    spans = [[(moment.start_s, moment.end_s) for moment in answer.moments] for answer in answers]
    values = protocol_of("jsonlines").values(records, spans)  # type: ignore[arg-type]
    assert values["r@1,iou=0.5"].mean() >= 0.8
    assert abs(100 * values["r@1,iou=0.5"].mean() - description.metrics["r@1,iou=0.5"]) < 1e-4
    assert origin_of(model, sources.store, records) == "real"

    features = Store(toy / "features").read(records[0].video)
    (moments,) = asst.load(done.folder.best).locate(features, [records[0].sentence], top=1)
    assert moments[0].start_s == pytest.approx(answers[0].moments[0].start_s, abs=1e-4)
    layers = model.attention(features, records[0].sentence)[0]
    assert layers["dilation1"].shape == (4, 16)
    assert layers["squeezing2"].shape == (4, 4)
    assert layers["dilation1"].sum(axis=0) == pytest.approx(1)


class BrokenOffError(Exception):
    """Stands for a power cut."""


def test_a_run_that_was_broken_off_ends_with_the_weights_of_an_unbroken_one(
    toy_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = toy_recipe("network.dropout=0.3", "training.steps=12", "training.parts=2", "optimizer.decay_steps=4")
    whole = train(recipe, tmp_path / "whole", silent)

    keep = KeepRun.on_train_epoch_end

    def break_off(self: KeepRun, trainer: Any, pl_module: Any) -> None:
        keep(self, trainer, pl_module)
        if trainer.global_step == 9:
            raise BrokenOffError  # logged, but the state of this step was not yet written

    monkeypatch.setattr(KeepRun, "on_train_epoch_end", break_off)
    with pytest.raises(BrokenOffError):
        train(recipe, tmp_path / "broken", silent)
    monkeypatch.undo()
    lines: list[str] = []
    again = train(recipe, tmp_path / "broken", lines.append)
    assert any("going on" in line for line in lines)

    states = [torch.load(done.folder.state, weights_only=True)["state_dict"] for done in (whole, again)]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name
    drop = {"seconds"}
    logs = [[{k: v for k, v in line.items() if k not in drop} for line in done.folder.log()] for done in (whole, again)]
    assert logs[0] == logs[1]
    assert [line["step"] for line in logs[1]] == [3, 6, 9, 12]
    # A finished run is left as it is.
    assert train(recipe, tmp_path / "broken", silent).steps == 12


def test_an_interrupted_run_says_from_where_it_goes_on(
    toy_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = TrainingModule.training_step

    def interrupt(self: TrainingModule, batch: Any, batch_idx: int) -> torch.Tensor:
        if self.trainer.global_step == 4:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(TrainingModule, "training_step", interrupt)
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        train(toy_recipe(), tmp_path / "run", lines.append)
    signal.signal(signal.SIGINT, handler)  # the library ignores it once it stops
    assert lines[-1] == "stopped; give the same command again to go on from step 3"
    monkeypatch.undo()
    assert train(toy_recipe(), tmp_path / "run", silent).steps == 6


def test_a_folder_of_another_recipe_is_not_written_to(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").claim(toy_recipe())
    before = sorted(path.name for path in (tmp_path / "run").rglob("*"))
    with pytest.raises(InputError, match="a run of other settings; name another folder"):
        train(toy_recipe("training.seed=1"), tmp_path / "run", silent)
    assert sorted(path.name for path in (tmp_path / "run").rglob("*")) == before
    with pytest.raises(InputError, match="no checkpoint yet"):
        open_run(tmp_path / "run", [], silent)
    with pytest.raises(InputError, match="no folder of a run"):
        open_run(tmp_path, [], silent)


def test_missing_features_are_named_before_anything_is_written(
    toy_recipe: Callable[..., Recipe], toy: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"recipe toy needs features of flow: give data\.features\.flow=STORE"):
        train(toy_recipe("data.streams=[toy, flow]"), tmp_path / "run", silent)
    with pytest.raises(InputError, match="can be simulated for charades_sta and thumos14, not for"):
        open_sources(Data(dataset="didemo", streams=["rgb"], root=toy, simulated=Simulated()), "didemo/rgb", silent)
    empty = tmp_path / "empty"
    Store(empty).write("other", Store(toy / "features").read("val0"))
    with pytest.raises(InputError, match="have no features"):
        train(toy_recipe(f"data.features.toy={empty}"), tmp_path / "run", silent)
    with pytest.raises(InputError, match=r"network\.steps is decided by data and observation"):
        train(toy_recipe("network.steps=16"), tmp_path / "run", silent)
    annotation = toy / "annotation"
    (tmp_path / "train.jsonl").write_bytes((annotation / "train.jsonl").read_bytes())
    for content in ("", "\n\n", '{"video": "val0", "duration": 16}\n'):
        (tmp_path / "val.jsonl").write_text(content)
        with pytest.raises(InputError, match=r"jsonlines val has no usable record in .*; check its files"):
            train(toy_recipe(f"data.root={tmp_path}"), tmp_path / "run", silent)
    assert not (tmp_path / "run").exists()


def test_averaged_checkpoints_answer_with_the_mean_of_their_scores(
    toy_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    train(toy_recipe("training.keep=2", "average=2"), tmp_path / "run", silent)
    folder = RunFolder(tmp_path / "run")
    paths, recipe, sources = open_run(tmp_path / "run", [], silent)
    model = TrainedModel.load(paths, sources.words)
    assert len(folder.checkpoints_to_use(recipe)) == 2
    records = read_dataset("jsonlines", sources.root, "val").records[:3]
    together = answer_split(model, records, sources.store, top=1)

    alone = [answer_split(TrainedModel.load([path]), records, sources.store, top=1) for path in folder.latest()]
    for row, answer in enumerate(together):
        best = [answers[row].moments[0].score for answers in alone]
        assert answer.moments[0].score <= max(best) + 1e-6
    with pytest.raises(InputError, match="has 2 of 3 checkpoints"):
        folder.checkpoints_to_use(recipe.model_copy(update={"average": 3}))


def test_a_classification_of_didemo_ranks_every_clip_a_video_has(
    toy_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    store = Store(tmp_path / "features")
    for split in ("train", "val"):
        entries = []
        for index in range(8):
            pieces = 6 if index % 2 else 5
            vectors = np.random.default_rng(index).standard_normal((pieces * 5, 3)).astype(np.float32)
            store.write(f"{split}{index}", Features(vectors, 0.0, 1.0, "toy"))
            times = [[index % 3, index % 3 + 1], [index % 3, index % 3], [index % 3, index % 3 + 1], [4, 4]]
            entries.append(
                {
                    "annotation_id": index,
                    "video": f"{split}{index}",
                    "description": "a dog jumps",
                    "times": times,
                    "num_segments": pieces,
                }
            )
        (tmp_path / f"{split}_data.json").write_text(json.dumps(entries))
    recipe = toy_recipe(
        "data.dataset=didemo",
        f"data.root={tmp_path}",
        f"data.features.toy={store.folder}",
        "network.head=classification",
        "network.pieces=6",
        "overlap=1.0",
    ).model_copy(update={"observation": {"kind": "pieces", "steps": 24}})
    train(recipe, tmp_path / "run", silent)
    paths, _, sources = open_run(tmp_path / "run", [], silent)
    model = TrainedModel.load(paths, sources.words)
    records = sources.records("val").records
    answers = answer_split(model, records, sources.store)
    assert [len(answer.moments) for answer in answers] == [15, 21] * 4
    assert all(sum(moment.score for moment in answer.moments) == pytest.approx(1) for answer in answers)
    evaluation = asst.evaluate("didemo", records, answers)
    logged = RunFolder(tmp_path / "run").log()
    best = max(line["validate/rank@1"] for line in logged)
    assert 100 * evaluation.metrics["rank@1"].mean == pytest.approx(best, abs=1e-4)
