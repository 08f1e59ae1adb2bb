"""Where a data set's annotation files lie, if nobody says."""

from __future__ import annotations

import os
from pathlib import Path

from asst.errors import InputError

DATA = "ASST_DATA"
"""Environment variable that names the folder with a folder a data set."""


def data_folder(name: str) -> Path:
    """The folder of a data set's annotation files, by its key in `asst.data.DATASETS`.

    Raises:
        InputError: if it is not there, or nobody says where.
    """
    above = os.environ.get(DATA)
    if not above:
        raise InputError(f"where is the annotation of {name}? name its folder, or set {DATA} to the folder above it")
    folder = Path(above) / name
    if not folder.is_dir():
        raise InputError(f"no annotation of {name} at {folder}; name its folder, or set {DATA} to the folder above it")
    return folder
