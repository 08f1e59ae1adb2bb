"""Training the space of pictures and sentences as its user sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from asst.cli.app import app
from asst.data.readers.captions import decoded, read_captions
from asst.errors import InputError
from asst.features.zeroshot.captions import load_space, pooled_crops
from asst.features.zeroshot.minilm import MiniLM as SentenceEncoder
from asst.training.folder import DivergedError, RunFolder
from asst.training.recipe_files import dumped
from asst.training.space.cache import KeptArrays, keep_hidden, keep_maps
from asst.training.space.module import CaptionModule, class_loss, contrastive_loss
from asst.training.space.run import train_captions
from asst.training.space.samples import CaptionSamples, KeptCaptions, sentences_of, stacked
from asst.training.space.towers import LearningTowers, PictureTower, Towers, towers_with
from asst.training.space_recipe import CaptionRecipe, read_any_recipe
from asst.training.trainer import Trained

from ...caption_pictures import row, shapes, write

pytestmark = pytest.mark.usefixtures("one_thread")


def silent(_: str) -> None:
    """Says nothing."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures of each coloured shape."""
    return write(tmp_path_factory.mktemp("captions") / "data", shapes(range(3)))


@pytest.fixture(scope="module")
def recipe_file(pictures: Path) -> Path:
    path = pictures.parent / "tiny.yaml"
    path.write_text(
        f"method: captions\n"
        f"data: {{root: {pictures}, holdout: {{shapes: 12}}, cache: {pictures.parent / 'cache'}, views: 2}}\n"
        f"network: {{first_block: 20, first_layer: 5}}\n"
        f"training: {{steps: 6, interval: 2, batch: 4, average: 0.5, precision: float32}}\n"
    )
    return path


def recipe(file: Path, *changes: str) -> CaptionRecipe:
    found = read_any_recipe([file], changes)
    assert isinstance(found, CaptionRecipe)
    return found


