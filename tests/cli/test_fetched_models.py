"""A model that was fetched by name, everywhere that a model can be named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.features.image_text.hub import IMAGE_TEXT
from asst.features.zeroshot.space import concept_data
from asst.library.corrections import Corrections
from asst.library.library import Library

from ..caption_pictures import shapes
from ..caption_pictures import write as write_pictures
from ..hub_server import Hub, serving
from ..tiny_clip import WORDS, exported, fetched

NAME, OTHER = "clip-b32", "siglip-base"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """A tiny model for ONNX Runtime that knows the words of the sentences that every model reads."""
    words = {word for texts in concept_data().values() for text in texts for word in text.split()}
    return exported(tmp_path_factory.mktemp("hub"), "clip", sorted(words - {*WORDS}))


@pytest.fixture
def here(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights that holds it."""
    weights = tmp_path / "weights"
    monkeypatch.setenv("ASST_WEIGHTS", str(weights))
    shutil.copytree(published, weights / NAME)
    fetched(weights / NAME)
    return weights


@pytest.fixture
def hub(published: Path) -> Iterator[Hub]:
    with serving({IMAGE_TEXT[NAME].repository: published}) as served:
        yield served


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def said(*words: str | Path) -> str:
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*words: str | Path) -> str:
    done = run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


def asst(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as what the hub is called is read when one starts."""
    own = {**os.environ, "HF_HOME": environment["ASST_WEIGHTS"] + "-hf", **environment}
    return subprocess.run([sys.executable, "-m", "asst", *words], capture_output=True, text=True, env=own)


def test_a_model_is_fetched_from_the_hub_that_the_environment_names(hub: Hub, tmp_path: Path) -> None:
    there = {"ASST_WEIGHTS": str(tmp_path / "weights"), "HF_ENDPOINT": hub.address}
    lacking = asst("models", "get", NAME, **there, HF_HUB_OFFLINE="1")
    assert (lacking.returncode, lacking.stdout) == (2, "")
    assert lacking.stderr == f"asst: HF_HUB_OFFLINE is set, so {NAME} cannot be fetched; unset it\n"
    assert not hub.asked
    done = asst("models", "get", NAME, "--json", **there)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["repository"] == IMAGE_TEXT[NAME].repository
    # What is there needs no hub.
    again = asst("models", "get", NAME, **there, HF_HUB_OFFLINE="1")
    assert again.stdout.startswith(f"{NAME} is in {there['ASST_WEIGHTS']}/{NAME}: 6 files, ")
    listed = [json.loads(line) for line in asst("models", "--json", **there).stdout.splitlines()]
    assert {record["name"]: record["here"] for record in listed if record["name"] in IMAGE_TEXT} == {
        name: name == NAME for name in IMAGE_TEXT
    }


def test_a_name_that_is_none_is_refused(here: Path) -> None:
    told = refused("models", "get", "nothing")
    assert told.startswith("asst: no model that can be fetched is called 'nothing'; choose one of tinyclip, ")


def test_a_video_and_a_library_are_asked_by_it(here: Path, street: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    answer = json.loads(said("locate", street, "a dog runs", "--model", NAME, "--min-score", "0", "--json"))
    assert answer["model"] == NAME
    assert said("index", street, "--library", library, "--model", NAME).startswith("of 1 video indexed 1 ")
    status = json.loads(said("library", "status", "--library", library, "--json"))
    assert (status["model"], status["extractor"]) == (NAME, NAME)
    # The library's own model is asked where none is named.
    wanted = ("search", "a dog runs", "--library", library, "--min-score", "0", "--json")
    own, named = said(*wanted), said(*wanted, "--model", NAME)
    assert own == named
    best = json.loads(own.splitlines()[0])
    for key in ("start_s", "end_s", "score"):
        assert best[key] == pytest.approx(answer["moments"][0][key], abs=1e-3)
    assert "1 was there already" in said("index", street, "--library", library)
    told = refused(*wanted, "--model", "default")
    assert f"was made with the model {NAME}, and default reads other numbers; use --model {NAME}" in told
    assert f"was made with the model {NAME}" in refused("index", street, "--library", library, "--model", "similarity")
    assert said("index", street, "--library", library, "--model", "default", "--rebuild").startswith("of 1 video")
    assert json.loads(said("library", "status", "--library", library, "--json"))["model"] == "default"
    # Models that read the same features may ask.
    said(*wanted, "--model", "similarity")


def test_processes_that_index_make_the_same_features(here: Path, street: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for number, path in enumerate(files):
        path.write_bytes(street.read_bytes() + bytes(number))
    said("index", files[0], "--library", tmp_path / "one", "--model", NAME)
    said("index", *files, "--library", tmp_path / "two", "--model", NAME, "--workers", "2")
    wanted = ("search", "a dog runs", "--min-score", "0", "--json", "--in", "a.mp4", "--library")
    assert said(*wanted, tmp_path / "one") == said(*wanted, tmp_path / "two")


def test_what_is_not_there_is_told(here: Path, street: Path, tmp_path: Path) -> None:
    told = f"asst: {OTHER} is not in {here}; fetch it: asst models get {OTHER}\n"
    assert refused("locate", street, "a dog", "--model", OTHER) == told
    assert refused("index", street, "--library", tmp_path / "library", "--model", OTHER) == told
    assert refused("serve", street, "--library", tmp_path / "library", "--model", OTHER) == told


def test_a_folder_is_a_model_too(here: Path, street: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    said("index", street, "--library", library, "--model", here / NAME)
    assert json.loads(said("library", "status", "--library", library, "--json"))["model"] == str(here / NAME)
    said("search", "a dog runs", "--library", library, "--min-score", "0")


def test_corrections_of_its_answers_are_learnt_from(
    here: Path, street: Path, tmp_path: Path, few_tapes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reranker in its space, from captioned pictures; then from what a user of the library said."""
    monkeypatch.chdir(tmp_path)
    steps = ["training.steps=2", "training.interval=2", "training.batch=2"]
    rows = shapes(range(8))
    write_pictures(
        tmp_path / "pictures",
        [{**row, "id": f"clip {i // 2}", "group": f"clip {i // 2}", "frame": i % 2} for i, row in enumerate(rows)],
    )
    held = [f"data.tapes.holdout.{name}=0" for name in ("flickr8k", "msrvtt", "coco", "coco_sample")]
    tapes = [f"data.tapes.extractor={NAME}", *few_tapes, "data.root=pictures"]
    chosen = [*tapes, *held, "data.tapes.holdout.shapes=24", *steps]
    said("train", "default_clip", *chosen, "--run", "first")
    start = "first/checkpoints/best.safetensors"
    said("index", street, "--library", "library", "--model", NAME)
    library = Library("library")
    (video,) = library.tables.videos()
    Corrections(library).add(video.content, "a dog runs", "span", (2.0, 4.0))
    Path("corrections.jsonl").write_text(Corrections(library).annotation()[0])
    data = ["data.root=.", "data.features.seen=library/features"]
    said("train", "finetune", f"start={start}", *data, *steps, "--run", "second")
    learnt = "second/checkpoints/best.safetensors"
    said("search", "a dog runs", "--library", "library", "--min-score", "0", "--model", learnt)
    told = refused("train", "finetune", *data, *steps, "--run", "third")
    assert NAME in told
