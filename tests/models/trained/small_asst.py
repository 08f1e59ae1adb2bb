"""A small ASST with random weights, and features of noise that it reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from asst.features.values import Features
from asst.models.checkpoint import Description, save_checkpoint
from asst.models.methods.table import build_method

from ...descriptions import description_of

SETTINGS = {
    "feature_channels": 5,
    "word_channels": 50,
    "dilation_layers": 1,
    "squeezing_layers": 2,
    "dilation_channels": 4,
    "channels": 4,
    "language_channels": 4,
    "attention_channels": 4,
    "steps": 24,
    "levels": 2,
}


def save_small(path: Path, kind: str = "crops", /, **settings: object) -> Description:
    """A checkpoint of it; ``kind`` is of its observation, ``settings`` are changed."""
    torch.manual_seed(1)
    method = build_method("asst", {**SETTINGS, **settings})
    description = description_of(
        "asst", method.settings, observation={"kind": kind, "steps": 24}, overlap=0.8 if kind == "crops" else 1.0
    )
    save_checkpoint(path, description, method.state_dict())
    return description


def noise(duration_s: float) -> Features:
    vectors = np.random.default_rng(3).standard_normal((round(duration_s / 0.5), 5)).astype(np.float32)
    return Features(vectors, 0.0, 0.5, "noise")
