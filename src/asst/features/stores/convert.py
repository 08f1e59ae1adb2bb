"""Stores to other forms and back: one HDF5 file a data set, as the field passes features on, or a folder of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from asst.atomic import moved_into_place
from asst.errors import InputError
from asst.features.disk_rows import pieces
from asst.features.stores.arrays import open_hdf5
from asst.features.stores.native import FeatureStore, Store
from asst.features.values import SAME_CLOCK

Watch = Callable[[int, int], None]
"""Called with the number of videos done, and of all."""


def to_hdf5(store: FeatureStore, path: Path, watch: Watch | None = None) -> int:
    """Writes every video's vectors as a data set of its name, of shape ``(steps, dimension)``.

    The file's attributes say what the field's files do not: ``extractor``, ``start_s``, ``step_s``, ``preprocessing``,
    ``weights`` and ``flow``, the same for all videos. Where shots begin is not kept.

    Returns:
        How many videos were written.

    Raises:
        InputError: for an empty store, videos with different clocks, or a file that cannot be written.
    """
    videos = store.videos()
    if not videos:
        raise InputError("the store holds no features; extract some first")
    first, provenance = store.read(videos[0]), store.provenance(videos[0])
    with moved_into_place(path) as lent, open_hdf5(lent, "w") as file:
        stated = {"extractor": first.extractor, "start_s": first.start_s, "step_s": first.step_s}
        file.attrs.update(stated | {name: own for name, own in asdict(provenance).items() if name != "content"})
        for number, video in enumerate(videos, start=1):
            features = store.read(video)
            apart = max(abs(features.step_s - first.step_s), abs(features.start_s - first.start_s))
            if apart > SAME_CLOCK * first.step_s:
                raise InputError(
                    f"{video} has steps of {features.step_s:g} s from {features.start_s:g} s, {videos[0]} of "
                    f"{first.step_s:g} s from {first.start_s:g} s; an HDF5 file has one clock"
                )
            # A slash in a name would make a group of it.
            written = file.create_dataset(video.replace("/", "%2F"), features.vectors.shape, features.vectors.dtype)
            at = 0
            for piece in pieces(features.vectors):
                written[at : at + len(piece)] = piece
                at += len(piece)
            if watch is not None:
                watch(number, len(videos))
    return len(videos)


def to_store(source: FeatureStore, target: Store, watch: Watch | None = None) -> int:
    """Writes every video of a store of any form into one of ours.

    Returns:
        How many videos were written.

    Raises:
        InputError: for features that cannot be read, are not finite or of another kind than the target holds.
    """
    videos = source.videos()
    for number, video in enumerate(videos, start=1):
        target.write(video.replace("%2F", "/"), source.read(video), source.provenance(video))
        if watch is not None:
            watch(number, len(videos))
    return len(videos)
