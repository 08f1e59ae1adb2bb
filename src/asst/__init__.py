"""asst finds the moment in a video that an English sentence describes.

>>> import asst
>>> asst.Moment(12.5, 18.0).duration_s
5.5

``asst.load("default").locate("video.mp4", ["a dog jumps"])`` gives the moments of each sentence, and
``asst.Library("lib").search("a dog jumps")`` those of many videos. The names below are imported when they are first
used, so that ``import asst`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asst._version import __version__

if TYPE_CHECKING:
    from asst.errors import InputError
    from asst.evaluation.scoring import evaluate
    from asst.features.values import Features
    from asst.library.library import Library
    from asst.localizer import Localizer, load
    from asst.moments import Answer, Moment
    from asst.video import Frames

_HOMES = {
    "Answer": "asst.moments",
    "Features": "asst.features.values",
    "Frames": "asst.video",
    "InputError": "asst.errors",
    "Library": "asst.library.library",
    "Localizer": "asst.localizer",
    "Moment": "asst.moments",
    "evaluate": "asst.evaluation.scoring",
    "load": "asst.localizer",
}

__all__ = [
    "Answer",
    "Features",
    "Frames",
    "InputError",
    "Library",
    "Localizer",
    "Moment",
    "__version__",
    "evaluate",
    "load",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'asst' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
