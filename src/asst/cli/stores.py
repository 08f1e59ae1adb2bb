"""The features that a checkpoint reads, from the stores that ``--store`` names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asst.errors import InputError

if TYPE_CHECKING:
    from asst.features.stores.native import FeatureStore


def checkpoint_store(
    checkpoint: str,
    extractor: str,
    stores: Sequence[Path],
    step_s: float | None,
    preprocessing: str = "",
    key: str | None = None,
) -> FeatureStore:
    """One store, or one a stream side by side.

    Args:
        checkpoint: its name, for messages.
        extractor: the features it reads; streams are joined by ``+``.
        stores: of all streams together, or of each, in their order.
        step_s: for published stores, how long a step lasts in seconds.
        preprocessing: of the features it reads.
        key: for published stores, the array to take where a video has several.

    Raises:
        InputError: for another number of stores, one that cannot be opened, or features that only a recipe makes.
    """
    from asst.features.stores.external import Timing, open_store
    from asst.features.stores.native import UNIT_LENGTH, ConcatenatedStore

    if UNIT_LENGTH in preprocessing:
        raise InputError(f"{checkpoint} reads features that its recipe normalizes; judge it with asst evaluate RUN")
    streams = extractor.split("+")
    if len(stores) not in (1, len(streams)):
        raise InputError(
            f"{checkpoint} reads features of {' and '.join(streams)}; give --store STORE "
            + ("once" if len(streams) == 1 else f"{len(streams)} times, in this order")
        )
    names = streams if len(stores) > 1 else [extractor]
    opened = [
        open_store(path, Timing(name, step_s) if step_s else None, key)
        for path, name in zip(stores, names, strict=True)
    ]
    return opened[0] if len(opened) == 1 else ConcatenatedStore(opened)
