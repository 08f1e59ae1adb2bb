"""Features and tokens that others made: a recipe line each, a training of two steps, and its evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.data.query_tokens import QueryTokens
from asst.training.recipe import Data, read_recipe
from asst.training.sources import open_sources

from .field_forms import CLIP, FORMS, SLOWFAST, VGG, WIDTHS, Form, Numbers, moment_detr, numbers, tall, tensors, written

pytestmark = pytest.mark.usefixtures("one_thread")


def typed(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def refused(*words: str | Path) -> str:
    done = typed(*words)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_trained_on_and_judged(
    tmp_path: Path, form: Callable[[Path], Form], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = form(tmp_path)
    recipe = written(made, tmp_path)
    trained = typed("train", recipe, "--run", "run")
    assert trained.exit_code == 0, trained.output
    # The lengths of features fit those of the annotation.
    assert "not as long as annotated" not in trained.stderr
    judged = typed("evaluate", "run", "--split", made.split, "--json")
    assert judged.exit_code == 0, judged.output
    assert json.loads(judged.stdout)["queries"] == made.queries
    sources = open_sources(read_recipe([recipe]).data, "test", print)
    features = sources.store.read(sources.records(made.split).records[0].video)
    assert (len(features.vectors), features.dimension) == (made.steps, made.dimension)
    assert features.step_s == pytest.approx(made.step_s)
    assert features.extractor == "+".join(made.data["streams"])


def test_streams_and_tokens_are_what_moment_detr_makes_of_the_files(tmp_path: Path) -> None:
    sources = open_sources(read_recipe([written(moment_detr(tmp_path), tmp_path)]).data, "test", print)

    def of_unit_length(rows: Numbers) -> Numbers:
        unit: Numbers = rows / (np.linalg.norm(rows, axis=-1, keepdims=True) + 1e-5)
        return unit

    parts = [of_unit_length(numbers(75, SLOWFAST)), of_unit_length(numbers(77, CLIP))[:75]]
    read = sources.store.read("c_0.0_150.0").vectors
    np.testing.assert_allclose(read, np.concatenate(parts, axis=1), rtol=1e-5, atol=1e-7)
    records = sources.records("train").records
    assert isinstance(sources.words, QueryTokens)
    found = sources.words.of(records)
    hidden = np.load(tmp_path / "clip_text_features" / "qid8738.npz")["last_hidden_state"].astype(np.float32)
    np.testing.assert_allclose(found[1], of_unit_length(hidden), rtol=1e-5)


def test_windows_of_tall_stand_at_their_times(tmp_path: Path) -> None:
    sources = open_sources(read_recipe([written(tall(tmp_path), tmp_path)]).data, "test", print)
    features = sources.store.read("s13-d21.avi")
    # Each vector holds its window's first frame: it is that of a window about the step's middle.
    middles = features.times_s * 29.4
    inside = (middles > 65) & (middles < 2860)
    assert inside.sum() > 100
    np.testing.assert_allclose(features.vectors[inside, 0] + 64, middles[inside], atol=13)
    assert features.vectors[0, 0] == 1
    assert features.end_s * 29.4 == pytest.approx(2937, abs=13)


def wrong_step(root: Path, data: dict[str, Any]) -> None:
    data["step_s"] = 1


def no_step(root: Path, data: dict[str, Any]) -> None:
    del data["step_s"]


def no_video(root: Path, data: dict[str, Any]) -> None:
    (root / "clip_features" / "c_0.0_150.0.npz").unlink()


def other_videos(root: Path, data: dict[str, Any]) -> None:
    for path in (root / "clip_features").iterdir():
        path.rename(path.with_name(f"v_{path.name}"))


def other_dimension(root: Path, data: dict[str, Any]) -> None:
    np.savez(root / "clip_features" / "c_0.0_150.0.npz", features=numbers(75, 768))


def other_length(root: Path, data: dict[str, Any]) -> None:
    np.savez(root / "clip_features" / "a_0.0_150.0.npz", features=numbers(60, CLIP))


def other_key(root: Path, data: dict[str, Any]) -> None:
    data["features"]["clip"]["key"] = "image_features"


def no_qid(root: Path, data: dict[str, Any]) -> None:
    (root / "clip_text_features" / "qid8738.npz").unlink()


def narrow_tokens(root: Path, data: dict[str, Any]) -> None:
    path = root / "clip_text_features" / "qid2579.npz"
    np.savez(path, last_hidden_state=numbers(6, 300))


def no_tokens(root: Path, data: dict[str, Any]) -> None:
    data["words"]["key"] = "tokens"


def by_order(root: Path, data: dict[str, Any]) -> None:
    data["words"]["by"] = "order"


def none_of_them(root: Path, data: dict[str, Any]) -> None:
    data["words"]["most"] = 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (wrong_step, r"features of 3 videos are not nearly as long as annotated: a_0.0_150.0 (75 s, annotated 150 s)"),
        (no_step, "slowfast_features does not say how long a step is; give the step in seconds"),
        (no_video, "1 video has no features: c_0.0_150.0; extract them"),
        (other_videos, "(the store has "),
        (other_dimension, "c_0.0_150.0.npz: dimension 768, where other videos have 512"),
        (other_length, "slowfast and clip cover different times: Features(75 steps of 2 s"),
        (other_key, "it holds no array image_features; name one of features"),
        (no_qid, "1 query has no tokens: qid8738 ("),
        (narrow_tokens, "qid2579: 300 numbers in a token, where other queries have 512"),
        (no_tokens, "it holds no array tokens; name one of last_hidden_state, pooler_output"),
        (by_order, "the annotation names its queries (8737); leave data.words.by=order out"),
        (none_of_them, "data.words.most: Input should be greater than or equal to 1"),
    ],
)
def test_what_does_not_fit_is_one_line(
    tmp_path: Path, spoil: Callable[[Path, dict[str, Any]], None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    form = moment_detr(tmp_path)
    spoil(tmp_path, form.data)
    assert message in refused("train", written(form, tmp_path))
    assert not Path("runs").exists()


def test_a_missing_window_is_told_by_its_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    form = tall(tmp_path)
    folder = Path(form.data["features"]["c3d"]["path"])
    recipe = written(form, tmp_path)
    assert "set windows.length to one of 64, 128" in refused("train", recipe, "data.features.c3d.windows.length=100")
    for path in folder.glob("s13-d25.avi_*_*.npy"):
        if 1000 < int(path.stem.split("_")[1]) < 1400:
            path.unlink()
    assert "s13-d25.avi: no window of 128 frames about frame 11" in refused("train", recipe)


class Hostile:
    """An object that would leave a file where it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (Path("ran"),)


