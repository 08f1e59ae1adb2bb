"""What a method that looks at no video is given in place of features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import asst
from asst.errors import InputError
from asst.features.extractor import extractor_named
from asst.features.networks.none import PlaceholderExtractor, PlaceholderStore
from asst.features.stores.native import require
from asst.video import Frames


def test_a_file_is_as_long_as_it_is_and_shows_nothing(street: Path) -> None:
    features = extractor_named("none").extract(street)
    assert features.end_s == pytest.approx(10.0, abs=0.1)
    assert (features.extractor, features.dimension, len(features)) == ("none", 1, 1)
    with pytest.raises(asst.InputError):
        PlaceholderExtractor().extract(street.with_name("absent.mp4"))


def test_frames_are_as_long_as_their_last_instant() -> None:
    pixels = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    frames = [Frames(pixels, np.array([0.0, 1.0])), Frames(pixels, np.array([2.0, 3.5]))]
    assert PlaceholderExtractor().extract_frames(frames).end_s == 3.5
    with pytest.raises(InputError, match="no frame to look at"):
        PlaceholderExtractor().extract_frames([])


def test_the_store_has_every_video() -> None:
    require(PlaceholderStore(), ["a", "b"])
    assert PlaceholderStore().read("a").extractor == "none"
