"""A reranker adapted to corrections of real answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import asst
from asst.cli.app import app
from asst.errors import InputError
from asst.features.stores.native import Provenance, Store
from asst.features.zeroshot.captions import CaptionExtractor
from asst.library.engine import engine_of
from asst.library.index import index
from asst.library.library import Library
from asst.library.search import search
from asst.models.checkpoint import load_checkpoint, read_description
from asst.models.reranked import RerankedModel, Scope
from asst.moments import iou
from asst.training.recipe import read_recipe
from asst.training.run import train

RECIPE = "finetune"
SIZES = {"dilation_channels": 16, "channels": 16, "language_channels": 16, "attention_channels": 8}
SENTENCES = ("a taxi sign on top of a car", "bicycles chained to a railing", "people in the street")


@pytest.fixture(scope="module")
def start(untrained_reranker: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that learnt nothing, as one of tapes."""
    return untrained_reranker(tmp_path_factory.mktemp("start") / "start.safetensors", SIZES)


@pytest.fixture
def settings(start: Path, tmp_path: Path, extractor: CaptionExtractor, street_features: asst.Features) -> list[str]:
    """Corrections of three answers in one video, to spans that the model would not choose."""
    store = Store(tmp_path / "features")
    store.write("street", street_features, Provenance("", "street", extractor.weights))
    spans = ((7.5, 10.0), (0.0, 1.25), (5.5, 7.5))
    rows = [
        {"video": "street", "duration": 10.0, "sentence": sentence, "moments": [span]}
        for sentence, span in zip(SENTENCES, spans, strict=True)
    ]
    (tmp_path / "corrections.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    features = f"data.features.seen={store.folder}"
    steps = ["frozen=[]", "training.steps=60", "training.interval=60", "training.batch=6", "training.precision=float32"]
    return [f"start={start}", f"data.root={tmp_path}", features, *steps, "optimizer.learning_rate=5e-3"]


def test_what_was_corrected_is_learnt_and_which_shot_is_meant_stays(
    settings: list[str], tmp_path: Path, start: Path, street_features: asst.Features
) -> None:
    done = train(read_recipe([RECIPE], settings), tmp_path / "run", lambda _: None)
    assert read_description(done.folder.best).origin == "real"
    truths = ((7.5, 10.0), (0.0, 1.25), (5.5, 7.5))

    def spans(path: Path, scope: Scope | None = None) -> list[tuple[float, float]]:
        rankings = RerankedModel.load(path, scope=scope).rank(street_features, SENTENCES, top=1)
        return [(ranking.ranked[0].start_s, ranking.ranked[0].end_s) for ranking in rankings]

    def right(path: Path) -> int:
        found = spans(path, "everything")
        return sum(iou([span], [truth])[0, 0] > 0.5 for span, truth in zip(found, truths, strict=True))

    assert right(start) < right(done.folder.best) == len(truths)
    # A reranker that began with tapes still leaves the choice among shots to what needs no training.
    shots, before = (
        np.searchsorted(street_features.cuts_s, np.mean(spans(own), axis=1)) for own in (done.folder.best, start)
    )
    assert shots.tolist() == before.tolist()


def test_a_run_and_its_checkpoint_and_a_packaged_model_are_judged(
    settings: list[str], tmp_path: Path, street_features: asst.Features
) -> None:
    short = ["training.steps=2", "training.interval=2"]
    done = train(read_recipe([RECIPE], [*settings, *short]), tmp_path / "run", lambda _: None)
    row = {"video": "street", "duration": 10.0, "sentence": SENTENCES[0], "moments": [[7.5, 10.0]]}
    (tmp_path / "test.jsonl").write_text(json.dumps(row) + "\n")
    asked = ["--dataset", "jsonlines", "--split", "test", "--data", str(tmp_path), "--json"]
    features = ["--store", str(tmp_path / "features")]

    def evaluate(*words: str) -> Result:
        return CliRunner().invoke(app, ["evaluate", *words])

    judged = evaluate(str(tmp_path / "run"), "--split", "test", "--json")
    assert judged.exit_code == 0, judged.output
    kept = json.loads((tmp_path / "run" / "predictions" / "test.jsonl").read_text())
    (expected,) = asst.load(done.folder.best).model.rank(street_features, [SENTENCES[0]], top=25)
    assert [moment["score"] for moment in kept["moments"]] == [moment.score for moment in expected.ranked]
    again = evaluate("--model", str(done.folder.best), *asked, *features)
    assert json.loads(again.stdout) == json.loads(judged.stdout)
    for name in ("default", "similarity"):
        packaged = evaluate("--model", name, *asked, *features, "--out", str(tmp_path / "answers.jsonl"))
        assert packaged.exit_code == 0, packaged.output
        said = json.loads((tmp_path / "answers.jsonl").read_text())
        (expected,) = asst.load(name).model.rank(street_features, [SENTENCES[0]], top=25)
        assert (said["model"], len(said["moments"])) == (name, len(expected.ranked))
        assert said["moments"][0]["score"] == expected.ranked[0].score
        assert json.loads(packaged.stdout)["queries"] == 1
    refused = evaluate("--model", "default", *asked)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "default reads features of captions; give --store STORE once" in refused.stderr


def test_a_library_is_searched_with_what_was_learnt(
    start: Path, tmp_path: Path, street: Path, street_features: asst.Features
) -> None:
    engine, default = engine_of(start), engine_of()
    assert engine.model.name == "start.safetensors"
    assert engine.identity == default.identity
    library = Library.made(tmp_path / "library", engine.identity)
    assert [done.state for done in index([street], library, default)] == ["indexed"]
    found = search(library, engine, SENTENCES[0], top=3).moments
    (expected,) = asst.load(start).locate(street_features, [SENTENCES[0]], top=3)
    assert [(m.start_s, m.end_s) for m in found] == [(m.start_s, m.end_s) for m in expected]
    done = CliRunner().invoke(
        app, ["search", SENTENCES[0], "--library", str(library.folder), "--model", str(tmp_path / "none.safetensors")]
    )
    assert done.exit_code == 2
    assert "none.safetensors" in done.stderr


def test_what_is_frozen_stays(settings: list[str], tmp_path: Path, start: Path) -> None:
    short = ["frozen=[network]", "training.steps=4", "training.interval=2"]
    done = train(read_recipe([RECIPE], [*settings, *short]), tmp_path / "run", lambda _: None)
    before, after = load_checkpoint(start)[1], load_checkpoint(done.folder.best)[1]
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"scale", "facts.0.weight", "facts.0.bias", "facts.2.weight", "facts.2.bias"}
    assert done.parameters == sum(before[name].size for name in changed)
    with pytest.raises(InputError, match="has no part 'attention' to freeze; it has network, facts"):
        train(read_recipe([RECIPE], [*settings, "frozen=[attention]"]), tmp_path / "other", lambda _: None)


