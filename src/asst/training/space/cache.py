"""What the frozen parts of both towers make of pictures and sentences: computed once, kept in half precision.

A training that went through whole networks at every step would take days; from what is kept here it takes hours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageEnhance
from rich.console import Console
from rich.progress import track

from asst.atomic import writing_whole
from asst.data.readers.captions import Captioned, Captions, decoded
from asst.features.runtime import fastest_dtype
from asst.features.zeroshot.efficientnet import SIDE
from asst.moments import Float16Array
from asst.training.space.towers import EfficientNetLite, MiniLM
from asst.training.space_recipe import CaptionData, CaptionNetwork

Item = TypeVar("Item")

CHUNK = 1024
"""Pictures or sentences a file."""
_LONGEST = 2
"""Longest side of a picture, in short sides; what is longer is squeezed."""
_TOGETHER = 64


class KeptArrays:
    """``count`` arrays of one kind, each of any height or length, memory-mapped from files of `CHUNK`."""

    def __init__(self, folder: Path, name: str, count: int) -> None:
        self._folder, self._name, self._count = folder, name, count
        self._opened: dict[int, tuple[Float16Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]] = {}

    def __len__(self) -> int:
        return self._count

    def missing(self) -> set[int]:
        """The chunks that are not yet written."""
        return {chunk for chunk in range(-(-self._count // CHUNK)) if not self._path(chunk, "values").exists()}

    def write(self, chunk: int, arrays: Sequence[Float16Array]) -> None:
        """Keeps the arrays of a chunk, each ``(..., channels)``."""
        with writing_whole(self._path(chunk, "shapes")) as file:
            np.save(file, np.array([array.shape for array in arrays], dtype=np.int64))
        # The values come last: where they are, the chunk is whole.
        with writing_whole(self._path(chunk, "values")) as file:
            np.save(file, np.concatenate([array.ravel() for array in arrays]))

    def shape(self, index: int) -> tuple[int, ...]:
        """Of one array."""
        chunk, at = divmod(index, CHUNK)
        return tuple(int(size) for size in self._chunk(chunk)[1][at])

    def __getitem__(self, index: int) -> Float16Array:
        chunk, at = divmod(index, CHUNK)
        values, shapes, ends = self._chunk(chunk)
        return values[ends[at] : ends[at + 1]].reshape(shapes[at])

    def _chunk(self, chunk: int) -> tuple[Float16Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        if chunk not in self._opened:
            shapes = np.load(self._path(chunk, "shapes"))
            values = np.load(self._path(chunk, "values"), mmap_mode="r")
            self._opened[chunk] = (values, shapes, np.concatenate([[0], np.cumsum(shapes.prod(axis=1))]))
        return self._opened[chunk]

    def _path(self, chunk: int, what: str) -> Path:
        return self._folder / f"{self._name}-{chunk:05d}.{what}.npy"


def keep_maps(
    captions: Captions, data: CaptionData, network: CaptionNetwork, folder: Path, *, progress: bool
) -> list[KeptArrays]:
    """What the first block that learns reads of each view of each picture, ``(height, width, channels)``.

    What is in the folder is not made again. Raises an `InputError` for a damaged picture, or a folder that cannot be
    written.
    """
    plain = f"maps-{network.first_block}-view"
    drawn = f"{data.crop:g}-{data.jitter:g}-"
    count = len(captions.pictures)
    kept = [KeptArrays(folder, f"{plain}{drawn if view > 1 else ''}{view}", count) for view in range(data.views)]
    missing = [own.missing() for own in kept]
    if not any(missing):
        return kept
    lite = EfficientNetLite().to(fastest_dtype())

    def maps(item: tuple[int, tuple[Captioned, bytes | None]], chunk: int) -> dict[int, Float16Array]:
        number, (picture, image) = item
        whole = decoded(picture, image)
        views = [view for view in range(data.views) if chunk in missing[view]]
        return {view: _before(lite, network.first_block, _view(whole, view, number, data)) for view in views}

    numbered = enumerate(captions.images())
    with _one_thread_each() as pool:
        for chunk in _shown(range(-(-count // CHUNK)), "keeping pictures", progress):
            items = [next(numbered) for _ in range(min(CHUNK, count - chunk * CHUNK))]
            if any(chunk in own for own in missing):
                made = list(pool.map(partial(maps, chunk=chunk), items))
                for view in made[0]:
                    kept[view].write(chunk, [own[view] for own in made])
    return kept


def keep_hidden(sentences: Sequence[str], network: CaptionNetwork, folder: Path, *, progress: bool) -> KeptArrays:
    """What the first layer that learns reads of each sentence, ``(tokens, channels)``; of one token if none learns.

    What is in the folder is not made again.
    """
    kept = KeptArrays(folder, f"hidden-{network.first_layer}", len(sentences))
    missing = kept.missing()
    if not missing:
        return kept
    encoder = MiniLM()
    with _one_thread_each() as pool:
        for chunk in _shown(sorted(missing), "keeping sentences", progress):
            tokens = encoder.tokens(sentences[chunk * CHUNK : (chunk + 1) * CHUNK])
            order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
            parts = [[tokens[index] for index in order[at : at + _TOGETHER]] for at in range(0, len(order), _TOGETHER)]
            made = [own for part in pool.map(partial(_hidden, encoder, network.first_layer), parts) for own in part]
            kept.write(chunk, [own for _, own in sorted(zip(order, made, strict=True), key=lambda pair: pair[0])])
    return kept


def _view(picture: Image.Image, view: int, number: int, data: CaptionData) -> npt.NDArray[np.uint8]:
    """Pixels of a view: a function of it and the picture's number alone."""
    random = np.random.default_rng((view, number))
    width, height = picture.size
    if view > 1:
        side = float(np.sqrt(random.uniform(data.crop, 1)))
        across, down = max(1, int(width * side)), max(1, int(height * side))
        left, top = (int(random.integers(spare + 1)) for spare in (width - across, height - down))
        picture = picture.crop((left, top, left + across, top + down))
        width, height = picture.size
        for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            picture = change(picture).enhance(random.uniform(1 - data.jitter, 1 + data.jitter))
    if view == 1 or (view > 1 and random.random() < 0.5):
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = SIDE / min(width, height)
    size = [min(max(SIDE, round(length * scale)), _LONGEST * SIDE) for length in (width, height)]
    return np.asarray(picture.resize((size[0], size[1]), Image.Resampling.BICUBIC))


def _before(lite: EfficientNetLite, block: int, pixels: npt.NDArray[np.uint8]) -> Float16Array:
    with torch.inference_mode():
        maps = lite.before(torch.from_numpy(pixels.copy())[None], block)
        kept: Float16Array = maps[0].permute(1, 2, 0).half().numpy()
    return kept


def _hidden(encoder: MiniLM, layers: int, tokens: Sequence[Sequence[int]]) -> list[Float16Array]:
    with torch.inference_mode(), torch.autocast("cpu", fastest_dtype(), enabled=fastest_dtype() != torch.float32):
        x, real = encoder.embedded(tokens)
        for layer in encoder.layers[:layers]:
            x = layer(x, real)
        if layers == len(encoder.layers):
            # Nothing will look at single tokens any more: their mean stands for all.
            return [own[None].half().numpy() for own in encoder(x, real, layers)]
        return [own[: len(ids)].half().numpy() for own, ids in zip(x, tokens, strict=True)]


@contextmanager
def _one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """A pool with a thread a core, whose sums take one each."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(os.cpu_count() or 1, "keeping") as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def _shown(items: Sequence[Item], what: str, progress: bool) -> Iterator[Item]:
    yield from track(items, what, console=Console(stderr=True), transient=True, disable=not progress)
