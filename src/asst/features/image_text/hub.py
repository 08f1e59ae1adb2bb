"""Models of pictures and sentences that are fetched from a hub by name: which there are, and what was fetched of them.

Only the files that are needed are fetched, each checked against what the hub states of it. They are written into a
folder of another name, which gets the model's once all are whole. What a broken connection has left is gone on with.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import TypeAdapter, ValidationError

from asst._version import __version__
from asst.atomic import is_refusal, write_error, write_whole
from asst.errors import InputError
from asst.extras import require
from asst.features.hashing import sha256
from asst.features.weights import weights_home

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

PICTURES, SENTENCES = "onnx/vision_model.onnx", "onnx/text_model.onnx"
"""The networks of a folder in the form that ONNX Runtime runs."""

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
        """Its folder: ``weights`` or in it, with None where it is fetched into; an `InputError` if not there."""
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
            return TypeAdapter(cls).validate_json(path.read_bytes(), strict=True)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}; get the folder again") from error
        except ValidationError as error:
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


# Called with the bytes that are there, and those that there will be.
Progress = Callable[[int, int], None]

_NEEDED = ("config.json", "tokenizer.json")
_PREPROCESSING = ("preprocessor_config.json", "processor_config.json")
_TOLD = ("tokenizer_config.json", "special_tokens_map.json")
_SHARDS = "model.safetensors.index.json"
# What the hub answers for repositories that it has not, and for those of others.
_NOT_SHOWN = (401, 404)
_AGAIN = "run the same again to go on"


def fetch(model: ImageText, progress: Progress = lambda _done, _all: None) -> Manifest:
    """Fetches a model; one that is there and whole is left as it is, without asking the hub.

    Raises:
        InputError: if the hub cannot be reached or has not what is needed, or for a file other than the hub states.
        WriteError: if it cannot be written.
    """
    place = model.place
    if place.exists() and not model.here:
        raise InputError(
            f"{place} is there and was not fetched by asst; move it elsewhere, or use it as --model {place}"
        )
    with _alone(place):
        if model.here and not (manifest := Manifest.read(place)).fault(place):
            return manifest
        with _told(model):
            manifest = _stated(model)
            part = place.with_name(f".{model.name}.{manifest.revision[:12]}.part")
            for other in place.parent.glob(f".{model.name}.*.part"):
                if other != part:
                    shutil.rmtree(other)
            if place.exists():
                # Files that are as stated are not fetched again.
                shutil.rmtree(part, ignore_errors=True)
                place.rename(part)
            _fill(part, manifest, progress)
            manifest.write(part)
            part.rename(place)
    return manifest


def wanted(names: Sequence[str]) -> list[str]:
    """The files of a repository that are needed, with weights in one form; a ValueError says what it lacks."""
    preprocessing = next((name for name in _PREPROCESSING if name in names), _PREPROCESSING[0])
    if lacking := [name for name in (*_NEEDED, preprocessing) if name not in names]:
        raise ValueError(f"it has no {lacking[0]}")
    if PICTURES in names and SENTENCES in names:
        # Beside a large network lies a file of its weights.
        beside = tuple(f"{network}_data" for network in (PICTURES, SENTENCES))
        weights = [PICTURES, SENTENCES, *(name for name in names if name.startswith(beside))]
    elif "model.safetensors" in names:
        weights = ["model.safetensors"]
    elif _SHARDS in names:
        weights = [_SHARDS, *(name for name in names if name.startswith("model-") and name.endswith(".safetensors"))]
    else:
        raise ValueError(f"it has neither model.safetensors nor {PICTURES} and {SENTENCES}")
    return [*_NEEDED, preprocessing, *(name for name in _TOLD if name in names), *weights]


def _stated(model: ImageText) -> Manifest:
    """What the hub states of the files that are needed."""
    from huggingface_hub import HfApi

    api = HfApi(library_name="asst", library_version=__version__)
    try:
        info = api.model_info(model.repository, files_metadata=True)
        files = {sibling.rfilename: sibling for sibling in info.siblings or []}
        if not info.sha:
            raise ValueError("the revision is not stated")
        return Manifest(model.repository, info.sha, {name: _file(files[name]) for name in wanted(list(files))})
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # What is no hub may answer anything.
        raise InputError(f"{model.repository} at {api.endpoint} cannot be used: {_line(error)}") from error


def _file(said: RepoSibling) -> HubFile:
    content = said.lfs.sha256 if said.lfs else said.blob_id
    if said.size is None or not content:
        raise ValueError(f"the size or the hash of {said.rfilename} is not stated")
    return HubFile(size=said.size, **{"sha256" if said.lfs else "blob": content})


def _fill(part: Path, manifest: Manifest, progress: Progress) -> None:
    """Fetches what is not yet there."""
    part.mkdir(parents=True, exist_ok=True)
    for path in part.rglob("*"):
        if path.is_file() and path.relative_to(part).as_posix() not in manifest.files:
            path.unlink()
    size = sum(stated.size for stated in manifest.files.values())
    missing = size - sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
    free = shutil.disk_usage(part).free
    if missing > free:
        raise InputError(
            f"{missing / 1e6:.0f} MB are to be fetched and {part.parent} has {free / 1e6:.0f} MB left; free space or "
            "set ASST_WEIGHTS to another folder"
        )
    done = 0
    for name, stated in manifest.files.items():
        progress(done, size)
        _fetch_file(manifest, name, part / name, partial(_Bar, progress, done, size))
        done += stated.size
    progress(done, size)


def _fetch_file(manifest: Manifest, name: str, path: Path, bar: Any) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    stated = manifest.files[name]
    if stated.fits(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size >= stated.size:
        path.unlink()
    headers = build_hf_headers(library_name="asst", library_version=__version__)
    url = hf_hub_url(manifest.repository, name, revision=manifest.revision)
    with path.open("ab") as file:
        http_get(url, file, resume_size=file.tell(), headers=headers, expected_size=stated.size, tqdm_class=bar)
    if not stated.fits(path):
        path.unlink()
        raise InputError(
            f"{name} of {manifest.repository} came damaged: it is not what the hub states; run the same again"
        )


class _Bar:
    """What the library that fetches takes for a bar."""

    def __init__(self, progress: Progress, before: int, size: int, *, initial: int = 0, **_given: object) -> None:
        self._progress, self._done, self._size = progress, before + initial, size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        pass

    def update(self, count: int) -> None:
        """More bytes are there; fewer where it begins anew."""
        self._done += count
        self._progress(self._done, self._size)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Holds a lock, so that nobody else fetches the same into the same folder."""
    require("hub", "fetching")
    from filelock import FileLock, Timeout

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place.with_name(f".{place.name}.lock")).acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"{place.name} is being fetched into {place.parent} already; wait for that") from error
    except OSError as error:
        raise write_error(place, error) from error
    with lock:
        yield


