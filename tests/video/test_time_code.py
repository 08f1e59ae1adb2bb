"""The time code of the first frame, as files of each kind state it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from asst.video import probe


def write(path: Path, rate: Fraction, tags: dict[str, str], codec: str = "libx264") -> Path:
    with av.open(str(path), "w") as out:
        out.metadata.update(tags)
        stream: Any = out.add_stream(codec, rate=rate)
        stream.metadata.update(tags)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.time_base = 1 / rate
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 40 * number, dtype=np.uint8), "rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "rate", "time_code"),
    [
        ("a.mov", "libx264", Fraction(30000, 1001), "01:00:00;02"),
        ("a.mp4", "libx264", Fraction(24000, 1001), "10:00:00:00"),
        ("a.mkv", "libx264", Fraction(25), "02:00:00:05"),
        ("a.mxf", "mpeg2video", Fraction(25), "23:59:59:24"),
    ],
)
def test_each_container_gives_back_its_time_code(
    tmp_path: Path, name: str, codec: str, rate: Fraction, time_code: str
) -> None:
    info = probe(write(tmp_path / name, rate, {"timecode": time_code}, codec))
    assert info.time_code == time_code
    assert info.rate == rate


def test_a_file_without_a_time_code_or_with_another_tag_in_its_place_has_none(tmp_path: Path) -> None:
    assert probe(write(tmp_path / "a.mp4", Fraction(25), {})).time_code is None
    assert probe(write(tmp_path / "b.mkv", Fraction(25), {"timecode": "noon"})).time_code is None
