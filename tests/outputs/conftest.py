"""Videos that are only facts: what `asst.video.probe` says of a path, without a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

Facts = dict[str, SimpleNamespace]


@pytest.fixture(scope="module")
def facts() -> Iterator[Callable[..., str]]:
    """``facts(video, rate, duration_s, ...)`` sets what is known of a video, and gives its path back."""
    known: Facts = {}
    module = ModuleType("asst.video")
    vars(module)["probe"] = lambda path: known[str(path)]

    def state(
        video: str = "v.mp4",
        rate: Fraction = Fraction(25),
        duration_s: float = 60.0,
        time_code: str | None = None,
        size: tuple[int, int] = (640, 360),
        has_audio: bool = True,
    ) -> str:
        known[str(Path(video))] = SimpleNamespace(
            path=str(video),
            rate=rate,
            duration_s=duration_s,
            time_code=time_code,
            width=size[0],
            height=size[1],
            has_audio=has_audio,
        )
        return video

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "asst.video", module)
        yield state
