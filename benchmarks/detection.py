"""How long a detector of actions takes for a video whose features are given, and how much memory.

    python benchmarks/detection.py                                  # 10 minutes, 1 hour and 10 hours
    python benchmarks/detection.py --minutes 10 --rounds 5
    python benchmarks/detection.py --checkpoint runs/.../best.safetensors

The small network of simulated/small_detector, its weights fresh unless a checkpoint is named: with fresh
weights every class of every anchor is as likely as any, so that each window keeps as many detections as it may, the
most work there can be. Features are noise of 512 numbers, four steps a second, in a file. Each line is a process of its
own, so that its memory is its own: the most that it held besides what is mapped from the file.

The alternative, measured in turn in the same run, is the plain way: all windows of the video as one batch in memory,
and one suppression over everything found in it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from asst.data.batch import Collate
from asst.data.sample import Sample
from asst.features.stores.native import Store
from asst.features.values import Features
from asst.models.answers import window_answers
from asst.models.checkpoint import Description, FeatureKind, load_checkpoint
from asst.models.methods.detector import DetectorMethod
from asst.models.methods.table import RestoredMethod, build_method
from asst.models.trained.detector import A_CLASS, LEAST_SCORE, MOST_A_WINDOW, TrainedDetector
from asst.models.trained.loading import build_observation, window_steps
from asst.moments import nms

WIDTH, STEP_S, CLASSES = 512, 0.25, 20
OBSERVATION = {"kind": "crops", "steps": 128, "step_s": STEP_S}
POLL_S = 0.005
PLAIN_MOST_MINUTES = 60
"""The alternative is not run on longer videos: on ten hours it needs minutes and more than a gigabyte."""


def write_features(store: Store, minutes: int) -> str:
    """Noise as the features of a video."""
    steps = round(minutes * 60 / STEP_S)
    vectors = np.random.default_rng(0).standard_normal((steps, WIDTH), dtype=np.float32).astype(np.float16)
    name = f"{minutes}-minutes"
    store.write(name, Features(vectors, 0.0, STEP_S, "noise"))
    return name


def fresh() -> tuple[DetectorMethod, Description]:
    """The small detector with fresh weights."""
    torch.manual_seed(0)
    labels = [f"class {number}" for number in range(CLASSES)]
    sizes = {"feature_channels": WIDTH, "dilation_channels": 64, "channels": 64}
    method = DetectorMethod({**sizes, "labels": labels}).eval()
    description = Description(
        method="detector",
        settings=method.settings,
        observation=OBSERVATION,
        overlap=0.3,
        words="",
        features=FeatureKind(extractor="noise", dimension=WIDTH, step_s=STEP_S),
        origin="simulated",
        recipe="own",
        dataset="thumos14",
        split="train",
        step=0,
        seed=0,
    )
    return method, description


def loaded(path: Path) -> tuple[DetectorMethod, Description]:
    """A detector from a checkpoint that reads features of that dimension."""
    description, weights = load_checkpoint(path)
    method = build_method(description.method, dict(description.settings))
    assert isinstance(method, DetectorMethod)
    method.load_state_dict(weights)
    noise = FeatureKind(extractor="noise", dimension=description.features.dimension, step_s=STEP_S)
    return method.eval(), replace(description, features=noise)


def streamed(method: DetectorMethod, description: Description, features: Features) -> int:
    """Ours: some windows at a time, settled as they pass."""
    return len(
        TrainedDetector([RestoredMethod(method, window_steps(description))], description, "small")
        .detect(features)
        .moments
    )


def at_once(method: DetectorMethod, description: Description, features: Features) -> int:
    """The alternative: every window in one batch, everything found in one suppression a class."""
    observation = build_observation(description.observation)
    windows = observation.windows(features.end_s, features)
    samples = [
        Sample(0, window, window.read(features), np.zeros((0, 1), dtype=np.float32), np.zeros((0, 2)))
        for window in windows
    ]
    spans, scores, labels = [], [], []
    each = [method.answers(Collate(observation.steps)(samples))]
    for answer in window_answers(each, [0] * len(windows), windows):
        assert answer.labels is not None
        strength = answer.scores.mean(axis=0)
        usable = np.flatnonzero(answer.kept & (strength >= LEAST_SCORE))
        best = usable[np.argsort(-strength[usable], kind="stable")[:MOST_A_WINDOW]]
        spans.append(answer.window.to_seconds(answer.spans[best]))
        scores.append(strength[best])
        labels.append(answer.labels[best])
    everything, strengths, classes = np.concatenate(spans), np.concatenate(scores), np.concatenate(labels)
    kept = 0
    for label in range(len(method.labels)):
        own = classes == label
        kept += len(nms(everything[own], strengths[own], description.overlap, A_CLASS))
    return kept


class Memory:
    """The most anonymous memory the process holds while a block runs, in MB."""

    def __enter__(self) -> Memory:
        self.most_mb = self.before_mb = _anonymous_mb()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(POLL_S):
            self.most_mb = max(self.most_mb, _anonymous_mb())


def _anonymous_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def one(way: str, store: Path, video: str, checkpoint: Path | None) -> None:
    """Measures one video in this process and prints what it took as JSON."""
    method, description = loaded(checkpoint) if checkpoint else fresh()
    features = Store(store).read(video)
    work = {"streamed": streamed, "at once": at_once}[way]
    short = Features(features.vectors[:512], 0.0, STEP_S, "noise")
    streamed(method, description, short)  # so that nobody pays for what is loaded once
    with Memory() as memory:
        start_s = time.perf_counter()
        work(method, description, features)
        seconds = time.perf_counter() - start_s
    print(json.dumps({"seconds": seconds, "mb": memory.most_mb - memory.before_mb, "total_mb": memory.most_mb}))


def measured(way: str, store: Path, video: str, rounds: int, checkpoint: Path | None) -> dict[str, float]:
    """Medians over processes of their own."""
    words = [sys.executable, __file__, "--one", way, str(store), video]
    if checkpoint:
        words += ["--checkpoint", str(checkpoint)]
    found = [json.loads(subprocess.run(words, check=True, capture_output=True).stdout) for _ in range(rounds)]
    return {key: statistics.median(each[key] for each in found) for key in found[0]}


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 60, 600])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, store, video = options.one
        one(way, Path(store), video, options.checkpoint)
        return
    print(f"{torch.get_num_threads()} threads; medians of {options.rounds} runs, one of ten hours")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for minutes in options.minutes:
            video = write_features(store, minutes)
            rounds = options.rounds if minutes < 600 else 1
            ours = measured("streamed", store.folder, video, rounds, options.checkpoint)
            line = (
                f"{minutes:4d} min: {ours['seconds']:6.2f} s, {ours['mb']:5.0f} MB more ({ours['total_mb']:.0f} in all)"
            )
            if minutes <= PLAIN_MOST_MINUTES:
                plain = measured("at once", store.folder, video, rounds, options.checkpoint)
                line += (
                    f"; at once {plain['seconds']:6.2f} s, {plain['mb']:5.0f} MB more: "
                    f"{plain['seconds'] / ours['seconds']:.2f} times the time, "
                    f"{plain['mb'] / max(ours['mb'], 1):.1f} times the memory"
                )
            print(line, flush=True)


if __name__ == "__main__":
    main()
