"""Two streams of one video, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import asst.video
from asst.errors import InputError
from asst.features import prefetch
from asst.features.extractor import extractor_named
from asst.features.networks.bn_inception import bn_inception
from asst.video import Frames, cut

from ..conftest import thin
from .test_vgg16 import published_shapes


@pytest.fixture(scope="module")
def clip(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "v.mp4"
    cut(street, 2.0, 3.1, path)
    return path


def test_they_are_what_each_stream_gives_from_one_reading(
    bn_inception_files: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    rgb, flow = (bn_inception(name, bn_inception_files) for name in ("bn-inception-rgb", "bn-inception-flow-dis"))
    alone = [stream.extract(clip) for stream in (rgb, flow)]
    readings: list[Any] = []
    read = asst.video.frames

    def counted(*given: Any, **options: Any) -> Any:
        readings.append(given)
        return read(*given, **options)

    monkeypatch.setattr(prefetch, "frames", counted)
    both = extractor_named("two-stream-dis", bn_inception_files)
    features = both.extract(clip)
    assert len(readings) == 1
    assert (features.extractor, features.dimension) == ("two-stream-dis", both.dimension) == ("two-stream-dis", 2048)
    assert len(features) == 5
    # The last step is cut short: one stream alone sees fewer pictures of it than both see.
    np.testing.assert_array_equal(features.vectors[:-1], np.concatenate([some.vectors for some in alone], axis=1)[:-1])
    assert both.weights == f"{rgb.weights}+{flow.weights}"


def test_on_didemo_appearance_is_vgg16(bn_inception_files: Path, tmp_path: Path, one_thread: None) -> None:
    torch.save(thin(published_shapes()), tmp_path / "vgg16.pth")
    (tmp_path / "bn-inception-flow.pth").symlink_to(bn_inception_files / "bn-inception-flow.pth.tar")
    extractor = extractor_named("two-stream-didemo-dis", tmp_path)
    frames = Frames(np.random.default_rng(0).integers(0, 256, (6, 48, 64, 3), dtype=np.uint8), np.arange(6) / 24)
    vectors = extractor.extract_frames([frames]).vectors
    assert vectors.shape == (1, 4096 + 1024)
    assert (vectors[:, :4096] == vectors[0, 0]).all()
    np.testing.assert_array_equal(
        vectors[:, 4096:], bn_inception("bn-inception-flow-dis", bn_inception_files).extract_frames([frames]).vectors
    )


@pytest.mark.parametrize("name", ["two-stream", "two-stream-didemo"])
def test_one_file_is_not_enough(name: str, bn_inception_files: Path) -> None:
    with pytest.raises(InputError, match="is no folder; two streams need one that holds the weights of both"):
        extractor_named(name, bn_inception_files / "bn-inception-rgb.pth")


def test_streams_of_joined_stores_are_extracted_side_by_side(
    bn_inception_files: Path, clip: Path, one_thread: None
) -> None:
    parts = [bn_inception(name, bn_inception_files) for name in ("bn-inception-rgb", "bn-inception-flow-dis")]
    joined = extractor_named("bn-inception-rgb+bn-inception-flow-dis", bn_inception_files)
    told: list[float] = []
    features = joined.extract(clip, progress=lambda done_s, all_s: told.append(done_s / all_s))
    alone = [part.extract(clip) for part in parts]
    np.testing.assert_array_equal(features.vectors, np.concatenate([some.vectors for some in alone], axis=1))
    assert features.extractor == joined.name == "bn-inception-rgb+bn-inception-flow-dis"
    assert joined.dimension == features.dimension == 2048
    assert joined.weights == "+".join(part.weights for part in parts)
    assert joined.preprocessing == "+".join(part.preprocessing for part in parts)
    assert told == sorted(told)
    assert told[-1] == 1
    frames = Frames(np.full((1, 40, 60, 3), 90, np.uint8), np.zeros(1))
    assert joined.extract_frames(iter([frames])).vectors.shape == (1, 2048)


@pytest.mark.parametrize("name", ["bn-inception-rgb+rgb", "+", "none+"])
def test_streams_from_elsewhere_are_refused(name: str, bn_inception_files: Path) -> None:
    with pytest.raises(InputError, match="cannot be made from a video here"):
        extractor_named(name, bn_inception_files)
