"""What every extractor does: frames in, vectors out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from asst.errors import InputError
from asst.extras import require
from asst.features.image_text import IMAGE_TEXT
from asst.features.state_dict import SOURCES
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

    @property
    def preprocessing(self) -> str:
        """A short hash of all that decides the numbers besides the weights; empty where nothing does.

        It is of rates, sizes, crops, means, the layer, the algorithm of flow and its cap, and the version of the code.
        """
        ...

    @property
    def weights(self) -> str:
        """A short hash of the weights, those of several networks joined by ``+``; empty if there are none."""
        ...

    @property
    def precision(self) -> str:
        """The number format that its networks compute in, those of several joined by ``+``; empty if there are none."""
        ...

    @property
    def flow(self) -> str:
        """How optical flow is found, for people to read; empty where none is."""
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


@dataclass(frozen=True, slots=True)
class ExtractorEntry:
    """What is known of an extractor before it is built.

    Attributes:
        name: that features and checkpoints carry.
        summary: one line for a list.
        dimension: numbers in a vector; None where the weights decide.
        needs: the weights that somebody has to bring, by the names of `asst.features.state_dict.SOURCES` or
            `IMAGE_TEXT`; empty if it needs none but what packages carry.
        build: makes it of a file or a folder of weights, or None for the folder that ``ASST_WEIGHTS`` names.
    """

    name: str
    summary: str
    dimension: int | None
    needs: tuple[str, ...]
    build: Callable[[Path | None], Extractor]

    @property
    def extra(self) -> str:
        """The extra of this package that brings what it is built of; empty if it needs none."""
        if self.name == "clip":
            return "clip"
        if "clip" in self.needs or self.name in IMAGE_TEXT:
            return "hub"
        return "flow" if "bn-inception-flow" in self.needs else "torch" if self.needs else ""

    @property
    def source(self) -> str:
        """Where people get the weights; empty if it needs none."""
        return "; ".join(SOURCES.get(name, f"asst models get {name}") for name in self.needs)


def _made_in(module: str, function: str, *arguments: str) -> Callable[[Path | None], Extractor]:
    """What builds an extractor in a module that is imported when it is first built: most import torch."""

    def build(weights: Path | None) -> Extractor:
        make = getattr(import_module(f"asst.features.{module}"), function)
        extractor: Extractor = make(*arguments, weights)
        return extractor

    return build


def _packaged() -> Iterator[ExtractorEntry]:
    yield ExtractorEntry(
        "captions",
        "packaged space of pictures and sentences, colours and panning, three squares, two steps a second",
        3875,
        (),
        _made_in("captions", "captions"),
    )
    yield ExtractorEntry(
        "none", "no picture: how long the video is, for methods that look at none", 1, (), _made_in("absent", "absent")
    )


def _of_pictures() -> Iterator[ExtractorEntry]:
    yield ExtractorEntry("vgg16", "ImageNet VGG16, fc7", 4096, ("vgg16",), _made_in("vgg16", "vgg16"))
    yield ExtractorEntry(
        "bn-inception-rgb",
        "BN-Inception of pictures, global pool",
        1024,
        ("bn-inception-rgb",),
        _made_in("bn_inception", "bn_inception_rgb"),
    )
    for layer in ("fc6", "fc7"):
        summary = f"Sports-1M C3D of sixteen pictures, {layer}"
        yield ExtractorEntry(f"c3d-{layer}", summary, 4096, ("c3d",), _made_in("c3d", "c3d", layer))


def _of_language() -> Iterator[ExtractorEntry]:
    summary = "CLIP or SigLIP from a Hugging Face folder, pictures and sentences in one space"
    yield ExtractorEntry("clip", summary, None, ("clip",), _made_in("clip", "clip"))
    summary = "the same of three squares of the picture, two steps a second, as the model clip reads it"
    yield ExtractorEntry("clip-squares", summary, None, ("clip",), _made_in("clip_squares", "clip_squares"))
    for model in IMAGE_TEXT.values():
        summary = f"three squares of the picture, by {model.repository}"
        build = _made_in("clip_squares", "fetched_squares", model.name)
        yield ExtractorEntry(model.name, summary, None, (model.name,), build)


def _of_flow(suffix: str, algorithm: str, flow: str) -> Iterator[ExtractorEntry]:
    yield ExtractorEntry(
        f"bn-inception-flow{suffix}",
        f"BN-Inception of five fields of flow, global pool; {flow}",
        1024,
        ("bn-inception-flow",),
        _made_in("bn_inception", "bn_inception_flow", algorithm),
    )
    yield ExtractorEntry(
        f"two-stream{suffix}",
        f"bn-inception-rgb and bn-inception-flow side by side; {flow}",
        2048,
        ("bn-inception-rgb", "bn-inception-flow"),
        _made_in("two_stream", "two_stream", algorithm),
    )
    yield ExtractorEntry(
        f"two-stream-didemo{suffix}",
        f"vgg16 and bn-inception-flow side by side, the paper's on DiDeMo; {flow}",
        5120,
        ("vgg16", "bn-inception-flow"),
        _made_in("two_stream", "two_stream_didemo", algorithm),
    )


EXTRACTORS: dict[str, ExtractorEntry] = {
    entry.name: entry
    for entry in (
        *_packaged(),
        *_of_pictures(),
        *_of_language(),
        *_of_flow("", "tvl1", "TV-L1"),
        *_of_flow("-dis", "dis", "DIS, much faster"),
    )
}
"""What makes features here, by the name that features and checkpoints carry."""


def extractor_named(name: str, weights: Path | None = None) -> Extractor:
    """The extractor of some features.

    Args:
        name: as in `EXTRACTORS`, or several of these joined by ``+``, as features of joined stores are called.
        weights: a file of weights, or a folder of files that are named for what they are of; None for the folder that
            the environment variable ``ASST_WEIGHTS`` names. Packaged extractors do not look there: ``captions`` reads
            another space only if it is given, ``none`` nothing.

    Raises:
        InputError: for features that cannot be made here, or when an extra or weights are missing or do not fit.
    """
    parts = name.split("+")
    if len(parts) > 1 and EXTRACTORS.keys() >= set(parts):
        from asst.features.joined import JoinedExtractor

        return JoinedExtractor([extractor_named(part, weights) for part in parts])
    if name not in EXTRACTORS:
        raise InputError(
            f"features of {name} cannot be made from a video here (only {', '.join(EXTRACTORS)}); give features that "
            "were made elsewhere, or choose another model"
        )
    entry = EXTRACTORS[name]
    if entry.extra:
        require(entry.extra, f"the extractor {name}")
    return entry.build(weights)
