"""``asst audit`` and ``asst evaluate --model`` as their user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.features.stores.native import Store

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated"),
]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_an_audit_prints_spreads_leaks_and_the_prior(toy: Path) -> None:
    done = run("audit", "jsonlines", "--data", str(toy / "annotation"))
    assert done.exit_code == 0, done.output
    assert "jsonlines train: 48 queries, 24 videos" in done.stdout
    assert "jsonlines val: the prior of train" in done.stdout
    assert "what splits have in common" in done.stdout
    assert done.stderr == "jsonlines: no files of test, all, corrections\n"
    found = json.loads(run("audit", "jsonlines", "--data", str(toy / "annotation"), "--json").stdout)
    assert found["splits"]["val"]["queries"] == 16
    assert found["leaks"][0]["videos"] == 0
    assert found["leaks"][0]["sentences"] == 1.0
    # The half of the video that a sentence means is anyone's guess, to which one answer is given.
    assert found["prior"][0]["r@1,iou=0.5"] <= 60


def test_a_prior_is_fitted_and_judged_in_one_command(shared_data: Path) -> None:
    words = ["evaluate", "--model", "prior", "--dataset", "didemo", "--fit-split", "val", "--split", "test", "--json"]
    done = run(*words, "--data", str(shared_data / "didemo"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [round(found[key], 2) for key in ("rank@1", "rank@5", "miou")] == [19.40, 68.12, 25.42]


@pytest.mark.parametrize("protocol", ["standard", "tall"])
def test_a_checkpoint_is_judged_on_given_features_by_its_own_protocol(
    protocol: str, toy: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = {key: settings[key] for key in ("data", "observation")}
    Path("cca.yaml").write_text(yaml.safe_dump({**own, "method": "cca", "protocol": protocol}))
    trained = run("train", "cca.yaml", "--run", "run")
    assert trained.exit_code == 0, trained.output
    assert trained.stdout.startswith("fitted in ")
    judged = json.loads(run("evaluate", "run", "--split", "val", "--json").stdout)
    checkpoint = "run/checkpoints/best.safetensors"
    words = ["evaluate", "--model", checkpoint, "--dataset", "jsonlines", "--split", "val", "--json"]
    words += ["--data", str(toy / "annotation")]
    store = str(toy / "features")
    done = run(*words, "--store", store, "--out", "answers.jsonl")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == judged
    assert ("judged by protocol tall, as cca is" in done.stderr) == (protocol == "tall")
    again = run("evaluate", "answers.jsonl", *words[3:], "--protocol", protocol)
    assert json.loads(again.stdout) == judged
    # The same numbers as the field has them: several arrays a video, of which --key names the right one.
    kept = Store(Path(store))
    Path("archive").mkdir()
    for video in kept.videos():
        features = kept.read(video)
        np.savez(Path("archive") / f"{video}.npz", wrong=features.vectors[:, :1], right=features.vectors)
    archive = ["--store", "archive", "--step-s", str(features.step_s)]
    assert json.loads(run(*words, *archive, "--key", "right").stdout) == judged
    assert run(*words, *archive, "--key", "none").exit_code == 2
    for more, message in (
        ([], "reads features of toy; give --store STORE once"),
        (["--store", store, "--store", store], "reads features of toy; give --store STORE once"),
        (["--store", store, "--fit-split", "train"], "--fit-split goes with --model prior"),
    ):
        refused = run(*words, *more)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert message in refused.stderr
    # What says nothing of what is asked is refused, as it would not be heeded.
    for asked, more in (
        (["run"], ["--store", store]),
        (["run"], ["--data", str(toy / "annotation")]),
        (["run"], ["--result", "out.json", "--recipe", "r", "--features", "f"]),
        (["run"], ["--out", "out.jsonl"]),
        (["answers.jsonl", *words[3:]], ["--set", "overlap=1"]),
        (["answers.jsonl", *words[3:]], ["--fit-split", "train"]),
    ):
        refused = run("evaluate", *asked, "--split", "val", *more)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert f"{more[0]} goes with " in refused.stderr
    half = run("evaluate", "answers.jsonl", *words[3:], "--recipe", "didemo/fusion")
    assert "give --recipe NAME and --features NAME with it" in half.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["audit", "kinetics"], "no data set 'kinetics'; there are didemo"),
        (["audit", "jsonlines", "--data", "HERE"], "no annotation with a usable record in "),
        (["evaluate", "--dataset", "tacos"], "what is to be judged?"),
        (["evaluate", "x.jsonl", "--model", "prior"], "what is to be judged?"),
        (["evaluate", "--model", "prior", "--dataset", "jsonlines", "--split", "val"], "give --fit-split"),
        (["evaluate", "--model", "gone.safetensors", "--dataset", "jsonlines", "--split", "val"], "no checkpoint at"),
        (["evaluate", "--model", "clipp", "--dataset", "jsonlines", "--split", "val"], "no model is called 'clipp'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(toy: Path, tmp_path: Path, words: list[str], message: str) -> None:
    words = [str(tmp_path) if word == "HERE" else word for word in words]
    if "jsonlines" in words and "--data" not in words:
        words += ["--data", str(toy / "annotation")]
    done = run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr.splitlines()[-1]
