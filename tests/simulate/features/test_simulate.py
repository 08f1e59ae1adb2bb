"""Simulated features: what they depend on, what they must not, and that they hold what they should."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from asst.data.actions import LabelledSpan
from asst.data.readers.charades import COLUMNS, CharadesVideo, read_classes, read_videos
from asst.errors import InputError
from asst.features.stores.native import Store
from asst.simulate.features.generate import Simulator, write_simulated
from asst.simulate.features.painting import ar1_noise
from asst.simulate.features.settings import LEVELS, MODALITIES, Level, Settings
from asst.simulate.features.words import action_words

CLASSES = {
    "c000": "Holding some clothes",
    "c001": "Putting clothes somewhere",
    "c026": "Holding a book",
    "c107": "Holding a cup/glass/bottle of something",
    "c153": "Someone is sneezing",
}
SILENT = replace(LEVELS["easy"], noise=0.0, missed=0.0, confused=0.0, jitter_s=0.0)


def settings(modality: str = "rgb", level: Level = LEVELS["standard"], seed: int = 0) -> Settings:
    return Settings(modality=MODALITIES[modality], level=level, seed=seed, dimension=32)


def example(
    video: str = "AAAAA", actions: tuple[LabelledSpan, ...] = (LabelledSpan("c000", 2.0, 9.0),)
) -> CharadesVideo:
    return CharadesVideo(video, 20.1, "Kitchen", ("clothes", "stove"), actions)


def vectors(made: Settings, video: CharadesVideo) -> npt.NDArray[np.float64]:
    return Simulator(CLASSES, made).features(video).vectors.astype(np.float64)


def same(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> bool:
    return first.shape == second.shape and bool((first == second).all())


@pytest.mark.parametrize(
    ("name", "verb", "thing"),
    [
        ("Holding some clothes", "holding", "clothes"),
        ("Putting a dish/es somewhere", "putting", "dish"),
        ("Wash a dish/dishes", "washing", "dish"),
        ("Putting on shoe/shoes", "putting", "shoe"),
        ("Putting something on a table", "putting", "table"),
        ("Watching/Reading/Looking at a book", "watching", "book"),
        ("Watching a laptop or something on a laptop", "watching", "laptop"),
        ("Watching something/someone/themselves in a mirror", "watching", "mirror"),
        ("Holding a cup/glass/bottle of something", "holding", "cup/glass/bottle"),
        ("Reaching for and grabbing a picture", "reaching", "picture"),
        ("Washing their hands", "washing", "hand"),
        ("Putting groceries somewhere", "putting", "groceries"),
        ("Someone is awakening in bed", "awakening", "bed"),
        ("Someone is standing up from somewhere", "standing", ""),
        ("Someone is running somewhere", "running", ""),
    ],
)
def test_the_verb_and_object_of_a_class_are_those_a_reader_would_name(name: str, verb: str, thing: str) -> None:
    words = action_words(name)
    assert (words.verb, words.object) == (verb, thing)


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, [*COLUMNS, "subject", "script", "descriptions"])
        table.writeheader()
        table.writerows(rows)
    return path


def test_sentences_and_split_do_not_reach_the_features(tmp_path: Path) -> None:
    rows = [
        {
            "id": name,
            "scene": "Kitchen",
            "objects": "clothes;stove",
            "actions": f"c000 {start} 9.00;c026 0.00 4.00",
            "length": "20.1",
            "script": "A person holds clothes.",
            "descriptions": "Someone puts clothes away.",
        }
        for name, start in (("AAAAA", "2.00"), ("BBBBB", "3.00"), ("CCCCC", "1.00"))
    ]
    train = read_videos(write_table(tmp_path / "train.csv", rows)).videos
    # The same videos in another split's file, in another order, with no sentence and among other videos.
    bare = [row | {"script": "", "descriptions": ""} for row in rows[::-1]]
    other = rows[0] | {"id": "DDDDD", "scene": "Garage", "actions": "c153 1 2"}
    test = read_videos(write_table(tmp_path / "test.csv", [other, *bare])).videos
    for level in LEVELS.values():
        for modality in MODALITIES:
            one = Simulator(CLASSES, settings(modality, level))
            two = Simulator(CLASSES, settings(modality, level))
            first = {name: one.features(train[name]).vectors for name in train}
            second = {name: two.features(test[name]).vectors for name in test}
            assert all(np.array_equal(first[name], second[name]) for name in train)


def test_features_follow_the_annotation_the_video_the_seed_and_the_settings() -> None:
    reference = vectors(settings(), example())
    assert reference.shape == (80, 32)
    assert same(reference, vectors(settings(), example()))
    assert not same(reference, vectors(settings(seed=1), example()))
    assert not same(reference, vectors(settings("flow"), example()))
    assert not same(reference, vectors(settings(level=LEVELS["hard"]), example()))
    assert not same(reference, vectors(settings(), example(video="BBBBB")))
    assert not same(reference, vectors(settings(), replace(example(), scene="Garage")))
    assert not same(reference, vectors(settings(), replace(example(), objects=("clothes",))))
    assert len(vectors(settings(), replace(example(), duration_s=0.05))) == 1
    with pytest.raises(InputError, match="AAAAA has an action c099"):
        vectors(settings(), example(actions=(LabelledSpan("c099", 1, 2),)))


def test_an_action_shows_within_its_span_alone_and_ramps() -> None:
    with_it = vectors(settings(level=SILENT), example())
    without = vectors(settings(level=SILENT), example(actions=()))
    change = np.abs(with_it - without).max(axis=1)
    times_s = (np.arange(80) + 0.5) / 4
    half = SILENT.ramp_s / 2
    inside = (times_s > 2.0 + half) & (times_s < 9.0 - half)
    outside = (times_s < 2.0 - half) | (times_s > 9.0 + half)
    assert change[inside].min() > 0.1
    assert change[outside].max() == 0
    assert np.ptp(with_it[inside], axis=0).max() == 0
    ramp = change[(times_s > 2.0 - half) & (times_s < 2.0 + half)]
    assert len(ramp) == 2
    assert 0 < ramp[0] < ramp[1] < change[inside].min()


def test_alternative_names_of_an_object_are_one_object() -> None:
    made = settings(level=SILENT)
    named = [vectors(made, replace(example(actions=()), objects=(name,))) for name in ("glass", "cup", "stove")]
    assert same(named[0], named[1])
    assert not same(named[0], named[2])


def test_a_missed_action_leaves_no_trace_and_a_confused_one_shares_its_verb_or_object() -> None:
    missed = replace(SILENT, missed=1.0)
    assert same(vectors(settings(level=missed), example()), vectors(settings(level=missed), example(actions=())))
    # Holding and clothes are shared with three classes; sneezing shares nothing and is taken for itself.
    confused = replace(SILENT, confused=1.0)
    seen = {
        code: vectors(settings(level=SILENT), example(actions=(LabelledSpan(code, 0.5, 19.5),))) for code in CLASSES
    }
    found = set()
    for number in range(30):
        video = example(f"V{number}", (LabelledSpan("c000", 0.5, 19.5),))
        taken = vectors(settings(level=confused), video)
        alike = {
            code: vectors(settings(level=SILENT), replace(video, actions=(LabelledSpan(code, 0.5, 19.5),)))
            for code in seen
        }
        found |= {code for code, those in alike.items() if same(those, taken)}
    assert found == {"c001", "c026", "c107"}
    assert same(
        vectors(settings(level=confused), example(actions=(LabelledSpan("c153", 0.5, 19.5),))),
        seen["c153"],
    )


def test_boundaries_move_by_a_quarter_of_the_action_at_most() -> None:
    jumpy = replace(SILENT, jitter_s=50.0, ramp_s=1e-3)
    starts = set()
    for number in range(20):
        video = example(f"V{number}", (LabelledSpan("c000", 4.0, 12.0),))
        change = np.abs(
            vectors(settings(level=jumpy), video) - vectors(settings(level=jumpy), replace(video, actions=()))
        )
        active = np.flatnonzero(change.max(axis=1))
        assert set(active) <= set(range(8, 56))
        assert set(active) >= set(range(24, 40))
        starts.add(active[0])
    assert starts == {8, 24}


def test_a_crowd_adds_what_another_video_of_the_scene_shows_and_nobody_annotated_here() -> None:
    lender = example("BBBBB", (LabelledSpan("c000", 0.0, 2.0), LabelledSpan("c153", 10.05, 20.1)))
    elsewhere = replace(example("CCCCC", (LabelledSpan("c026", 0.0, 20.0),)), scene="Garage")
    short = replace(example(), duration_s=10.05, actions=(LabelledSpan("c000", 1.0, 4.0),))
    crowded = Simulator(CLASSES, settings(level=replace(SILENT, crowd=1)), [short, lender, elsewhere])
    assert [(one.what, one.start_s, one.end_s) for one in crowded.shown(short)] == [
        ("c000", 1.0, 4.0),
        ("c153", pytest.approx(5.025), pytest.approx(10.05)),
    ]
    changed = np.abs(crowded.features(short).vectors.astype(float) - vectors(settings(level=SILENT), short)).max(axis=1)
    assert changed[:17].max() == 0
    assert changed[22:].min() > 0.1
    alone = Simulator(CLASSES, settings(level=SILENT), [short])
    assert crowded.provenance(short).content != alone.provenance(short).content
    assert [one.clear for one in Simulator(CLASSES, settings(level=replace(SILENT, missed=1.0))).shown(short)] == [
        False
    ]


def test_noise_is_stationary_and_correlated_as_asked() -> None:
    draws = np.stack([ar1_noise(np.random.default_rng(seed), 300, 64, 0.8) for seed in range(40)]).astype(np.float64)
    power = (draws**2).mean(axis=(0, 2))
    assert power.mean() == pytest.approx(1.0, rel=0.02)
    assert power[:3] == pytest.approx(1.0, rel=0.1)
    for lag in (1, 3):
        assert (draws[:, lag:] * draws[:, :-lag]).mean() == pytest.approx(0.8**lag, abs=0.02)


def test_noise_is_that_of_the_recurrence() -> None:
    white = np.random.default_rng(5).standard_normal((300, 3), dtype=np.float32)
    expected = [white[0]]
    for step in white[1:]:
        expected.append(0.9 * expected[-1] + 0.19**0.5 * step)
    assert ar1_noise(np.random.default_rng(5), 300, 3, 0.9) == pytest.approx(np.array(expected), abs=1e-4)


def test_a_store_is_filled_once_and_again_where_the_annotation_changed(tmp_path: Path) -> None:
    store = Store(tmp_path / "simulated")
    simulator = Simulator(CLASSES, settings())
    videos = [example("AAAAA"), example("BBBBB")]
    said: list[str] = []
    assert write_simulated(store, videos, simulator, said.append) == 2
    said.clear()
    assert write_simulated(store, videos, simulator, said.append) == 0
    assert said == []
    assert write_simulated(store, [replace(videos[0], duration_s=8.0), videos[1]], simulator, said.append) == 1
    assert len(store.read("AAAAA")) == 32
    features = store.read("BBBBB")
    assert (features.extractor, features.start_s, features.step_s) == ("simulated-rgb-standard", 0.0, 0.25)
    assert np.array_equal(features.vectors, simulator.features(videos[1]).vectors)
    with pytest.raises(InputError, match="simulated-flow-standard"):
        write_simulated(store, [example("CCCCC")], Simulator(CLASSES, settings("flow")), print)
    # How large it gets is said before.
    wide = Simulator(CLASSES, replace(settings(), dimension=50_000))
    write_simulated(Store(tmp_path / "wide"), videos, wide, said.append)
    (megabytes,) = re.findall(r"of 2 videos: (\d+) MB are written to .*wide", said[-1])
    written = sum(path.stat().st_size for path in (tmp_path / "wide").glob("*.safetensors"))
    assert written > 3e6
    assert int(megabytes) == pytest.approx(written / 1e6, abs=0.6)


Labels = npt.NDArray[np.bool_]


def active(videos: Sequence[CharadesVideo], names: Sequence[str], name: Callable[[str], str]) -> Labels:
    """Which of the names go on at each step of the videos, one after the other, shape ``(steps, names)``."""
    tables = []
    for video in videos:
        times_s = (np.arange(round(video.duration_s * 4)) + 0.5) / 4
        table = np.zeros((len(times_s), len(names)), dtype=bool)
        for action in video.actions:
            if name(action.label) in names:
                column = names.index(name(action.label))
                table[:, column] |= (times_s >= action.start_s) & (times_s < action.end_s)
        tables.append(table)
    return np.concatenate(tables)


def probe_auc(train: npt.NDArray[np.float32], test: npt.NDArray[np.float32], wanted: Labels, truth: Labels) -> float:
    """Mean area under the ROC curve of a ridge regression a step, over the labels that both parts have."""
    centre = train.mean(axis=0)
    gram = (train - centre).T @ (train - centre) + 1000 * np.eye(train.shape[1], dtype=np.float32)
    weights = np.linalg.solve(gram, (train - centre).T @ (wanted - wanted.mean(axis=0)).astype(np.float32))
    scores = (test - centre) @ weights
    areas = []
    for label in range(truth.shape[1]):
        positive = truth[:, label]
        if wanted[:, label].sum() > 100 and positive.sum() > 20:
            ranks = scores[:, label].argsort().argsort()[positive]
            count = len(ranks)
            areas.append((ranks.sum() - count * (count - 1) / 2) / (count * (len(positive) - count)))
    return float(np.mean(areas))


def test_a_probe_finds_verbs_best_in_flow_and_objects_best_in_rgb(shared_data: Path) -> None:
    classes = read_classes(shared_data / "charades_sta" / "classes.txt")
    words = {code: action_words(name) for code, name in classes.items()}
    held = read_videos(shared_data / "charades_sta" / "Charades_v1_train.csv").videos.values()
    videos = random.Random(0).sample([video for video in held if video.actions], 140)
    train, test = videos[:100], videos[100:]
    tasks: dict[str, Callable[[str], str]] = {
        "verb": lambda code: words[code].verb,
        "object": lambda code: words[code].object,
        "class": lambda code: code,
    }
    area = {}
    for modality in ("rgb", "flow"):
        made = Simulator(classes, Settings(modality=MODALITIES[modality], level=LEVELS["standard"]))
        seen, unseen = (
            np.concatenate([made.features(video).vectors for video in part]).astype(np.float32)
            for part in (train, test)
        )
        for task, name in tasks.items():
            names = sorted({name(code) for code in classes} - {""})
            area[task, modality] = probe_auc(seen, unseen, active(train, names, name), active(test, names, name))
    assert area["verb", "flow"] > area["verb", "rgb"] + 0.05
    assert area["object", "rgb"] > area["object", "flow"] + 0.05
    assert 0.75 < area["class", "rgb"] < 0.95
    assert 0.75 < area["class", "flow"] < 0.95
