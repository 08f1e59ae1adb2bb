"""Optical flow of pictures whose motion is known."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F

from asst.errors import InputError
from asst.features.networks.flow import Algorithm, OpticalFlow, quantised

ALGORITHMS: list[Algorithm] = ["tvl1", "dis"]


def texture(height: int, width: int) -> npt.NDArray[np.uint8]:
    coarse = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, height // 8, width // 8))).float()
    smooth = F.interpolate(coarse, size=(height, width), mode="bicubic")
    pixels: npt.NDArray[np.uint8] = smooth[0].clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return pixels


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("right", "down"), [(2, 0), (-1, 3), (0, -4), (0, 0)])
def test_a_shift_is_found(algorithm: Algorithm, right: int, down: int) -> None:
    whole = texture(136, 168)
    first, second, third = (whole[16 - k * down : 112 - k * down, 16 - k * right : 144 - k * right] for k in range(3))
    fields = OpticalFlow(algorithm).fields([first, second, third])
    assert [field.shape for field in fields] == [(96, 128, 2)] * 2
    for field in fields:
        error = np.linalg.norm(field - [right, down], axis=2)[12:-12, 12:-12]
        assert error.mean() < 0.15


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_pictures_give_the_same_flow(algorithm: Algorithm) -> None:
    flow = OpticalFlow(algorithm)
    pictures = [texture(64, 64), np.roll(texture(64, 64), 2, axis=1)]
    np.testing.assert_array_equal(flow.fields(pictures)[0], flow.fields(pictures)[0])


def test_the_cap_of_iterations_changes_the_flow_and_its_settings() -> None:
    pictures = [texture(64, 64), np.roll(texture(64, 64), (5, 7), axis=(0, 1))]
    few, many = OpticalFlow("tvl1", iterations=1), OpticalFlow("tvl1")
    assert (few.settings, many.settings) == (
        {"algorithm": "tvl1", "iterations": 1},
        {"algorithm": "tvl1", "iterations": 30},
    )
    assert np.abs(few.fields(pictures)[0] - many.fields(pictures)[0]).max() > 0.1


def test_nothing_moves_where_the_size_changes() -> None:
    fields = OpticalFlow("dis").fields([texture(40, 48), texture(48, 40), texture(48, 40)])
    assert [field.shape for field in fields] == [(40, 48, 2), (48, 40, 2)]
    assert not any(field.any() for field in fields)


def test_motion_becomes_bytes() -> None:
    motion = np.linspace(-30, 30, 601).astype(np.float32)
    back = quantised(motion) * (40 / 255) - 20
    assert np.abs(back - np.clip(motion, -20, 20)).max() <= 20 / 255 + 1e-6


class Lacking:
    """OpenCV without its contributed part."""

    COLOR_RGB2GRAY = 7
    __spec__ = "found"


@pytest.mark.parametrize(
    ("found", "lacks"), [(None, "cv2, not installed here"), (Lacking(), "OpenCV's contributed part")]
)
def test_without_opencv_the_extra_is_named(found: Any, lacks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", found)
    with pytest.raises(InputError, match=rf"^optical flow needs {lacks}; run: pip install 'asst-video\[flow\]'$"):
        OpticalFlow("tvl1")
