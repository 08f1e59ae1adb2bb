"""Recipes: what they take, what they refuse, and by which name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asst.errors import InputError
from asst.models.methods.table import build_method
from asst.nn.config import ASSTConfig
from asst.training.recipe import Recipe, read_recipe
from asst.training.recipe_files import about, dumped, packaged_recipes, setting_keys
from asst.training.space_recipe import CaptionRecipe


def test_a_recipe_is_the_same_after_it_was_written(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = toy_recipe("training.seed=3", "optimizer.learning_rate=5e-4")
    (tmp_path / "again.yaml").write_text(dumped(recipe))
    assert read_recipe([tmp_path / "again.yaml"]) == recipe
    assert recipe.name == "toy"
    assert recipe.optimizer.learning_rate == 0.0005


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.batchs=8", r"training\.batchs: no such setting"),
        ("training.batch=eight", r"training\.batch: .*integer.*'eight'"),
        ("training.batch=8.5", r"training\.batch: .*integer.*8\.5"),
        ("training.parts=3", r"batch \(8\) must be a multiple of parts x processes x nodes \(3 x 1 x 1\)"),
        ("optimizer.name=lion", r"optimizer\.name: .*'adam' or 'sgd'.*'lion'"),
        ("data.features.flow=x", r"features of flow are given, the streams are toy"),
        ("data.validate=test", r"validate is test"),
        ("data.train=test", r"train is test"),
        ("data.validate=dev", r"has no split 'dev'; it has train, val"),
        ("optimizer.learning_rate=.inf", r"optimizer\.learning_rate: .*finite number"),
        ("optimizer.learning_rate=.nan", r"optimizer\.learning_rate: .*number"),
        ("network.colour=1", r"network\.colour: no such setting; there are attention_channels, "),
        ("network.channels=none", r"network\.channels: .*integer.*'none'"),
        ("average=2", r"average \(2\) needs training\.keep"),
        ("method=clip", r"method: .*'asst'.*'clip'"),
        ("batch", r"not a change of a setting: 'batch'"),
        ("training.batch=[", r"not YAML"),
        ("training.batch=" + "[" * 3000, r"nested too deep"),
        ("training.batch=1" + "0" * 5000, r"not YAML"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(toy_recipe: Callable[..., Recipe], change: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        toy_recipe(change)
    assert "\n" not in str(refused.value)


def test_a_file_extends_another_and_later_files_change_earlier_ones(tmp_path: Path, recipe_file: Path) -> None:
    row = tmp_path / "recipes" / "row.yaml"
    row.write_text("extends: toy.yaml\nnetwork: {feeding: none}\n")
    over = tmp_path / "small.yaml"
    over.write_text("network: {channels: 4}\ntraining: {batch: 4}\n")
    recipe = read_recipe([row, over], ["training.batch=2"])
    assert recipe.name == "row"
    assert (recipe.network["feeding"], recipe.network["channels"], recipe.training.batch) == ("none", 4, 2)
    assert recipe.network["dilation_channels"] == 16
    with pytest.raises(InputError, match=r"cannot read .*absent\.yaml"):
        read_recipe([tmp_path / "absent.yaml"])


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_circle_of_recipes_is_refused(tmp_path: Path, length: int) -> None:
    for index in range(length):
        (tmp_path / f"{index}.yaml").write_text(f"extends: ./{(index + 1) % length}.yaml\n")
    # One that only leads into the circle is no way out of it.
    (tmp_path / "into.yaml").write_text("extends: 0.yaml\n")
    for start in ("0.yaml", "into.yaml"):
        with pytest.raises(InputError, match=r"\.yaml extends itself, in a circle"):
            read_recipe([tmp_path / start])


def test_a_recipe_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"method: \xff\xfe")
    with pytest.raises(InputError, match=r"a\.yaml is not UTF-8 text \(byte 8\)"):
        read_recipe([tmp_path / "a.yaml"])


@pytest.mark.parametrize("method", ["asst", "mcn", "ctrl"])
def test_only_a_prior_does_without_features(tmp_path: Path, method: str) -> None:
    recipe = tmp_path / "blind.yaml"
    recipe.write_text(f"method: {method}\ndata: {{dataset: jsonlines}}\ntraining: {{steps: 500}}\n")
    with pytest.raises(InputError, match=rf"method {method} looks at features; name their kinds in data\.streams"):
        read_recipe([recipe])
    assert not read_recipe([recipe], ["method=prior", "training.steps=0"]).data.streams


def test_every_row_of_tables_2_to_7_has_a_recipe_that_a_network_can_be_built_of() -> None:
    recipes = {name: read_recipe([name]) for name in packaged_recipes() if name.startswith(("charades_sta", "didemo"))}
    own = {name: recipe for name, recipe in recipes.items() if recipe.method == "asst"}
    assert len(own) == 17
    for name, recipe in own.items():
        stem = name.partition("/")[2]
        config = ASSTConfig.from_dict({**recipe.network, "feature_channels": 4096})
        assert config.feeding == (stem.removeprefix("feeding_") if "feeding" in stem else "multiple")
        assert config.endpoint_feature == (stem == "tef")
        assert (recipe.training.batch, recipe.optimizer.learning_rate) == (128, 5e-4)
        assert (recipe.optimizer.decay, recipe.optimizer.decay_steps) == (0.9, 2500)
        assert config.head == ("classification" if recipe.data.dataset == "didemo" else "detection")


BASELINES = {
    "didemo": {"prior", "cca", "mcn"},
    "charades_sta": {"prior", "cca", "mcn", "ctrl", "2d-tan", "moment-detr"},
    "tacos": {"prior", "ctrl", "2d-tan"},
    "activitynet_captions": {"prior", "2d-tan"},
    "qvhighlights": {"moment-detr"},
}


def test_the_baselines_have_recipes_that_they_can_be_built_of() -> None:
    for dataset, methods in BASELINES.items():
        for method in methods:
            name = f"{dataset}/{method.replace('-', '_')}"
            recipe = read_recipe([name])
            assert (recipe.name, recipe.method, recipe.data.dataset) == (name, method, dataset)
            widths = {"feature_channels": 5120, "word_channels": 300, "steps": recipe.observation["steps"]}
            settings = build_method(method, {**recipe.network, **widths}).settings
            assert recipe.network.items() <= settings.items()


def test_the_papers_network_has_a_recipe_for_the_data_sets_it_was_not_run_on() -> None:
    for name, step_s in (("tacos/c3d", 1), ("activitynet_captions/c3d", 2), ("qvhighlights/slowfast_clip", 2)):
        recipe = read_recipe([name])
        assert (recipe.method, recipe.data.dataset) == ("asst", name.partition("/")[0])
        assert (recipe.observation["step_s"], recipe.observation["steps"]) == (step_s, 128)
        assert ASSTConfig.from_dict({**recipe.network, "feature_channels": 500}).head == "detection"


def test_several_seeds_are_as_many_recipes(toy_recipe: Callable[..., Recipe]) -> None:
    recipe = toy_recipe("training.seeds=0,1,7")
    assert recipe.training.seeds == [0, 1, 7]
    assert [own.training.seed for own in recipe.each_seed()] == [0, 1, 7]
    assert list(recipe.each_seed())[2] == toy_recipe("training.seed=7")
    assert list(toy_recipe().each_seed()) == [toy_recipe()]
    assert toy_recipe("training.seeds=[3]").training.seeds == [3]
    for value in ("0,a", "0,0", "1.5", "-1,0"):
        with pytest.raises(InputError, match=r"training.*seeds"):
            toy_recipe(f"training.seeds={value}")


def test_a_closed_form_takes_no_steps_and_the_others_some(toy_recipe: Callable[..., Recipe]) -> None:
    with pytest.raises(InputError, match=r"method prior is fitted in closed form; leave training\.steps out"):
        toy_recipe("method=prior")
    with pytest.raises(InputError, match=r"method mcn is trained by steps; give training\.steps"):
        toy_recipe("method=mcn", "training.steps=0")


@pytest.mark.parametrize(
    ("overlay", "rows"),
    [
        ("small", ["c3d", "rgb", "flow", "two_stream", "feeding_none", "feeding_final"]),
        ("small_mcn", ["mcn"]),
        ("small_ctrl", ["ctrl"]),
        ("small_cca", ["cca"]),
        ("small_2d_tan", ["2d_tan"]),
        ("small_moment_detr", ["moment_detr"]),
    ],
)
def test_the_simulated_overlays_go_on_top_of_recipes_of_charades_sta(overlay: str, rows: list[str]) -> None:
    for row in rows:
        recipe = read_recipe([f"charades_sta/{row}", f"simulated/{overlay}"])
        assert recipe.name == f"charades_sta/{row}"
        assert recipe.data.simulated is not None
        if not recipe.closed_form:
            assert recipe.training.steps == 3000


def test_every_packaged_recipe_says_what_it_is_and_every_key_what_it_means() -> None:
    for name in packaged_recipes():
        assert len(about(name)) > 10, name
    for kind in (Recipe, CaptionRecipe):
        assert all(setting.meaning for setting in setting_keys(kind))
        values = [setting.key for setting in setting_keys(kind)]
        assert len(values) == len(set(values)) > 15


def test_a_file_goes_before_a_packaged_recipe_of_its_name_and_can_extend_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("extends: charades_sta/c3d\ntraining: {steps: 7}\n")
    mine = read_recipe(["mine.yaml"])
    assert (mine.name, mine.training.steps, mine.training.batch) == ("mine", 7, 128)
    (tmp_path / "default").write_text("extends: charades_sta/rgb\n")
    assert read_recipe(["default"]).data.streams == ["rgb"]


@pytest.mark.parametrize(
    ("recipe", "changes", "message"),
    [
        ("charades_sta/c3d", ["observation.steps=100"], "observation.steps must be a multiple of 64 for 6 squeezing"),
        ("charades_sta/c3d", ["network.language_channels=15"], "network.language_channels must be even"),
        ("charades_sta/c3d", ["network.feature_channels=3"], "network.feature_channels is decided by data"),
        ("charades_sta/c3d", ["network.head=classification"], "head classification needs observation.kind pieces"),
        ("charades_sta/c3d", ["observation.step_s=.inf"], "kind crops: step_s: Input should be a finite number"),
        ("charades_sta/c3d", ["data.step_s=evn"], "data.step_s: a number of seconds above 0, or even, not 'evn'"),
        ("didemo/two_stream", ["network.pieces=4"], "leave it out, and network.pieces too"),
        ("didemo/two_stream", ["network.head=detection"], "judged by the order of all its clips"),
        ("didemo/two_stream", ["overlap=0.5"], "set overlap to 1"),
        ("didemo/two_stream", ["protocol=tall"], "no protocol 'tall' for didemo"),
        ("tacos/prior", ["observation.kind=crops"], "observation.kind crops slides over features, and data.streams"),
        ("didemo/mcn", ["network.clips=anchors"], "network.clips to pieces"),
        ("thumos14/two_stream", ["network.classes=3"], "network.classes is decided by data"),
        ("thumos14/two_stream", ["protocol=tall"], "protocol tall judges sentences"),
        ("thumos14/frames", ["network.dropout=3"], "network.dropout: Input should be less than 1"),
        ("qvhighlights/moment_detr", ["network.dropout=1.5"], "network.dropout: Input should be less than 1"),
        ("qvhighlights/moment_detr", ["average=2", "training.keep=2"], "of moment-detr cannot be averaged"),
        ("charades_sta/2d_tan", ["network.scales=[]"], "network.scales: Tuple should have at least 1 item"),
        (
            "charades_sta/ctrl",
            ["network.offset_weight=-1"],
            "offset_weight: Input should be greater than",
        ),
        ("didemo/mcn", ["network.stream_weights=[0,0]"], "network.stream_weights must be 2 numbers"),
        ("thumos14/frames", ["network.thresholds=[2]"], "network.thresholds lie between 0 and 1"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_before_data_are_read(
    recipe: str, changes: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_recipe([recipe], changes)
