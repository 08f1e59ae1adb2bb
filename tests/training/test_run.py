"""Training as its user sees it: it learns, it can be broken off, and what it leaves behind is of use."""

from __future__ import annotations

import json
import math
import re
import signal
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from rich.progress import Progress

import asst
from asst.data import read_dataset
from asst.data.batch import Batch
from asst.errors import InputError
from asst.evaluation.protocol import protocol_of
from asst.features.stores.native import Provenance, Store, write_file
from asst.features.values import Features
from asst.models.base import answer_split
from asst.models.checkpoint import load_checkpoint, read_description
from asst.models.methods.asst import ASSTMethod
from asst.models.methods.base import Loss, Share
from asst.models.trained.model import TrainedModel
from asst.training.folder import RunFolder
from asst.training.module import TrainingModule
from asst.training.recipe import Data, Recipe, Simulated
from asst.training.run import train
from asst.training.sources import open_run, open_sources
from asst.training.task import open_task, prepare
from asst.training.trainer import Trained
from asst.training.validation import SentenceValidation

pytestmark = pytest.mark.usefixtures("one_thread")


def silent(_: str) -> None:
    """Says nothing."""


def weights(path: Path) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(own) for name, own in load_checkpoint(path)[1].items()}


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
    assert model.description.origin_on(sources.store.read(records[0].video)) == "real"

    features = Store(toy / "features").read(records[0].video)
    (moments,) = asst.load(done.folder.best).locate(features, [records[0].sentence], top=1)
    assert moments[0].start_s == pytest.approx(answers[0].moments[0].start_s, abs=1e-4)
    layers = model.attention(features, records[0].sentence)[0]
    assert layers["dilation1"].shape == (4, 16)
    assert layers["squeezing2"].shape == (4, 4)
    assert layers["dilation1"].sum(axis=0) == pytest.approx(1)


def test_a_run_that_was_broken_off_ends_with_the_weights_of_an_unbroken_one(
    toy_recipe: Callable[..., Recipe], ends_as_unbroken: Callable[..., Trained]
) -> None:
    changes = ("network.dropout=0.3", "training.steps=12", "training.parts=2", "data.wrong_sentences=0.2")
    recipe = toy_recipe(*changes, "optimizer={schedule: cosine, warmup: 4, averaging: 0.9, learning_rate: 0.01}")
    done = ends_as_unbroken(partial(train, recipe), 9)
    assert [line["step"] for line in done.folder.log()] == [3, 6, 9, 12]
    # A finished run is left as it is, and says so.
    lines: list[str] = []
    assert train(recipe, done.folder.path, lines.append).steps == 12
    assert "broken is finished: all 12 steps are done" in lines[-1]


