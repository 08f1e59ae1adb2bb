"""What the extractors of published networks share: frames of each step, prepared, through networks, to features.

A video is read as a stream of 24 frames a second on its own clock, whatever its rate, so that six fill a step of a
quarter of a second and a step's middle is a picture. Decoding, preparing and the networks run beside each other, each a
few steps ahead of the next: memory is flat in the video's length.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path

import numpy as np
import torch
from torch import nn

from asst.errors import InputError
from asst.features.disk_rows import SpillingRows
from asst.features.extractor import Progress
from asst.features.hashing import settings_hash
from asst.features.prefetch import decoded_ahead, in_order
from asst.features.resampling import FrameSize, centre, pictures, ticks
from asst.features.runtime import fastest_device, fastest_dtype, precision_name
from asst.features.values import Features
from asst.moments import Float16Array
from asst.video import Frames, probe
from asst.video.picture import Pixels

TICK_RATE = 24
TICKS_A_STEP = 6
STEP_S = TICKS_A_STEP / TICK_RATE
MIDDLE = TICKS_A_STEP // 2
"""The tick of a step that its middle falls on, counted from its first."""

BATCH_STEPS = 8
_DECODED_TICKS = 16


@dataclass(frozen=True, slots=True)
class Branch:
    """One network and what it sees of a step.

    Attributes:
        network: takes a batch of what ``prepare`` makes, ``(batch, ...)``, and returns ``(batch, dimension)``.
        ticks: that it sees, counted from the step's first. Those before the first frame show the first, those after the
            last show the last, as in the last step, which the end may cut short.
        prepare: makes the network's input of these frames, each ``(height, width, 3)``; always of one shape.
        settings: all that decides its numbers besides the weights; fit for JSON.
        weights: a short hash of the weights.
        flow: how its optical flow is found, for people; empty without.
    """

    network: nn.Module
    dimension: int
    ticks: range
    prepare: Callable[[Sequence[Pixels]], Pixels]
    settings: Mapping[str, object]
    weights: str
    flow: str = ""


class FrameNetwork:
    """An extractor of one or more networks, four steps a second; their vectors stand side by side."""

    def __init__(self, name: str, branches: Sequence[Branch], size: FrameSize, batch: int = BATCH_STEPS) -> None:
        self.name = name
        self.dimension = sum(branch.dimension for branch in branches)
        seen = [(branch.ticks.start, branch.ticks.stop) for branch in branches]
        clock = {"tick_rate": TICK_RATE, "ticks_a_step": TICKS_A_STEP, "sees": seen}
        pictures = {"short_side": size.short_side, "exact": size.exact, "grows": size.grows}
        self.preprocessing = settings_hash(
            {**clock, **pictures, "branches": [dict(branch.settings) for branch in branches]}
        )
        self.weights = "+".join(branch.weights for branch in branches)
        self.precision = precision_name()
        self.flow = ", ".join(branch.flow for branch in branches if branch.flow)
        self.branches = tuple(branches)
        self.size = size
        self._batch = batch
        # Ticks that no network sees need not be decoded.
        self._stride = math.gcd(TICKS_A_STEP, *chain.from_iterable(branch.ticks for branch in branches))
        self.rate = TICK_RATE / self._stride
        for branch in branches:
            branch.network.eval().to(fastest_device(), fastest_dtype())
            for layer in branch.network.modules():
                # Frames come with the colours of a pixel side by side; kernels in that order need not be reordered
                # for each batch, which is up to a tenth of the time.
                if isinstance(layer, nn.Conv2d):
                    layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """See `asst.features.extractor.Extractor`; decoding runs beside the networks."""
        info, size = probe(video), self.size
        height, width = size.of(*size.kept(info.height, info.width))
        crop = None if size.exact else size.crop
        options = {"size": (width, height), "crop": crop, "batch": _DECODED_TICKS}
        return self._features(decoded_ahead(video, self.rate, info.duration_s, progress, **options), info.duration_s)

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """See `asst.features.extractor.Extractor`; batches may differ in the size of their frames."""
        return self._features(ticks(frames, self.rate, _DECODED_TICKS, self.size.sized))

    def _features(self, batches: Iterable[Frames], length_s: float = math.inf) -> Features:
        rows = SpillingRows(self.dimension)
        pool = ThreadPoolExecutor(os.cpu_count() or 1, "preparing")
        first = min(branch.ticks.start for branch in self.branches) // self._stride
        last = max(branch.ticks.stop - 1 for branch in self.branches) // self._stride
        seen = windows(pictures(batches), range(first, last + 1), TICKS_A_STEP // self._stride)
        try:
            # The input of every network is made by several threads ahead of the networks.
            begun = (pool.submit(self._inputs, window, first, times).result for window, times in repeated(seen))
            prepared = in_order(begun, self._batch)
            while steps := list(islice(prepared, self._batch)):
                for row, (_, times) in zip(self._seen([inputs for inputs, _ in steps]), steps, strict=True):
                    rows.append(row, times)
        finally:
            # Flow takes seconds a step: what waits is not begun when an error or a key ends this.
            pool.shutdown(cancel_futures=True)
        if not len(rows):
            raise InputError("no frame to look at; give at least one")
        return Features(rows.finished(), 0.0, STEP_S, self.name, length_s=length_s)

    def _inputs(self, window: Sequence[Pixels], first: int, times: int) -> tuple[list[Pixels], int]:
        each = ([window[tick // self._stride - first] for tick in branch.ticks] for branch in self.branches)
        return [branch.prepare(own) for branch, own in zip(self.branches, each, strict=True)], times

    @torch.inference_mode()
    def _seen(self, steps: Sequence[Sequence[Pixels]]) -> Float16Array:
        """The vectors of some steps, shape ``(steps, dimension)``."""
        device = fastest_device()
        vectors = [
            branch.network(torch.from_numpy(np.stack(inputs)).to(device)).half().cpu()
            for branch, inputs in zip(self.branches, zip(*steps, strict=True), strict=True)
        ]
        return torch.cat(vectors, dim=1).numpy()


def windows(pictures: Iterable[Pixels], seen: range, stride: int) -> Iterator[list[Pixels]]:
    """For every step that begins before the frames end, one a tick, the frames of the ticks that it sees, as they come.

    ``seen`` counts from a step's first tick, and ends there or later; steps are ``stride`` ticks apart. The first and
    the last frame stand for ticks beyond the ends.

    >>> [*windows("abcde", range(-1, 2), 2)]
    [['a', 'a', 'b'], ['b', 'c', 'd'], ['d', 'e', 'e']]
    """
    kept: deque[Pixels] = deque()
    start = count = step = 0

    def window() -> list[Pixels]:
        return [kept[min(max(stride * step + tick, 0), count - 1) - start] for tick in seen]

    for picture in pictures:
        kept.append(picture)
        count += 1
        if count > stride * step + seen[-1]:
            yield window()
            step += 1
            while start < min(stride * step + seen[0], count - 1):
                kept.popleft()
                start += 1
    while stride * step < count:
        yield window()
        step += 1


def repeated(windows: Iterable[list[Pixels]]) -> Iterator[tuple[list[Pixels], int]]:
    """Each window, and how often it comes in a row: of the very same frames, as where one is held."""
    for _, alike in groupby(windows, key=lambda window: [*map(id, window)]):
        ((times, window),) = deque(enumerate(alike, start=1), maxlen=1)
        yield window, times


def middle_picture(
    network: nn.Module, dimension: int, side: int, settings: Mapping[str, object], weights: str
) -> Branch:
    """A branch whose network sees the square in the centre of the step's middle frame, ``(side, side, 3)``."""

    def prepare(pictures: Sequence[Pixels]) -> Pixels:
        (picture,) = pictures
        return centre(picture, side, side)

    return Branch(network, dimension, range(MIDDLE, MIDDLE + 1), prepare, settings, weights)
