"""Weights in files that people have: found by the extractor's name, read without running what is in them, and fitted.

A file that does not fit its network in every tensor is refused: the features would be of another network.
"""

from __future__ import annotations

import os
import pickle
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from asst.errors import InputError, counted
from asst.features.hashing import files_hash

if TYPE_CHECKING:
    from torch import Tensor, nn

N = TypeVar("N", bound="nn.Module")

WEIGHTS_FOLDER = "ASST_WEIGHTS"
"""Environment variable that names a folder of weights, each file named for its extractor."""

SOURCES = {
    "vgg16": "torchvision's VGG16, download.pytorch.org/models/vgg16-397923af.pth, saved as vgg16.pth",
    "bn-inception-rgb": (
        "BN-Inception trained on ImageNet (bn_inception-52deb4733.pth of Cadene's pretrained-models) or a TSN RGB "
        "checkpoint of tsn-pytorch, saved as bn-inception-rgb.pth"
    ),
    "bn-inception-flow": (
        "a TSN flow checkpoint of tsn-pytorch (BN-Inception, ten input channels), saved as bn-inception-flow.pth"
    ),
    "c3d": (
        "C3D trained on Sports-1M in a PyTorch port's form (c3d.pickle of c3d-pytorch, or c3d-pretrained.pth), saved "
        "as c3d.pth"
    ),
    "clip": (
        "a Hugging Face folder of CLIP or SigLIP, such as that of openai/clip-vit-base-patch32 (hf download NAME "
        "--local-dir clip), saved as clip"
    ),
    "captions": (
        "a space of pictures and sentences, the checkpoint of a run of asst train captions, saved as "
        "captions.safetensors"
    ),
}
"""Where people get weights, by the name that their file has in a folder of weights."""

SUFFIXES = (".safetensors", ".pth", ".pt", ".pth.tar", ".pickle")


def weights_file(name: str, weights: Path | None) -> Path:
    """The file of a network's weights, by its name in `SOURCES`.

    ``weights`` is the file itself, or a folder that holds it; None looks in the folder that ``ASST_WEIGHTS`` names. An
    `InputError` if there is none, saying how to get it.
    """
    folder = weights or _named_folder(name)
    for path in (folder, *(folder / f"{name}{suffix}" for suffix in SUFFIXES)):
        if path.is_file():
            return path
    lacks = f"{folder} holds no weights of {name} ({name}.pth, .pt or .safetensors)"
    lacks = lacks if folder.is_dir() else f"no weights of {name} at {folder}"
    raise InputError(f"{lacks}; put them there: {SOURCES[name]}")


def weights_folder(name: str, weights: Path | None) -> Path:
    """The folder of a model that comes as one, with its ``config.json``; arguments and errors as `weights_file`."""
    folder = weights or _named_folder(name)
    for path in (folder, folder / name):
        if (path / "config.json").is_file():
            return path
    raise InputError(f"no {name}/config.json in {folder}; put it there: {SOURCES[name]}")


def weights_home() -> Path:
    """Where weights are kept that are fetched: the folder of ``ASST_WEIGHTS``, else one of the user's data."""
    if named := os.environ.get(WEIGHTS_FOLDER):
        return Path(named)
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "asst" / "weights"


def _named_folder(name: str) -> Path:
    """What ``ASST_WEIGHTS`` names."""
    named = os.environ.get(WEIGHTS_FOLDER)
    if not named:
        raise InputError(
            f"{name} needs weights; name the file, or set {WEIGHTS_FOLDER} to a folder that holds it: {SOURCES[name]}"
        )
    return Path(named)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file, safetensors or PyTorch's, by name; an `InputError` if it holds something else."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with path.open("rb") as file:
            # Files of before PyTorch 1.6 are no archives and cannot be mapped.
            mapped = zipfile.is_zipfile(file)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the file") from error
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except (SafetensorError, OSError, pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise InputError(f"{path} holds no weights that can be read safely; download it again or convert it") from error
    if isinstance(held, Mapping) and isinstance(held.get("state_dict"), Mapping):
        held = held["state_dict"]
    if not (isinstance(held, Mapping) and held and all(isinstance(own, torch.Tensor) for own in held.values())):
        raise InputError(f"{path} is no state dict (names to tensors); save the network's state_dict() there")
    return dict(held)


def published_network(
    make: Callable[[], N], name: str, weights: Path | None, known_as: Callable[[str], str | None]
) -> tuple[N, str]:
    """A network with the weights of its file, and their hash; arguments and errors as `weights_file` and `fit`."""
    import torch

    path = weights_file(name, weights)
    with torch.device("meta"):
        network = make()
    fit(network, path, read_state(path), known_as)
    return network, files_hash([path])


def misfits(**names: Sequence[str]) -> str:
    """What is wrong with the tensors of a file, by kinds of fault; empty if nothing is."""
    return "; ".join(
        f"{counted(len(own), 'tensor is', 'tensors are')} {kind}, first {own[0]}" for kind, own in names.items() if own
    )


def fit(network: nn.Module, path: Path, state: Mapping[str, Tensor], known_as: Callable[[str], str | None]) -> None:
    """Give a network its weights, as they are where they are ``float32``; it may be on the ``meta`` device.

    Args:
        network: to fill.
        path: the file they come from, for messages.
        state: its tensors.
        known_as: what the network calls a tensor of the file; None for one that it does without.

    Raises:
        InputError: naming the first tensor that is missing, not expected, or of another shape.
    """
    import torch

    ours = {theirs: name for theirs in state if (name := known_as(theirs)) is not None}
    wanted = network.state_dict()
    # Files of before PyTorch 0.4.1 do not count batches; nothing here reads the count.
    named = {name: torch.tensor(0) for name in wanted if name.endswith(".num_batches_tracked")}
    named |= {name: state[theirs] for theirs, name in ours.items()}
    missing = [name for name in wanted if name not in named]
    unexpected = [theirs for theirs, name in ours.items() if name not in wanted]
    if faults := misfits(missing=missing, unexpected=unexpected):
        raise InputError(f"{path} does not fit: {faults}; get the published file")
    for name, tensor in wanted.items():
        found = named[name]
        # Old ports keep the numbers of a normalisation as a row.
        if found.shape == (1, *tensor.shape):
            found = found[0]
        if found.shape != tensor.shape:
            raise InputError(
                f"{path} does not fit: {name} has the shape {tuple(found.shape)}, not {tuple(tensor.shape)}; get the "
                "published file"
            )
        named[name] = found.float() if tensor.is_floating_point() else found
    network.load_state_dict(named, assign=True)
    network.requires_grad_(False)
