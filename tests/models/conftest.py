from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from asst.data.batch import Batch, Collate
from asst.data.sample import Sample, Window
from asst.models.methods.base import Share

STEPS, CHANNELS, WORDS = 12, 4, 3


@pytest.fixture
def seen() -> Batch:
    """Four samples of noise, two of them shorter than the window, with a moment each."""
    draw = np.random.default_rng(2)
    samples = []
    for index, steps in enumerate((12, 9, 12, 7)):
        features = draw.standard_normal((steps, CHANNELS)).astype(np.float32)
        words = draw.standard_normal((2 + index, WORDS)).astype(np.float32)
        moments = np.array([[1.0 + index, 4.0 + index]])
        samples.append(Sample(index, Window(0.0, 0.5, steps), features, words, moments))
    return Collate(STEPS)(samples)


@pytest.fixture
def share() -> Callable[[], Share]:
    """What one process alone is given, the same each time."""
    keys = torch.rand(4, 1000, generator=torch.Generator().manual_seed(5))
    return lambda: Share(lambda width: keys[:, :width], lambda value: value)