def test_a_short_run_goes_on_for_more_steps_and_ends_with_the_weights_of_one_that_was_as_long_from_the_start(
    toy_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    changes = ("network.dropout=0.3", "training.parts=2", "optimizer.decay_steps=4")
    short = train(toy_recipe(*changes, "training.steps=2"), tmp_path / "run", silent)
    assert [line["step"] for line in short.folder.log()] == [2]
    longer = train(toy_recipe(*changes, "training.steps=7"), tmp_path / "run", silent)
    whole = train(toy_recipe(*changes, "training.steps=7"), tmp_path / "whole", silent)
    assert [[line["step"] for line in done.folder.log()] for done in (longer, whole)] == [[2, 3, 6, 7], [3, 6, 7]]
    states = [torch.load(done.folder.state, weights_only=True)["state_dict"] for done in (longer, whole)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_a_run_whose_rates_follow_from_its_length_is_not_made_longer(
    toy_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    train(toy_recipe("optimizer.schedule=cosine", "training.steps=2"), tmp_path / "run", silent)
    with pytest.raises(InputError, match=r"other settings: training\.steps is 2 there, 4 here"):
        train(toy_recipe("optimizer.schedule=cosine", "training.steps=4"), tmp_path / "run", silent)


def test_a_line_a_minute_says_step_loss_and_time_left(
    toy_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By this clock 20 s pass between two looks, of which the log takes one an interval.
    clock = count(0, 20)
    ticking = SimpleNamespace(monotonic=lambda: float(next(clock)), process_time=time.process_time)
    monkeypatch.setattr("asst.training.callbacks.time", ticking)
    lines: list[str] = []
    train(toy_recipe(), tmp_path / "run", lines.append)
    told = [line for line in lines if "left" in line]
    assert 2 <= len(told) <= 4
    assert re.fullmatch(r"step 3 of 6, loss \d+\.\d{4}, (60|80) s left", told[0])


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


def test_a_bar_shows_the_same_and_goes_when_the_training_is_broken_off(
    toy_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar, stopped = Progress(disable=True), []
    monkeypatch.setattr("asst.training.callbacks._bar", lambda: bar)
    monkeypatch.setattr(bar, "stop", lambda: stopped.append(bar))
    losses_until(monkeypatch, 5, math.nan)
    lines: list[str] = []
    with pytest.raises(InputError):
        train(toy_recipe(), tmp_path / "run", lines.append, progress=True)
    (task,) = bar.tasks
    assert (task.total, task.completed) == (6, 4)
    assert re.match(r"step 4 of 6, loss \d+\.\d{4}, \d+ s left", task.description)
    assert stopped
    assert not any("left" in line for line in lines)


def test_a_folder_of_another_recipe_is_not_written_to(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").claim(toy_recipe())
    before = sorted(path.name for path in (tmp_path / "run").rglob("*"))
    others = (
        "a run of other settings: optimizer.name is adam there, sgd here; training.seed is 0 there, 1 here; name an"
    )
    with pytest.raises(InputError, match=others):
        train(toy_recipe("training.seed=1", "optimizer.name=sgd"), tmp_path / "run", silent)
    with pytest.raises(InputError, match=r"other settings: training\.steps is 6 there, 3 here; name"):
        train(toy_recipe("training.steps=3"), tmp_path / "run", silent)
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
    with pytest.raises(InputError, match="can be simulated for charades_sta, didemo, thumos14, not for"):
        open_sources(Data(dataset="tacos", streams=["rgb"], root=toy, simulated=Simulated()), "tacos/rgb", silent)
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
        place = "line 1: sentence is missing or no text" if "video" in content else "its files hold no row"
        with pytest.raises(InputError, match=rf"jsonlines val has no usable record in .*: .*{place}"):
            train(toy_recipe(f"data.root={tmp_path}"), tmp_path / "run", silent)
    assert not (tmp_path / "run").exists()


def test_rows_that_are_left_out_are_told(toy_recipe: Callable[..., Recipe], toy: Path, tmp_path: Path) -> None:
    for split in ("train", "val"):
        rows = (toy / "annotation" / f"{split}.jsonl").read_text()
        (tmp_path / f"{split}.jsonl").write_text(rows + ("no JSON\n" if split == "train" else ""))
    lines: list[str] = []
    open_task(recipe := toy_recipe(f"data.root={tmp_path}"), open_sources(recipe.data, "toy", lines.append), silent)
    assert lines == ["jsonlines train: of its file 0 annotation rows were repaired and 1 left out"]


def losses_until(monkeypatch: pytest.MonkeyPatch, step: int, value: float) -> None:
    """The loss of the step, counted from one, and of all later ones is this value."""
    usual, seen = ASSTMethod.loss, count(1)

    def loss(self: ASSTMethod, batch: Batch, share: Share) -> Loss:
        found = usual(self, batch, share)
        return Loss(found.total * value, found.parts) if next(seen) >= step else found

    monkeypatch.setattr(ASSTMethod, "loss", loss)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_training_and_what_was_kept_before_stays(
    toy_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    losses_until(monkeypatch, 5, value)
    recipe, run = toy_recipe("training.keep=1"), tmp_path / "run"
    with pytest.raises(InputError, match=f"the training diverged after step 4: the loss is {value}, which is not fin"):
        train(recipe, run, silent)
    assert [line["step"] for line in RunFolder(run).log()] == [3]
    assert [path.name for path in RunFolder(run).latest()] == ["step-0000003.safetensors"]
    assert read_description(RunFolder(run).best).step == 3
    with pytest.raises(InputError, match=r"run is not judged: the training diverged after step 4: .* with --model"):
        open_run(run, [], silent)
    monkeypatch.undo()
    assert train(recipe, run, silent).steps == 6
    open_run(run, [], silent)


def test_a_gradient_that_is_not_finite_in_an_intervals_last_step_leaves_nothing_of_it(
    toy_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The root of nothing is nothing, and has no slope.
    usual, seen = ASSTMethod.loss, count(1)

    def loss(self: ASSTMethod, batch: Batch, share: Share) -> Loss:
        found = usual(self, batch, share)
        return Loss((found.total * 0).sqrt(), found.parts) if next(seen) == 6 else found

    monkeypatch.setattr(ASSTMethod, "loss", loss)
    with pytest.raises(InputError, match=r"the training diverged after step 6: .* holds a NaN or an infinity"):
        train(toy_recipe(), tmp_path / "run", silent)
    assert [line["step"] for line in RunFolder(tmp_path / "run").log()] == [3]
    assert all(own.isfinite().all() for own in weights(RunFolder(tmp_path / "run").best).values())


def test_a_figure_that_is_not_finite_is_never_written(
    toy_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SentenceValidation, "metrics", lambda *_: {"r@1,iou=0.5": math.nan})
    with pytest.raises(InputError, match=r"after step 3: validate/r@1,iou=0\.5 is nan"):
        train(toy_recipe(), tmp_path / "run", silent)
    assert not RunFolder(tmp_path / "run").best.exists()
    assert RunFolder(tmp_path / "run").log() == []


def test_features_that_are_not_finite_are_named_before_the_first_step(
    toy_recipe: Callable[..., Recipe], toy: Path, tmp_path: Path
) -> None:
    whole = Store(toy / "features")
    for video in whole.videos():
        vectors = whole.read(video).vectors.copy()
        if video == "val3":
            vectors[5, 2] = math.nan
        write_file(tmp_path / "store" / f"{video}.safetensors", Features(vectors, 0.0, 1.0, "toy"), Provenance())
    for memory_gb in (8, 0):
        changes = [f"data.features.toy={tmp_path / 'store'}", f"data.memory_gb={memory_gb}"]
        with pytest.raises(InputError, match=r"val3\.safetensors, val3: step 5 \(5 s\) of toy holds nan"):
            train(toy_recipe(*changes), tmp_path / "run", silent)
    assert not (tmp_path / "run").exists()


def test_features_of_another_length_than_annotated_are_told_and_refused_beyond_a_factor(
    toy_recipe: Callable[..., Recipe], toy: Path, tmp_path: Path
) -> None:
    whole = Store(toy / "features")

    def store(steps: dict[str, int]) -> str:
        folder = Store(tmp_path / "-".join(f"{video}{count}" for video, count in steps.items()))
        for video in whole.videos():
            vectors = np.resize(whole.read(video).vectors, (steps.get(video, 16), 6)).astype(np.float32)
            folder.write(video, Features(vectors, 0.0, 1.0, "toy"))
        return f"data.features.toy={folder.folder}"

    def told(*changes: str) -> list[str]:
        lines: list[str] = []
        prepare(toy_recipe(*changes), open_sources(toy_recipe(*changes).data, "toy", silent), lines.append)
        return lines

    # A step too many or too few is rounding.
    assert told(store({"train1": 17, "val0": 15})) == []
    assert told(store({"train1": 18, "val0": 12})) == [
        "features of 2 videos are not as long as annotated: train1 (18 s, annotated 16 s), val0 (12 s, annotated 16 s)"
    ]
    (many,) = told(store({f"train{number}": 20 for number in range(7)}))
    assert many.startswith("features of 7 videos are not as long as annotated: train0 (20 s, annotated 16 s), ")
    assert many.endswith(", train4 (20 s, annotated 16 s), ...")
    for changed in ({"train1": 25, "val0": 14}, {"val0": 10}):
        video, steps = next(iter(changed.items()))
        apart = store(changed)
        with pytest.raises(InputError, match=rf"are not nearly as long as annotated: {video} \({steps} s, "):
            train(toy_recipe(apart), tmp_path / "run", silent)
        assert len(told(apart, "data.length_factor=2")) == 1
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


def test_a_classification_of_didemo_ranks_21_clips_of_every_video(
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
    toy = toy_recipe().to_dict()
    files = {"dataset": "didemo", "root": str(tmp_path), "features": {"toy": str(store.folder)}}
    recipe = Recipe.from_dict(
        {
            **toy,
            "data": {**toy["data"], **files},
            "observation": {"kind": "pieces", "steps": 24},
            "network": {**toy["network"], "head": "classification"},
            "overlap": 1.0,
        }
    )
    train(recipe, tmp_path / "run", silent)
    paths, _, sources = open_run(tmp_path / "run", [], silent)
    model = TrainedModel.load(paths, sources.words)
    records = sources.records("val").records
    answers = answer_split(model, records, sources.store)
    assert [len(answer.moments) for answer in answers] == [21] * 8
    assert all(sum(moment.score for moment in answer.moments) == pytest.approx(1) for answer in answers)
    evaluation = asst.evaluate("didemo", records, answers)
    logged = RunFolder(tmp_path / "run").log()
    best = max(line["validate/rank@1"] for line in logged)
    assert 100 * evaluation.metrics["rank@1"].mean == pytest.approx(best, abs=1e-4)
