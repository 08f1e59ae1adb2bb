"""Where a data set's annotation files lie, if nobody says."""

from __future__ import annotations

import os
from pathlib import Path

from asst.errors import InputError

DATA = "ASST_DATA"
"""Environment variable that names the folder with a folder a data set."""

BESIDE = Path("../shared/data")


def data_folder(name: str) -> Path:
    """The folder of a data set's annotation files, by its key in `asst.data.DATASETS`.

    Raises:
        InputError: naming the places looked at, if it is in none of them.
    """
    own = os.environ.get(DATA)
    places = [place / name for place in ([Path(own)] if own else []) + [BESIDE]]
    for place in places:
        if place.is_dir():
            return place
    looked = " or ".join(map(str, places))
    raise InputError(f"no annotation of {name} at {looked}; name its folder, or set {DATA} to the folder above it")
