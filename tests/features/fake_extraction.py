"""An extraction whose files are texts that say what is to happen; importable by the processes that it is sent to."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asst.errors import InputError
from asst.features.extract import Extraction
from asst.features.extractor import Extractor, Progress
from asst.features.stores.native import Store
from asst.features.values import Features
from asst.video import Frames


class FakeExtractor:
    """``steps N`` makes N steps, ``steps N nan`` with a NaN in the last; ``die`` ends the process.

    ``die once`` does so the first time; anything else is no video.
    """

    name = "fake"
    dimension = 2
    preprocessing = "p1"
    weights = "w1"
    precision = ""
    flow = ""

    def __init__(self, log: Path | None = None) -> None:
        self.log = log

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        path = Path(video)
        words = path.read_text().split()
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{path.name}\n")
        if words[:1] == ["die"]:
            marker = path.with_suffix(".died")
            if "once" not in words or not marker.exists():
                marker.touch()
                os._exit(9)
            words = ["steps", "3"]
        if words[:1] != ["steps"]:
            raise InputError(f"{path}: holds no video; name another")
        time.sleep(0.01)
        if progress is not None:
            progress(1.0, 2.0)
        vectors = np.arange(2 * int(words[1]), dtype=np.float32).reshape(-1, 2)
        if "nan" in words:
            vectors[-1, 1] = np.nan
        return Features(vectors, 0.0, 0.5, self.name)

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        raise InputError("no frames here")


@dataclass(frozen=True, slots=True)
class FakeExtraction(Extraction):
    """Builds the fake, which logs what it reads to ``weights``."""

    def build(self) -> tuple[Extractor, Store]:
        return FakeExtractor(self.weights), Store(self.store)
