from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from asst.video import STILL, frames, is_jpeg, jpeg


@pytest.mark.parametrize(("height", "width"), [(90, 160), (91, 37), (1, 1)])
def test_another_reader_sees_the_same_picture(height: int, width: int) -> None:
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    pixels = (np.stack([across, down, 0.5 * np.ones_like(across)], axis=2) * 255).astype(np.uint8)
    with Image.open(io.BytesIO(jpeg(pixels))) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (width, height))
        seen = np.asarray(picture).astype(int)
    assert np.abs(seen - pixels).mean() < 3


def test_a_picture_is_whole_until_it_is_cut_or_changed(street) -> None:  # type: ignore[no-untyped-def]
    (pixels,) = next(iter(frames(street, times_s=[4.5], short_side=72, crop=STILL))).pixels
    whole = jpeg(pixels)
    assert is_jpeg(whole)
    other = io.BytesIO()
    Image.fromarray(pixels).save(other, format="JPEG", optimize=True, progressive=True)
    assert is_jpeg(other.getvalue())
    assert not is_jpeg(b"")
    assert not is_jpeg(b"no picture at all")
    for cut in (2, 100, len(whole) // 2, len(whole) - 2):
        assert not is_jpeg(whole[:cut])
