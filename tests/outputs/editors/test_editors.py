"""Timelines opened as Kdenlive opens them and rendered by MLT, which it edits with: every frame against the reel's.

Runs where ``melt`` and Kdenlive's adapter for OpenTimelineIO (``otio-kdenlive-adapter``) are installed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from asst.moments import Answer, Moment
from asst.outputs.exports import write_export
from asst.video import Frames, frames

Numbers = Callable[[Iterable[Frames]], list[int]]

pytestmark = pytest.mark.skipif(
    shutil.which("melt") is None or find_spec("otio_kdenlive_adapter") is None,
    reason="needs melt (package melt) and otio-kdenlive-adapter",
)


@pytest.fixture
def found(make: Callable[..., Path]) -> list[Answer]:
    """Moments of two videos; the second begins between two frames."""
    first, second = (str(make(name, ticks=list(range(100)), beep_s=(1.0, 1.5))) for name in ("a.mp4", "b.mp4"))
    moments = (Moment(1.0, 2.0, 0.9), Moment(3.0, 3.5, 0.8))
    return [
        Answer(first, "one", 4.0, "m", moments),
        Answer(second, "two", 4.0, "m", (Moment(0.53, 1.2, 0.7),)),
    ]


def rendered(path: Path, folder: Path, **reading: Any) -> Path:
    """The timeline of a file as a video."""
    read = otio.adapters.read_from_file(str(path), **reading)
    timeline = read if isinstance(read, otio.schema.Timeline) else read.find_children(otio.schema.Timeline)[0]
    for clip in timeline.find_clips():
        # An EDL does not say how long its files are, which an editor finds when it links them.
        if clip.media_reference.available_range is None:
            clip.media_reference.available_range = otio.opentime.TimeRange(duration=otio.opentime.RationalTime(100, 25))
    project, video = folder / f"{path.suffix[1:]}.kdenlive", folder / f"{path.suffix[1:]}.mkv"
    otio.adapters.write_to_file(timeline, str(project))
    last = int(timeline.duration().value) - 1
    made = f"avformat:{video}", "vcodec=libx264", "crf=12", "preset=ultrafast", "s=640x384", "an=1"
    subprocess.run(["melt", project, f"out={last}", "-consumer", *made], check=True, capture_output=True, timeout=60)
    return video


@pytest.mark.parametrize(("ending", "reading"), [("otio", {}), ("edl", {"rate": 25.0}), ("fcpxml", {})])
def test_what_an_editor_renders_is_what_is_cut(
    found: list[Answer], numbers: Numbers, tmp_path: Path, ending: str, reading: dict[str, float]
) -> None:
    for name in (ending, "mp4"):
        assert write_export(found, tmp_path / f"cut.{name}")
    cut = numbers(frames(tmp_path / "cut.mp4"))
    assert cut == [*range(25, 50), *range(75, 88), *range(13, 30)]
    assert numbers(frames(rendered(tmp_path / f"cut.{ending}", tmp_path, **reading))) == cut