def test_it_learns_what_the_sentences_say_and_its_file_answers_the_same(recipe_file: Path, tmp_path: Path) -> None:
    run, command = tmp_path / "run", ["train", str(recipe_file), "training.steps=48", "training.interval=24", "--json"]
    done = CliRunner().invoke(app, [*command, "--run", str(run)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["steps"] == 48
    log = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert log[1]["train/loss"] < 0.6 * log[0]["train/loss"]
    # Of twelve pictures chance finds one in twelve.
    assert log[1]["validate/shapes/pictures/r@1"] > 25
    assert log[1]["validate/shapes/sentences/r@1"] > 25
    best = run / "checkpoints" / "best.safetensors"
    assert f"use it by --model {best}" in done.stderr
    space = load_space(best)
    assert (space.description.recipe, space.description.sets) == ("tiny", ("shapes",))
    assert space.description.metrics["r@10"] == max(line["validate/r@10"] for line in log)
    measured = json.loads((run / "retrieval.json").read_text())["shapes/pictures"]["r@1"]
    assert measured["low"] <= measured["mean"] <= measured["high"]


def test_a_run_that_was_broken_off_ends_with_the_weights_of_an_unbroken_one(
    recipe_file: Path, ends_as_unbroken: Callable[..., Trained]
) -> None:
    used = recipe(recipe_file, "network.depth_dropout=0.5", "training.patience=0")
    done = ends_as_unbroken(partial(train_captions, used), 4)
    assert any("kept" in name for name in torch.load(done.folder.state, weights_only=True)["state_dict"])
    assert [line["step"] for line in done.folder.log()] == [2, 4, 6]


def test_a_state_with_other_names_is_refused_and_does_not_begin_anew(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, step = recipe(recipe_file), CaptionModule.training_step

    def broken_off(self: CaptionModule, batch: Any, batch_idx: int) -> torch.Tensor:
        if self.trainer.global_step == 3:
            raise BrokenPipeError
        return step(self, batch, batch_idx)

    with monkeypatch.context() as cut:
        cut.setattr(CaptionModule, "training_step", broken_off)
        with pytest.raises(BrokenPipeError):
            train_captions(used, tmp_path, silent)
    path = RunFolder(tmp_path).state
    state = torch.load(path, weights_only=True)
    state["state_dict"] = {name.replace("method.", "learning."): own for name, own in state["state_dict"].items()}
    torch.save(state, path)
    with pytest.raises(InputError, match=r"of another version \(no method\..*start it in another folder"):
        train_captions(used, tmp_path, silent)


def test_training_ends_when_it_no_longer_gets_better_and_stays_ended(recipe_file: Path, tmp_path: Path) -> None:
    # Of five pictures each is among the ten best: the first interval cannot be beaten.
    used = recipe(recipe_file, "data.holdout.shapes=5", "training.patience=1")
    assert train_captions(used, tmp_path, silent).steps == 4
    log = (tmp_path / "metrics.jsonl").read_text()
    assert train_captions(used, tmp_path, silent).steps == 4
    assert (tmp_path / "metrics.jsonl").read_text() == log


def test_a_training_that_diverges_ends_and_says_so_in_its_folder(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of weights that are not finite is kept; what was before stays, and the same command goes on from it."""
    step = CaptionModule.training_step

    def spoilt(self: CaptionModule, batch: Any, batch_idx: int) -> torch.Tensor:
        if self.trainer.global_step == 3:
            with torch.no_grad():
                self.method.towers.sentences.straight.weight.fill_(torch.nan)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(CaptionModule, "training_step", spoilt)
    with pytest.raises(DivergedError, match="the training diverged after step 3: the loss is nan"):
        train_captions(recipe(recipe_file), tmp_path, silent)
    assert "after step 3" in (tmp_path / "diverged.txt").read_text()
    assert load_space(tmp_path / "checkpoints" / "best.safetensors").description.step == 2
    monkeypatch.undo()
    assert train_captions(recipe(recipe_file), tmp_path, silent).steps == 6
    assert not (tmp_path / "diverged.txt").exists()


def test_weights_that_the_last_step_of_an_interval_spoils_are_not_kept(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    average = CaptionModule.on_train_batch_end

    def spoilt(self: CaptionModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        average(self, outputs, batch, batch_idx)
        self.kept.towers.sentences.narrow.weight[0, 0] = torch.inf

    monkeypatch.setattr(CaptionModule, "on_train_batch_end", torch.no_grad()(spoilt))
    with pytest.raises(DivergedError, match=r"after step 2: .*narrow.weight holds a NaN or an infinity"):
        train_captions(recipe(recipe_file), tmp_path, silent)
    assert not (tmp_path / "checkpoints" / "best.safetensors").exists()


def test_one_held_out_picture_has_no_interval(recipe_file: Path, tmp_path: Path) -> None:
    train_captions(recipe(recipe_file, "data.holdout.shapes=1", "training.steps=2"), tmp_path, silent)
    found = json.loads((tmp_path / "retrieval.json").read_text())["shapes/pictures"]["r@1"]
    assert (found["mean"], found["low"], found["high"]) == (100.0, None, None)


def test_pairs_of_one_group_or_sentence_are_no_wrong_pairs() -> None:
    source = torch.Generator().manual_seed(0)
    pictures, sentences = (torch.nn.functional.normalize(torch.randn(5, 8, generator=source), dim=1) for _ in range(2))
    groups, texts = torch.tensor([0, 0, 1, 2, 3]), torch.tensor([4, 5, 6, 6, 7])
    found = contrastive_loss(pictures, sentences, torch.tensor(20.0), groups, texts)
    products = (20 * pictures @ sentences.T).tolist()
    alike = {(0, 1), (1, 0), (2, 3), (3, 2)}
    slow = 0.0
    for own in range(5):
        others = [other for other in range(5) if (own, other) not in alike]
        for wrong in ([products[own][k] for k in others], [products[k][own] for k in others]):
            slow += float(np.log(np.exp(wrong).sum())) - products[own][own]
    assert float(found) == pytest.approx(slow / 10, rel=1e-5)


def test_classes_are_as_far_apart_as_the_softened_distributions_diverge() -> None:
    logits, published = (3 * torch.randn(4, 7, generator=torch.Generator().manual_seed(seed)) for seed in range(2))
    slow = 0.0
    for own, right in zip(logits.double().tolist(), published.double().tolist(), strict=True):
        shares = [np.exp(np.array(part) / 2) / np.exp(np.array(part) / 2).sum() for part in (own, right)]
        slow += sum(p * (np.log(p) - np.log(q)) for q, p in zip(*shares, strict=True))
    assert float(class_loss(logits, published)) == pytest.approx(4 * slow / 4, rel=1e-5)
    assert float(class_loss(published, published)) == pytest.approx(0, abs=1e-6)


def test_the_weight_of_classes_keeps_those_that_the_published_classifier_tells(
    recipe_file: Path, pictures: Path, tmp_path: Path
) -> None:
    captions = read_captions(pictures)
    shown = np.stack([np.array(decoded(picture, data).resize((96, 96))) for picture, data in captions.images()][::3])

    def logits(tower: Any) -> torch.Tensor:
        found: torch.Tensor = tower.logits(tower.network(torch.from_numpy(shown)).mean((2, 3)))
        return found

    published, moved = logits(PictureTower()), []
    for weight in (0, 5):
        changes = ("training.steps=8", "training.interval=8", "training.batch=8", f"training.classes={weight}")
        used = recipe(recipe_file, *changes)
        run = train_captions(used, tmp_path / str(weight), silent).folder
        moved.append(float(class_loss(logits(towers_with(load_space(run.best).weights()).pictures), published)))
    assert moved[1] < moved[0] / 3


@pytest.fixture(scope="module")
def kept(recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> KeptCaptions:
    """What the towers' frozen parts make of four pictures."""
    folder = tmp_path_factory.mktemp("kept")
    rows = [row("red", "circle", 0), row("blue", "square", 1), row("green", "stripe", 2), row("red", "square", 3)]
    captions = read_captions(write(folder / "data", rows))
    used = recipe(recipe_file, "data.views=3")
    texts = [text for picture in captions.pictures for text in picture.sentences]
    with pytest.MonkeyPatch.context() as patch:
        # Numbers of 32 bits, whatever the machine is fastest in.
        patch.setattr("asst.training.space.cache.fastest_dtype", lambda: torch.float32)
        views = keep_maps(captions, used.data, used.network, folder, progress=False)
        hidden = keep_hidden(texts, used.network, folder, progress=False)
    numbers = [np.arange(2) + 2 * index for index in range(4)]
    return KeptCaptions(captions.pictures, np.arange(4), numbers, views, hidden)


def test_from_what_is_kept_the_towers_see_and_read_what_they_do_from_pixels_and_words(
    recipe_file: Path, kept: KeptCaptions
) -> None:
    towers = LearningTowers(Towers(), recipe(recipe_file).network).eval()
    (image,) = [data for picture, data in read_captions(kept.pictures[1].file.parent).images() if picture.row == 1]
    pixels = decoded(kept.pictures[1], image).resize((341, 256), 3)

    def pooled(maps: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(pooled_crops(maps.permute(0, 2, 3, 1).numpy()))

    with torch.inference_mode():
        seen = towers.embedded(pooled(towers.maps(stacked([kept.views[0][1]]))))
        whole = towers.towers.pictures(pooled(towers.towers.pictures.network(torch.from_numpy(np.array(pixels))[None])))
        read = towers.vectors(sentences_of(kept.hidden, [5, 0, 3]))
    assert torch.nn.functional.cosine_similarity(seen, whole, dim=-1).min() > 0.995
    texts = [text for picture in kept.pictures for text in picture.sentences]
    meanings = SentenceEncoder().encode([texts[5], texts[0], texts[3]])
    with torch.inference_mode():
        placed = towers.towers.sentences.placed(torch.from_numpy(meanings))
    assert (read * placed).sum(dim=1).min() > 0.995


def test_of_an_encoder_of_which_nothing_learns_one_vector_a_sentence_is_kept(recipe_file: Path, tmp_path: Path) -> None:
    used, texts = recipe(recipe_file, "network.first_layer=6"), ["a dog", "a car drives down the road", ""]
    hidden = keep_hidden(texts, used.network, tmp_path, progress=False)
    assert [hidden[index].shape for index in range(3)] == [(1, 384)] * 3
    towers = LearningTowers(Towers(), used.network).eval()
    assert not any(weight.requires_grad for weight in towers.towers.sentences.encoder.parameters())
    with torch.inference_mode():
        read = towers.vectors(sentences_of(hidden, [2, 1]))
        placed = towers.towers.sentences.placed(torch.from_numpy(SentenceEncoder().encode([texts[2], texts[1]])))
    assert (read * placed).sum(dim=1).min() > 0.995


def test_what_a_step_sees_is_a_function_of_its_number(kept: KeptCaptions) -> None:
    samples = CaptionSamples(kept, np.array([3, 1]), 0.75, 1, seed=0)
    drawn = [samples[(epoch, 1)] for epoch in range(30)]
    assert {array.shape for array, _, _ in drawn} == {(6, 6, kept.views[0][0].shape[2])}
    assert {group for _, group, _ in drawn} == {1}
    assert {tuple(texts) for _, _, texts in drawn} == {(2,), (3,)}
    assert len({array.tobytes() for array, _, _ in drawn}) > 10
    again = samples[(7, 1)]
    assert np.array_equal(again[0], drawn[7][0])
    assert again[2] == drawn[7][2]
    batch = samples.collate([samples[(0, 0)], samples[(0, 1)]])
    assert batch.maps.shape == (2, kept.views[0][0].shape[2], 6, 6)
    assert batch.groups.tolist() == [3, 1]
    assert batch.texts.shape == (1, 2)
    # A mirrored view is another picture; a crop is neither.
    plain, mirrored, crop = (view[0].astype(float) for view in kept.views)
    assert abs(plain[:, ::-1] - mirrored).mean() < 0.7 * abs(plain - mirrored).mean()
    assert not np.array_equal(crop, plain)


def test_a_picture_comes_with_several_of_its_sentences_at_once(kept: KeptCaptions) -> None:
    texts = [np.array([0]), np.array([2, 3]), np.array([4, 5, 6, 7]), np.array([1])]
    own = replace(kept, texts=texts)
    samples = CaptionSamples(own, np.array([2, 0]), 0.75, 3, seed=0)
    drawn = [samples[(epoch, 0)][2] for epoch in range(20)]
    assert all(len(set(numbers)) == 3 for numbers in drawn)
    assert set(np.concatenate(drawn)) == {4, 5, 6, 7}
    # One that has fewer repeats some.
    assert samples[(0, 1)][2].tolist() == [0, 0, 0]
    batch = samples.collate([samples[(0, 0)], samples[(0, 1)]])
    assert batch.texts.T.tolist() == [drawn[0].tolist(), [0, 0, 0]]
    # The sentences lie as their numbers do: a first one of every picture, then a second one of every picture.
    alone = sentences_of(kept.hidden, batch.texts.flatten().tolist())
    assert torch.equal(batch.sentences.places, alone.places)
    for part, expected in zip(batch.sentences.parts, alone.parts, strict=True):
        assert torch.equal(part[0], expected[0])


def test_what_is_kept_before_a_damaged_picture_is_not_made_again(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asst.training.space.cache.CHUNK", 2)
    rows = [row("red", "circle", k) for k in range(5)]
    whole = read_captions(write(tmp_path / "whole", rows))
    damaged = read_captions(write(tmp_path / "damaged", [*rows[:3], {**rows[3], "image": b"no"}, rows[4]]))
    used = recipe(recipe_file, "data.views=1")
    with pytest.raises(InputError, match=r"part0.parquet, row 3: cannot read the image"):
        keep_maps(damaged, used.data, used.network, tmp_path / "kept", progress=False)
    first = tmp_path / "kept" / "maps-20-view0-00000.values.npy"
    before = first.stat().st_mtime_ns
    (kept,) = keep_maps(whole, used.data, used.network, tmp_path / "kept", progress=False)
    assert first.stat().st_mtime_ns == before
    monkeypatch.undo()
    keep_maps(whole, used.data, used.network, tmp_path / "other", progress=False)
    monkeypatch.setattr("asst.training.space.cache.CHUNK", 2)
    again = KeptArrays(tmp_path / "kept", "maps-20-view0", 5)
    assert [again.shape(k) for k in range(5)] == [kept[k].shape for k in range(5)]
    stored = np.load(tmp_path / "other" / "maps-20-view0-00000.values.npy")
    assert np.array_equal(np.concatenate([again[k].ravel() for k in range(5)]), stored)


def test_the_rates_and_what_learns_are_the_recipes(recipe_file: Path) -> None:
    used = recipe(recipe_file, "network.first_block=19", "optimizer.sentence_rate=1e-5")
    module = CaptionModule(used, None)  # type: ignore[arg-type]
    learning = {name for name, weight in module.method.named_parameters() if weight.requires_grad}
    assert not any("blocks.18." in name or "layers.4." in name or "words" in name for name in learning)
    for part in ("blocks.19.expand", "blocks.20.project", "head.weight", "layers.5.query", "narrow", "straight"):
        assert any(part in name for name in learning), part
    # Kernels of 5 by 5 stay; that of the last block is 3 by 3.
    assert not any("blocks.19.depthwise" in name for name in learning)
    assert any("blocks.20.depthwise" in name for name in learning)
    assert not any(weight.requires_grad for weight in module.kept.parameters())
    groups = module.configure_optimizers()["optimizer"].param_groups
    assert [group["max_lr"] for group in groups] == [2e-4, 1e-5, 1e-3, 1e-3]
    assert [group["weight_decay"] for group in groups] == [0.02, 0.02, 0.02, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.batches=5", "training.batches: no such setting"),
        ("training.batch=1", "training.batch: Input should be greater than or equal to 2, not 1"),
        ("network.first_block=21", "network.first_block: Input should be less than 21, not 21"),
        ("data.holdout.shapes=0", "data.holdout: no set has pictures held out"),
        ("observation.kind=crops", "observation: no such setting"),
        ("data.window=1.5", "data.window: Input should be less than or equal to 1"),
    ],
)
def test_settings_that_do_not_fit_are_named(recipe_file: Path, change: str, message: str) -> None:
    with pytest.raises(InputError, match=f"tiny.yaml: {message}"):
        read_any_recipe([recipe_file], [change])


def test_bad_pictures_are_one_line_and_exit_code_2(recipe_file: Path, tmp_path: Path) -> None:
    for change, message in (
        (f"data.root={tmp_path}", "has no Parquet file"),
        ("data.holdout.flickr8k=3", "set flickr8k has 0 pictures with sentences to hold out, not 3"),
    ):
        done = CliRunner().invoke(app, ["train", str(recipe_file), change, "--run", str(tmp_path / "run")])
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert message in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_run_of_a_space_is_not_evaluated_as_one_of_answers(recipe_file: Path, tmp_path: Path) -> None:
    from asst.training.sources import open_run

    (tmp_path / "recipe.yaml").write_text(dumped(recipe(recipe_file)))
    with pytest.raises(InputError, match="holds a space of pictures and sentences"):
        open_run(tmp_path, [], silent)


def test_the_shipped_recipe_is_one() -> None:
    found = recipe(Path("captions"))
    assert (found.name, found.training.steps, found.training.batch) == ("captions", 700, 512)
    assert sum(found.data.holdout.values()) == 800 + 500 + 220
