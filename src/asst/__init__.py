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
    from asst.errors import InputError as InputError
    from asst.evaluation.scoring import evaluate as evaluate
    from asst.features.values import Features as Features
    from asst.library.library import Library as Library
    from asst.localizer import Localizer as Localizer
    from asst.localizer import load as load
    from asst.moments import Answer as Answer
    from asst.moments import Moment as Moment
    from asst.video import Frames as Frames

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

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'asst' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
