"""What every extractor does: frames in, vectors out; and the table of extractors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Protocol

from asst.errors import InputError
from asst.extras import require
from asst.features.disk_rows import concatenated
from asst.features.image_text.hub import IMAGE_TEXT
from asst.features.values import Features
from asst.features.weights import SOURCES
from asst.video import Frames

# Called with the seconds of video done, and the seconds in all.
Progress = Callable[[float, float], None]


class Extractor(Protocol):
    """Turns video into features; the same settings give the same features wherever it runs.

    Attributes:
        name: names the network, its layer and its preprocessing; features of another name are refused.
        dimension: of a vector.
        preprocessing: a short hash of all that decides the numbers besides the weights; empty where nothing does.
        weights: a short hash of the weights, those of several networks joined by ``+``; empty if there are none.
        precision: the number format that its networks compute in, likewise.
        flow: how optical flow is found, for people to read; empty where none is.
    """

    name: str
    dimension: int
    preprocessing: str
    weights: str
    precision: str
    flow: str

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """Features of a file, read as a stream, with its length; raises InputError if it cannot be read."""
        ...

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """Features of frames in memory, as a player shows them; raises InputError when there is none."""
        ...


class ConcatenatedExtractor:
    """Several extractors, each of which reads the video for itself; a step of the first has the vectors of all."""

    def __init__(self, parts: Sequence[Extractor]) -> None:
        self.name = "+".join(part.name for part in parts)
        self.dimension = sum(part.dimension for part in parts)
        self.preprocessing = "+".join(part.preprocessing for part in parts)
        self.weights = "+".join(part.weights for part in parts)
        self.precision = "+".join(dict.fromkeys(part.precision for part in parts if part.precision))
        self.flow = ", ".join(dict.fromkeys(part.flow for part in parts if part.flow))
        self._parts = tuple(parts)

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """See `Extractor`; parts of different lengths are refused too."""
        parts = len(self._parts)

        def told(index: int) -> Progress | None:
            if progress is None:
                return None
            return lambda done_s, all_s: progress((index * all_s + done_s) / parts, all_s)

        found = [part.extract(video, progress=told(index)) for index, part in enumerate(self._parts)]
        return reduce(concatenated, found)

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """See `Extractor`; all frames are held in memory."""
        held = list(frames)
        return reduce(concatenated, [part.extract_frames(held) for part in self._parts])


@dataclass(frozen=True, slots=True)
class ExtractorEntry:
    """What is known of an extractor before it is built.

    Attributes:
        name: that features and checkpoints carry.
        summary: one line for a list.
        dimension: of a vector; None where the weights decide.
        needs: the weights that somebody has to bring, by the names of `asst.features.weights.SOURCES` or `IMAGE_TEXT`.
        module: imported when the extractor is first built, as most import torch; of `asst.features` if it begins with a
            dot.
        function: of the module, which makes it of ``arguments`` and a file or folder of weights.
    """

    name: str
    summary: str
    dimension: int | None
    needs: tuple[str, ...]
    module: str
    function: str
    arguments: tuple[str, ...] = ()

    def build(self, weights: Path | None) -> Extractor:
        """The extractor of a file or a folder of weights, or None for the folder that ``ASST_WEIGHTS`` names."""
        make = getattr(import_module(self.module, "asst.features"), self.function)
        extractor: Extractor = make(*self.arguments, weights)
        return extractor

    @property
    def extra(self) -> str:
        """The extra of this package that brings what it is built of; empty if it needs none."""
        if self.name == "clip":
            return "clip"
        if "clip" in self.needs or self.name in IMAGE_TEXT:
            return "hub"
        return "flow" if _FLOW in self.needs else "torch" if self.needs else ""

    @property
    def source(self) -> str:
        """Where people get the weights; empty if it needs none."""
        return "; ".join(SOURCES.get(name, f"asst models get {name}") for name in self.needs)


_RGB, _FLOW, _DIDEMO = "bn-inception-rgb", "bn-inception-flow", "two-stream-didemo"
_BN, _CROPS = ".networks.bn_inception", ".zeroshot.clip_crops"
_SPACE = "packaged space of pictures and sentences, colours and panning, three crops, two steps a second"
_NONE = "no picture: how long the video is, for methods that look at none"
_CLIP = "CLIP or SigLIP from a Hugging Face folder, pictures and sentences in one space"
_THREE = "the same of three crops of the picture, two steps a second, as the model clip reads it"


def _with_flow(suffix: str, flow: str) -> Iterator[ExtractorEntry]:
    beside = f"and {_FLOW} side by side"
    for stream, summary, dimension, needs in (
        (_FLOW, "BN-Inception of five fields of flow, global pool", 1024, ()),
        ("two-stream", f"{_RGB} {beside}", 2048, (_RGB,)),
        (_DIDEMO, f"vgg16 {beside}, the paper's on DiDeMo", 5120, ("vgg16",)),
    ):
        name = stream + suffix
        yield ExtractorEntry(name, f"{summary}; {flow}", dimension, (*needs, _FLOW), _BN, "bn_inception", (name,))


def _entries() -> Iterator[ExtractorEntry]:
    yield ExtractorEntry("captions", _SPACE, 3875, (), ".zeroshot.captions", "captions")
    yield ExtractorEntry("none", _NONE, 1, (), ".networks.none", "absent")
    yield ExtractorEntry("vgg16", "ImageNet VGG16, fc7", 4096, ("vgg16",), ".networks.vgg16", "vgg16")
    yield ExtractorEntry(_RGB, "BN-Inception of pictures, global pool", 1024, (_RGB,), _BN, "bn_inception", (_RGB,))
    for layer in ("fc6", "fc7"):
        summary = f"Sports-1M C3D of sixteen pictures, {layer}"
        yield ExtractorEntry(f"c3d-{layer}", summary, 4096, ("c3d",), ".networks.c3d", "c3d", (layer,))
    yield ExtractorEntry("clip", _CLIP, None, ("clip",), ".networks.clip", "clip")
    yield ExtractorEntry("clip-crops", _THREE, None, ("clip",), _CROPS, "clip_crops")
    for name, model in IMAGE_TEXT.items():
        summary = f"three crops of the picture, by {model.repository}"
        yield ExtractorEntry(name, summary, None, (name,), _CROPS, "fetched_crops", (name,))
    yield from _with_flow("", "TV-L1")
    yield from _with_flow("-dis", "DIS, much faster")


EXTRACTORS = {entry.name: entry for entry in _entries()}
"""What makes features here, by the name that features and checkpoints carry."""


def extractor_named(name: str, weights: Path | None = None) -> Extractor:
    """The extractor of some features.

    Args:
        name: as in `EXTRACTORS`, or several of these joined by ``+``, as features of joined stores are called.
        weights: a file of weights, or a folder of files that are named for what they are of; None for the folder that
            ``ASST_WEIGHTS`` names. ``captions`` looks at what is given alone, ``none`` at nothing.

    Raises:
        InputError: for features that cannot be made here, or when an extra or weights are missing or do not fit.
    """
    parts = name.split("+")
    if len(parts) > 1 and EXTRACTORS.keys() >= set(parts):
        return ConcatenatedExtractor([extractor_named(part, weights) for part in parts])
    if name not in EXTRACTORS:
        raise InputError(
            f"features of {name} cannot be made from a video here (only {', '.join(EXTRACTORS)}); give features that "
            "were made elsewhere, or choose another model"
        )
    entry = EXTRACTORS[name]
    if entry.extra:
        require(entry.extra, f"the extractor {name}")
    return entry.build(weights)
