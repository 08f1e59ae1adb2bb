"""What every extractor does: frames in, vectors out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from asst.errors import InputError
from asst.features.values import Features
from asst.video import Frames

# Called with the seconds of video done, and the seconds in all.
Progress = Callable[[float, float], None]


class Extractor(Protocol):
    """Turns video into features; the same settings give the same features wherever it runs."""

    @property
    def name(self) -> str:
        """Names the network, its layer and its preprocessing; features of another name are refused."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """Features of a file, read as a stream.

        Raises:
            InputError: for a file that holds no video that can be read.
        """
        ...

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """Features of frames that are already in memory, at whatever instants they stand for.

        Raises:
            InputError: when there is no frame.
        """
        ...


def _imagenet(variant: str) -> Callable[[], Extractor]:
    def build() -> Extractor:
        from asst.features.imagenet import ImageNetExtractor

        return ImageNetExtractor(variant)

    return build


def _absent() -> Extractor:
    from asst.features.absent import AbsentExtractor

    return AbsentExtractor()


EXTRACTORS: dict[str, Callable[[], Extractor]] = {
    "imagenet-lite0": _imagenet("lite0"),
    "imagenet-lite2": _imagenet("lite2"),
    "none": _absent,
}
"""What makes features here, by the name that features and checkpoints carry."""


def extractor_named(name: str) -> Extractor:
    """The extractor of some features.

    Raises:
        InputError: for features that cannot be made here, or when packaged weights are missing.
    """
    if name not in EXTRACTORS:
        raise InputError(
            f"features of {name} cannot be made from a video here (only {', '.join(EXTRACTORS)}); give features that "
            "were made elsewhere, or choose another model"
        )
    return EXTRACTORS[name]()