@contextmanager
def _told(model: ImageText) -> Iterator[None]:
    """Says in one line what went wrong between here and the hub."""
    from huggingface_hub import constants, errors, logging

    silence: Any = logging.set_verbosity_error
    silence()
    unreachable: Any = errors.HTTPError  # type: ignore[attr-defined]  # whichever library it speaks HTTP by
    repository, hub = model.repository, constants.ENDPOINT
    try:
        yield
    except InputError:
        raise
    except errors.GatedRepoError as error:
        raise InputError(f"{repository} is gated: accept its terms at {hub}/{repository}, and log in") from error
    except errors.OfflineModeIsEnabled as error:
        raise InputError(f"HF_HUB_OFFLINE is set, so {model.name} cannot be fetched; unset it") from error
    except errors.HfHubHTTPError as error:
        if error.response.status_code in _NOT_SHOWN:
            raise InputError(
                f"{hub} has no {repository}, or shows it only to others; see {hub}/{repository}"
            ) from error
        raise InputError(f"{hub} refused {repository} ({_line(error)}); try later, or see HF_ENDPOINT") from error
    except unreachable as error:
        raise InputError(f"{hub} cannot be reached, or was cut off ({_line(error)}); {_AGAIN}") from error
    except OSError as error:
        if is_refusal(error):
            raise write_error(model.place, error) from error
        raise InputError(f"{repository} could not be fetched whole ({_line(error)}); {_AGAIN}") from error


def _line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
