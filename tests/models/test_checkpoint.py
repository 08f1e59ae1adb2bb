"""Checkpoints: read back as written, and refused in one line where they cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from asst.errors import InputError
from asst.features.values import Features
from asst.models.checkpoint import FeatureKind, load_checkpoint, read_description, save_checkpoint

from ..descriptions import description_of

DESCRIPTION = description_of(
    "asst",
    {"feature_channels": 4, "feeding": "multiple"},
    features=FeatureKind(extractor="c3d", dimension=4, step_s=0.25),
    recipe="charades_sta/c3d",
    dataset="charades_sta",
    step=500,
    metrics={"r@1,iou=0.5": 12.5},
)
WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3).T, "a.count": torch.tensor(3)}


def test_a_checkpoint_is_read_as_it_was_written_and_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "run" / "best.safetensors"
    save_checkpoint(path, replace(DESCRIPTION, step=1), {})
    save_checkpoint(path, DESCRIPTION, WEIGHTS)
    description, weights = load_checkpoint(path)
    assert description == DESCRIPTION == read_description(path)
    assert weights.keys() == WEIGHTS.keys()
    assert all(np.array_equal(weights[name], value) for name, value in WEIGHTS.items())
    assert [entry.name for entry in path.parent.iterdir()] == ["best.safetensors"]


def test_a_checkpoint_knows_what_it_and_its_start_learnt_from(tmp_path: Path) -> None:
    path = tmp_path / "tuned.safetensors"
    save_checkpoint(path, replace(DESCRIPTION, dataset="jsonlines", split="all"), {})
    read = read_description(path)
    assert read.learnt == ("charades_sta/train", "jsonlines/all")
    assert read.seen("charades_sta", "trainval") == ("charades_sta train",)
    assert read.seen("jsonlines", "all") == ("jsonlines all",)
    assert not any(read.seen("charades_sta", split) for split in ("val", "test"))
    assert not read.seen("didemo", "train")


def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(InputError, match="no checkpoint at"):
        load_checkpoint(path)
    save_file(WEIGHTS | {"a.weight": WEIGHTS["a.weight"].contiguous()}, path)
    with pytest.raises(InputError, match=r"is no checkpoint of asst \(no format\)"):
        load_checkpoint(path)
    save_checkpoint(path, DESCRIPTION, WEIGHTS)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="is damaged or of another version") as refused:
        read_description(path)
    assert "\n" not in str(refused.value)


def test_features_of_another_kind_are_refused_by_name() -> None:
    def features(extractor: str, dimension: int) -> Features:
        return Features(np.zeros((3, dimension), dtype=np.float32), 0.0, 0.5, extractor)

    kind = DESCRIPTION.features
    kind.check(features("c3d", 4), "m")
    with pytest.raises(InputError, match=r"m reads features of c3d \(dimension 4\), not of rgb \(4\)"):
        kind.check(features("rgb", 4), "m")
    with pytest.raises(InputError, match=r"not of c3d \(5\)"):
        kind.check(features("c3d", 5), "m")