def test_a_validation_part_that_no_candidate_holds_anything_of_is_refused(settings: list[str], tmp_path: Path) -> None:
    row = {"video": "street", "duration": 14.0, "sentence": SENTENCES[0], "moments": [[13.0, 14.0]]}
    (tmp_path / "val.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError, match="no proposal holds anything of the annotated moments of val; check"):
        train(read_recipe([RECIPE], [*settings, "data.validate=val"]), tmp_path / "run", lambda _: None)
    assert not (tmp_path / "run").exists()


def test_a_start_that_does_not_fit_is_refused(settings: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave network out"):
        read_recipe([RECIPE], [*settings, "network.channels=16"])
    with pytest.raises(InputError, match=r"learns from data\.tapes, or from one stream"):
        read_recipe([RECIPE], [*settings[:2], "data.streams=[]"])
    other = [*settings, "method=asst", "observation.kind=whole"]
    with pytest.raises(InputError, match="holds reranker, and the method is asst"):
        train(read_recipe([RECIPE], other), tmp_path / "other", lambda _: None)


def test_a_reranker_reads_no_tokens_of_queries(settings: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a reranker reads words, not tokens; leave data\.words out"):
        train(read_recipe([RECIPE], [*settings, f"data.words={tmp_path}"]), tmp_path / "run", lambda _: None)
