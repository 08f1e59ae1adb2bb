"""Models of pictures and sentences that are fetched by name: where they are kept, and what was fetched of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from asst.atomic import write_whole
from asst.errors import InputError
from asst.features.hashing import sha256
from asst.features.weights import weights_home

_MANIFEST = "asst.json"


@dataclass(frozen=True, slots=True)
class ImageText:
    """A model that can be fetched.

    Attributes:
        name: what ``--model`` calls it.
        repository: on the hub, ``owner/name``.
        megabytes: about how much is fetched.
        licence: of the weights.
        dimension: of a vector.
    """

    name: str
    repository: str
    megabytes: int
    licence: str
    dimension: int

    @property
    def place(self) -> Path:
        """The folder that it is fetched into."""
        return weights_home() / self.name

    @property
    def here(self) -> bool:
        """Whether it was fetched."""
        return (self.place / _MANIFEST).is_file()

    def folder(self, weights: Path | None = None) -> Path:
        """Its folder: ``weights``, or one in it by its name; with None where it is fetched into.

        Raises:
            InputError: if it is not there.
        """
        if weights is None:
            places = [self.place] if self.here else []
        else:
            places = [path for path in (weights / self.name, weights) if (path / "config.json").is_file()]
        if not places:
            home = weights or weights_home()
            raise InputError(f"{self.name} is not in {home}; fetch it: asst models get {self.name}")
        return places[0]


_APPLE = "Apple's, for research"
IMAGE_TEXT = {
    model.name: model
    for model in (
        ImageText("tinyclip", "onnx-community/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M-ONNX", 96, "MIT", 512),
        ImageText("mobileclip-s0", "Xenova/mobileclip_s0", 218, _APPLE, 512),
        ImageText("clip-b32", "Xenova/clip-vit-base-patch32", 608, "MIT", 512),
        ImageText("siglip-base", "Xenova/siglip-base-patch16-224", 815, "Apache-2.0", 768),
        ImageText("siglip2-base", "onnx-community/siglip2-base-patch16-224-ONNX", 1540, "Apache-2.0", 768),
        ImageText("clip-l14", "openai/clip-vit-large-patch14", 1713, "MIT", 768),
        ImageText("siglip2-large", "google/siglip2-large-patch16-256", 3560, "Apache-2.0", 1024),
        ImageText("siglip2-so400m", "google/siglip2-so400m-patch14-384", 4580, "Apache-2.0", 1152),
    )
}
"""From small to large. Those of the first five are networks that ONNX Runtime computes, the others need PyTorch."""


def image_text_named(name: str) -> ImageText:
    """A model by its name; raises InputError for a name that is none."""
    if name not in IMAGE_TEXT:
        raise InputError(f"no model that can be fetched is called {name!r}; choose one of {', '.join(IMAGE_TEXT)}")
    return IMAGE_TEXT[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """What the hub states of a file: its bytes, and its sha256, or where it is small the id that git gives it."""

    size: int
    sha256: str = ""
    blob: str = ""

    def fits(self, path: Path) -> bool:
        """Whether a file is the one; it is read whole. Raises InputError for a file that cannot be read."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256:
            return sha256(path) == self.sha256
        content = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == self.blob


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder holds: from where, in which revision, and what the hub states of each file."""

    repository: str
    revision: str
    files: Mapping[str, HubFile]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of a folder; raises InputError if it is missing or damaged."""
        path = folder / _MANIFEST
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            files = {str(name): HubFile(**stated) for name, stated in said["files"].items()}
            return cls(str(said["repository"]), str(said["revision"]), files)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}; get the folder again") from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{path} is damaged; delete {folder} and get it again") from error

    def write(self, folder: Path) -> None:
        """Writes it into its folder, whole or not at all; raises WriteError if it cannot be written."""
        write_whole(folder / _MANIFEST, json.dumps(asdict(self), indent=2, allow_nan=False) + "\n")

    def fault(self, folder: Path) -> str:
        """What of a folder is not as stated, for people to read; empty if all is."""
        for name, stated in self.files.items():
            if not (folder / name).is_file():
                return f"{name} is missing"
            if not stated.fits(folder / name):
                return f"{name} is not as it was fetched"
        added = sorted(set(_files(folder)) - {*self.files, _MANIFEST})
        return f"{added[0]} was not fetched" if added else ""


def check_folder(folder: Path) -> None:
    """Raises InputError for a folder that was fetched and has changed since; others say nothing to check them by."""
    if (folder / _MANIFEST).exists() and (fault := Manifest.read(folder).fault(folder)):
        raise InputError(f"{folder} has changed since it was fetched: {fault}; run: asst models get {folder.name}")


def _files(folder: Path) -> Iterator[str]:
    """The paths of all files in a folder but hidden ones."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            yield inside.as_posix()