def test_a_tensor_file_that_would_run_code_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    form = tensors(tmp_path)
    torch.save(
        {"features": torch.ones(88, VGG), "other": Hostile()},
        tmp_path / form.data["features"]["c3d"]["path"] / "0ABCD.pt",
    )
    assert "0ABCD.pt: it is damaged, or holds more than tensors" in refused("train", written(form, tmp_path))
    assert not Path("ran").exists()


def test_a_checkpoint_of_tokens_is_judged_by_its_run_alone(
    tmp_path: Path, street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = written(moment_detr(tmp_path), tmp_path)
    assert typed("train", recipe, "--run", "run").exit_code == 0
    locate = ("locate", street, "a taxi", "--model", "run/checkpoints/best.safetensors")
    assert "no sentence that is typed; judge it with asst evaluate RUN" in refused(*locate)
    evaluate = ("evaluate", "run", "--split", "val", "--set")
    assert "reads tokens of queries of 512 numbers, and glove.6B.50d have 50" in refused(
        *evaluate, "data.words=packaged"
    )
    # A path moves what it names and leaves the other settings.
    (tmp_path / "clip_text_features").rename(tmp_path / "moved")
    assert "clip_text_features" in refused(*evaluate, "training.seed=0")
    assert typed(*evaluate, f"data.words={tmp_path / 'moved'}").exit_code == 0


def test_the_recipe_for_qvhighlights_takes_the_paths_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    moment_detr(tmp_path)
    recipe = "qvhighlights/slowfast_clip"
    small = [f"network.{name}=8" for name in WIDTHS]
    small += ["training.steps=2", "training.interval=2", "training.batch=2", "data.root=."]
    told = refused("train", recipe, *small)
    assert "needs features of slowfast and clip: give data.features.slowfast=STORE data.features.clip=STORE" in told
    paths = [f"data.features.{name}={name}_features" for name in ("slowfast", "clip")]
    trained = typed("train", recipe, *small, *paths, "data.words=clip_text_features", "--run", "run")
    assert trained.exit_code == 0, trained.output
    kept = read_recipe([Path("run/recipe.yaml")]).data
    assert (kept.features["clip"].normalize, kept.words.most) == (True, 32)
    judged = typed("evaluate", "run", "--split", "val", "--json")
    assert json.loads(judged.stdout)["queries"] == 1


def test_features_of_others_become_a_store_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clip").mkdir()
    np.savez("clip/v.npz", features=numbers(75, CLIP), mask=np.ones(75))
    convert = ("features", "convert", "clip", "store", "--step-s", "2", "--extractor", "clip")
    assert "it holds several arrays; name one of features, mask" in refused(*convert)
    assert typed(*convert, "--key", "features").exit_code == 0
    assert "1 of clip: dimension 512, steps of 2 s" in typed("features", "info", "store").stdout


def test_every_line_in_the_docs_is_one_of_a_recipe() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
    section = page.split("## Features and tokens in other formats")[1].split("\n## ")[0]
    rows = [
        row.split("|")[3].strip().strip("`") for row in section.splitlines() if row.count("|") == 4 and ": {" in row
    ]
    assert len(rows) == 12
    for row in rows:
        data = yaml.safe_load(row if row.startswith("{") else f"{{{row}}}")
        streams = list(data.get("features", {}))
        read = Data.model_validate({"dataset": "charades_sta", "streams": streams, **data})
        assert all(files.path is not None for files in read.features.values())


def test_normalized_features_of_any_store_are_not_taken_for_those_of_an_extractor(
    recipe_file: Path, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    normalized = ("data.features.toy.normalize=true", "data.root=" + str(toy / "annotation"))
    data = read_recipe([recipe_file], normalized).data
    vectors = open_sources(data, "test", print).store.read("val0").vectors
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-3)
    assert typed("train", recipe_file, *normalized, "--run", "run").exit_code == 0
    assert typed("evaluate", "run", "--split", "val").exit_code == 0
    model = ("--model", "run/checkpoints/best.safetensors", "--dataset", "jsonlines", "--split", "val")
    told = refused("evaluate", *model, "--data", toy / "annotation", "--store", toy / "features")
    assert "reads features that its recipe normalizes; judge it with asst evaluate RUN" in told
