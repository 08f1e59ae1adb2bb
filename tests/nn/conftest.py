from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from asst.nn.config import ASSTConfig

SMALL = {
    "feature_channels": 6,
    "word_channels": 5,
    "dilation_layers": 2,
    "squeezing_layers": 2,
    "dilation_channels": 8,
    "channels": 6,
    "language_channels": 4,
    "attention_channels": 3,
    "steps": 16,
    "levels": 3,
}


@pytest.fixture
def small() -> Callable[..., ASSTConfig]:
    """A configuration of a few channels; keywords change it."""

    def make(**changes: Any) -> ASSTConfig:
        return ASSTConfig.from_dict({**SMALL, **changes})

    return make


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """The same numbers in every run, on one thread."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
