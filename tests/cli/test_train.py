"""``asst train``, ``asst evaluate RUN`` and ``asst simulate`` as their user types them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from asst.cli.app import app
from asst.data import ACTION_DATASETS, DATASETS, read_dataset
from asst.data.observations import OBSERVATIONS
from asst.evaluation.results import read_result
from asst.features.stores.native import Store
from asst.models.methods.table import METHODS
from asst.simulate.features.settings import LEVELS
from asst.training.simulation import settings_of, simulate

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated"),
]


def test_a_run_is_trained_evaluated_and_found_by_the_tables(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = CliRunner().invoke(app, ["train", str(recipe_file), "training.steps=3", "--evaluate", "tset"])
    assert "has no split 'tset'" in wrong.stderr
    assert not Path("runs").exists()
    trained = CliRunner().invoke(app, ["train", str(recipe_file), "training.seed=4", "training.steps=3"])
    assert trained.exit_code == 0, trained.output
    assert "trained 3 steps" in trained.stdout
    assert "step 3 of 3: loss" in trained.stderr
    run = Path("runs/toy/seed4")
    assert (run / "checkpoints" / "best.safetensors").exists()

    judged = CliRunner().invoke(app, ["evaluate", str(run), "--split", "val", "--json"])
    assert judged.exit_code == 0, judged.output
    figures = json.loads(judged.stdout)
    assert figures["queries"] == 16
    result = read_result(run / "results" / "val.json")
    assert (result.recipe, result.data, result.extractor) == ("toy", "real", "toy")
    assert result.metrics["miou"].mean == figures["miou"]

    assert "warning" not in judged.stderr
    known = CliRunner().invoke(app, ["evaluate", str(run), "--split", "train", "--json"])
    assert "warning: toy learnt from jsonlines train; on train it answers from memory" in known.stderr

    # What it answered is kept, and judged the same.
    predictions = run / "predictions" / "val.jsonl"
    data = str(recipe_file.parents[1] / "nowhere")
    again = ["evaluate", str(predictions), "--dataset", "jsonlines", "--split", "val", "--json", "--data"]
    assert CliRunner().invoke(app, [*again, data]).exit_code == 2
    annotation = json.loads(json.dumps(_root(recipe_file)))
    assert json.loads(CliRunner().invoke(app, [*again, annotation]).stdout)["miou"] == figures["miou"]

    # One that was broken off is judged too, and told apart.
    settings = run / "recipe.yaml"
    settings.write_text(settings.read_text().replace("\n  steps: 3\n", "\n  steps: 9\n"))
    short = CliRunner().invoke(app, ["evaluate", str(run), "--split", "val", "--json"])
    assert f"warning: {run} has stopped after 3 of 9 steps" in short.stderr
    assert read_result(run / "results" / "val.json").changes == "stopped after 3 of 9 steps"


def test_several_seeds_are_trained_judged_and_summed_up(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["train", str(recipe_file), "training.seeds=1,3", "training.steps=2", "training.interval=2"]
    done = CliRunner().invoke(app, [*words, "--evaluate", "val", "--json"])
    assert done.exit_code == 0, done.output
    *trained, judged = (json.loads(line) for line in done.stdout.splitlines())
    assert [own["run"] for own in trained] == ["runs/toy/seed1", "runs/toy/seed3"]
    each = [judged["runs"][name]["miou"] for name in ("seed1", "seed3")]
    assert each[0] != each[1]
    # As many decimals as any other figure in per cent.
    assert judged["mean"]["miou"] == round(judged["mean"]["miou"], 4) == pytest.approx(sum(each) / 2, abs=1e-4)
    assert judged["spread"]["miou"] == pytest.approx(abs(each[0] - each[1]) / 2**0.5, abs=1e-4)
    assert [
        read_result(Path(f"runs/toy/{name}/results/val.json")).metrics["miou"].mean for name in judged["runs"]
    ] == each
    again = CliRunner().invoke(app, ["evaluate", "runs/toy", "--split", "val"])
    lines = [line.split() for line in again.stdout.splitlines()]
    assert lines[1] == ["metric", "mean", "spread", "seed1", "seed3", "prior"]
    assert [line[3:5] for line in lines if line[0] == "miou"] == [[f"{value:.2f}" for value in each]]


def test_training_ends_early_where_nothing_gets_better(recipe_file: Path, tmp_path: Path) -> None:
    words = ["optimizer.learning_rate=1e-12", "training.steps=20", "training.interval=2", "training.patience=2"]
    done = CliRunner().invoke(app, ["train", str(recipe_file), *words, "--run", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert "trained 6 steps" in done.stdout
    assert "no better checkpoint for 2 intervals" in done.stderr


def _root(recipe_file: Path) -> str:
    import yaml

    return str(yaml.safe_load(recipe_file.read_text())["data"]["root"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["training.seed=1"], "which recipe? name one of 'asst recipes', or a YAML file"),
        (["absent.yaml"], "cannot read absent.yaml"),
        (["RECIPE", "training.sead=1"], "training.sead: no such setting"),
        (["RECIPE", "data.root=/nowhere"], "nowhere"),
        (["RECIPE", "--device", "tpu"], "PyTorch has no device 'tpu' here, only "),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["train", *(str(recipe_file) if word == "RECIPE" else word for word in words)])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([], "recipe charades_sta/c3d needs features of c3d: give data.features.c3d=STORE"),
        (["data.features.c3d=absent"], "no feature store at absent; extract features or name another path"),
    ],
)
def test_a_missing_store_is_told_before_what_trains_is_loaded(
    monkeypatch: pytest.MonkeyPatch, changes: list[str], message: str
) -> None:
    monkeypatch.setitem(sys.modules, "asst.training.run", None)
    done = CliRunner().invoke(app, ["train", "charades_sta/c3d", *changes])
    assert (done.exit_code, done.stderr) == (2, f"asst: {message}\n")


def test_a_run_is_asked_for_its_split_and_must_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path)])
    assert (done.exit_code, "which part of the data?" in done.stderr) == (2, True)
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--split", "val"])
    assert (done.exit_code, "is no folder of a run" in done.stderr) == (2, True)
    monkeypatch.chdir(tmp_path)
    for run in ("runs/b/seed0", "runs/a/seed1"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "recipe.yaml").touch()
    done = CliRunner().invoke(app, ["evaluate", "runs/a/seed0", "--split", "val"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "there are runs/a/seed1, runs/b/seed0\n" in done.stderr


def test_simulated_features_are_made_once_for_every_video_of_both_splits(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = read_dataset("charades_sta", shared_data / "charades_sta", "test").video_names[:3]
    monkeypatch.setattr("asst.training.simulation.used_videos", lambda root, split: few if split == "test" else ())
    key, settings = "charades_sta", settings_of("charades_sta", "flow", "easy", dimension=16)
    store = Store(tmp_path / "store")
    said: list[str] = []
    assert simulate(key, settings, shared_data / "charades_sta", store, said.append) == 3
    assert store.videos() == tuple(sorted(few))
    assert store.read(few[0]).extractor == "simulated-flow-easy"
    assert simulate(key, settings, shared_data / "charades_sta", store, said.append) == 0
    wrong = CliRunner().invoke(app, ["simulate", str(tmp_path / "x"), "--modality", "audio"])
    assert wrong.exit_code == 2
    assert "choose one of rgb, flow, c3d" in wrong.stderr


def test_recipes_are_listed_printed_and_their_keys_told() -> None:
    listed = [json.loads(line) for line in CliRunner().invoke(app, ["recipes", "--json"]).stdout.splitlines()]
    needs = {row["recipe"]: row["needs"] for row in listed}
    assert needs["charades_sta/two_stream"] == "data.features.rgb=STORE data.features.flow=STORE"
    assert needs["simulated/small"] == "goes on top of another recipe"
    printed = CliRunner().invoke(app, ["recipes", "charades_sta/c3d", "simulated/small", "training.steps=9"]).stdout
    assert "steps: 9\n" in printed
    assert "level: crowded" in printed
    told = CliRunner().invoke(app, ["recipes", "--keys"]).stdout
    assert set(re.findall(r"`([A-Z]\w+|asst\.\w+)`", told)) == {"ASST_GLOVE"}
    for names in (METHODS, DATASETS, ACTION_DATASETS, OBSERVATIONS, LEVELS):
        assert all(f"`{name}`" in told for name in names)
    assert re.search(r"training\.interval +500 +steps from one validation", told)
