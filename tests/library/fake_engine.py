"""A model that knows three colours, and videos of them; importable by the processes that it is sent to.

Run as a program this indexes: ``fake_engine.py LIBRARY WORKERS FILES...``.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from asst.features.extract import Extraction
from asst.features.extractor import Extractor, Progress
from asst.features.stores.native import Store
from asst.features.values import Features
from asst.library.engine import Engine, Identity
from asst.library.engine import engine_of as real_engine_of
from asst.library.windows import WindowVectors, windows_of
from asst.models.base import RanksByVideo
from asst.moments import Answer, Attention, Curve, Moment, rows
from asst.video import Frames, frames, probe

COLOURS = "rgb"
STEP_S = 0.5
THRESHOLD = 0.3


def make_video(path: Path, colours: str) -> Path:
    """A video with a frame, half a second long, for each letter of ``colours``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=2)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for count, colour in enumerate(colours):
            pixels = np.full((32, 32, 3), 20, dtype=np.uint8)
            pixels[..., COLOURS.index(colour)] = 230
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = count, Fraction(1, 2)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


class FakeExtractor:
    name = "colours"
    dimension = 3
    preprocessing = "p1"
    weights = "w1"
    precision = ""
    flow = ""

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        probe(video)
        return self.extract_frames(frames(video, rate=1 / STEP_S, size=(4, 4)))

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        rows = np.concatenate([batch.pixels.mean(axis=(1, 2)) for batch in frames])
        return Features((rows / 255).astype(np.float32), 0.0, STEP_S, self.name)


@dataclass(frozen=True, slots=True)
class FakeExtraction(Extraction):
    def build(self) -> tuple[Extractor, Store]:
        return FakeExtractor(), Store(self.store)


class FakeEngine(Engine, RanksByVideo):
    name = "colours"

    def __init__(self, embedding: str = "e1") -> None:
        self.model = self
        self.extractor: Extractor = FakeExtractor()
        self.identity = Identity("default", "colours", "p1", "w1", embedding, 3)

    def extraction(self, store: Path) -> Extraction:
        return FakeExtraction("colours", None, store)

    def windows(self, features: Features) -> WindowVectors:
        spans, parts = windows_of(len(features), features.step_s)
        vectors = np.stack([features.vectors[first:stop].mean(axis=0) for first, stop in spans])
        return WindowVectors(spans, parts, vectors.astype(np.float16))

    def sentence(self, query: str) -> npt.NDArray[np.float32]:
        wanted = np.full(3, -0.5, dtype=np.float32)
        if query[0] in COLOURS:
            wanted[COLOURS.index(query[0])] = 1
        return wanted

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Answer]:
        """Runs of steps with a positive score, by its mean."""
        return [self._ranking(features, query, top) for query in queries]

    def word_attention(self, features: Features, query: str) -> Attention | None:
        """Each word looks where its colour is."""
        wanted = [self.sentence(word) if word[0] in COLOURS else np.zeros(3) for word in query.split()]
        shown = np.exp(4 * np.stack(wanted) @ features.vectors.T.astype(np.float64))
        return Attention(tuple(query.split()), features.times_s, shown / shown.sum(axis=0), ("colours",))

    def _ranking(self, features: Features, query: str, top: int) -> Answer:
        scores = features.vectors @ self.sentence(query)
        moments = []
        for sign, run in groupby(range(len(scores)), key=lambda i: scores[i] > 0):
            steps = list(run)
            if sign:
                start_s, end_s = (features.start_s + step * STEP_S for step in (steps[0], steps[-1] + 1))
                moments.append(Moment(start_s, end_s, float(scores[steps].mean()), query))
        best = sorted(moments, key=lambda moment: -moment.score)[:top]
        curve = Curve(features.times_s, scores.astype(np.float64))
        found, weaker = rows(best, math.inf, THRESHOLD)
        return Answer("", query, features.video_end_s, "", found, curve, THRESHOLD, weaker=weaker)


def engine_of(model: str | Path = "default") -> Engine:
    """Stands for `asst.library.engine.engine_of`: of the default model alone."""
    return FakeEngine() if str(model) == "default" else real_engine_of(model)


class SlowEngine(FakeEngine):
    """Takes a while over each video, so that a kill finds it at work."""

    def windows(self, features: Features) -> WindowVectors:
        time.sleep(0.01)
        return super().windows(features)


if __name__ == "__main__":
    from asst.library.index import index
    from asst.library.library import Library

    engine = SlowEngine()
    library = Library.made(Path(sys.argv[1]), engine.identity)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for done in index([Path(name) for name in sys.argv[3:]], library, engine, workers=int(sys.argv[2])):
        sys.stdout.write(f"{done.state} {done.path.name} {done.reason}\n")
        sys.stdout.flush()
