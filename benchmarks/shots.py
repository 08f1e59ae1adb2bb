"""How exactly shot cuts are found, against PySceneDetect on the same files.

Videos are made whose cuts are known to the frame (`known_cuts`). A change is found where a detector puts a cut within
half a second of it, or inside of a dissolve; whatever else it finds is false. Frame errors are of hard cuts, counted in
frames of the file; of a dissolve its middle is compared. The last lines say what exact times cost an index: the
processor time of decoding with and without them, and of all that is done for a video.

PySceneDetect is no part of the project. Put it into an environment of its own and name that:
``python -m venv sd; sd/bin/pip install scenedetect opencv-python-headless``. Without it its rows are left out.

Run: ``python benchmarks/shots.py [--data FOLDER] [--shots 30] [--scenedetect sd/bin/python]``
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from asst.features.zeroshot.captions import CaptionExtractor, captions
from asst.features.zeroshot.crops import TICK_RATE
from asst.video import ThumbnailSink, frames
from known_cuts import Known, known_videos

NEAR_S = 0.5
DETECTORS = ("ContentDetector", "AdaptiveDetector")
_DETECT = """
import json, sys, time
import scenedetect
began, own = time.perf_counter(), time.process_time()
scenes = scenedetect.detect(sys.argv[1], getattr(scenedetect, sys.argv[2])())
cost = time.perf_counter() - began, time.process_time() - own
starts = [getattr(start, "seconds", None) or start.get_seconds() for start, _ in scenes[1:]]
print(json.dumps([starts, *cost]))
"""


@dataclass
class Score:
    """What one detector made of all videos."""

    found: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    dissolves: list[int] = field(default_factory=list)
    dissolve_errors: list[int] = field(default_factory=list)
    false: int = 0
    length_s: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, known: Known, cuts_s: Sequence[float], wall_s: float, cpu_s: float) -> None:
        """Compare what was found in a video with what is there; a cut counts for one change alone."""
        left = list(cuts_s)
        for change in known.changes:
            near = [cut_s for cut_s in left if abs(cut_s - change.time_s) <= max(NEAR_S, change.length_s / 2)]
            (self.dissolves if change.length_s else self.found).append(bool(near))
            if near:
                best = min(near, key=lambda cut_s: abs(cut_s - change.time_s))
                left.remove(best)
                error = abs(_frame(known, best) - _frame(known, change.time_s))
                (self.dissolve_errors if change.length_s else self.errors).append(error)
        self.false += len(left)
        self.length_s += float(known.times_s[-1])
        self.wall_s, self.cpu_s = self.wall_s + wall_s, self.cpu_s + cpu_s

    def row(self) -> list[str]:
        """The cells of a table."""
        errors = np.array(self.errors)
        hits = len(errors) + len(self.dissolve_errors)
        mixed = f"{np.median(self.dissolve_errors):.0f}" if self.dissolve_errors else "-"
        return [
            f"{sum(self.found)} of {len(self.found)}",
            f"{sum(self.dissolves)} of {len(self.dissolves)}",
            f"{100 * hits / max(1, hits + self.false):.1f} %",
            f"{100 * (errors == 0).mean():.1f} %",
            f"{100 * (errors <= 1).mean():.1f} %",
            f"{errors.max(initial=0)}",
            mixed,
            f"{self.length_s / self.wall_s:.0f}",
            f"{self.length_s / self.cpu_s:.0f}",
        ]


def _frame(known: Known, time_s: float) -> int:
    """The frame that begins nearest to a time."""
    return int(np.abs(known.times_s - time_s).argmin())


def ours(extractor: CaptionExtractor, path: Path) -> tuple[npt.NDArray[np.float64], float, float]:
    """Where shots begin, and the seconds that this took by the clock and of the processor."""
    began, own = time.perf_counter(), time.process_time()
    cuts_s = extractor.extract(path).cuts_s
    return cuts_s, time.perf_counter() - began, time.process_time() - own


def theirs(python: str, path: Path, detector: str) -> tuple[list[float], float, float]:
    """The same by PySceneDetect."""
    command = [python, "-c", _DETECT, str(path), detector]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    cuts_s, wall_s, cpu_s = json.loads(done.stdout.splitlines()[-1])
    return cuts_s, wall_s, cpu_s


def has_scenedetect(python: str) -> bool:
    """Whether PySceneDetect can be imported there."""
    try:
        return not subprocess.run([python, "-c", "import scenedetect"], capture_output=True).returncode
    except OSError:
        return False


def decoding_s(path: Path, seen: ThumbnailSink | None) -> float:
    """Processor time of decoding as an index does, the least of three."""
    times = []
    for _ in range(3):
        began = time.process_time()
        for _ in frames(path, rate=TICK_RATE, short_side=240, threads=1, thumbnails=seen):
            pass
        times.append(time.process_time() - began)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("ASST_DATA"))
    parser.add_argument("--shots", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenedetect", default="python3", help="a Python in which PySceneDetect is installed")
    parser.add_argument("--keep", type=Path, help="a folder to make the videos in; else they are deleted")
    parser.add_argument("--misses", action="store_true", help="name what is missed or off by more than a frame")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder of real videos' folder with --data, or by ASST_DATA")
    with tempfile.TemporaryDirectory() as made:
        out = options.keep or Path(made)
        out.mkdir(parents=True, exist_ok=True)
        report(list(known_videos(Path(options.data) / "real", out, options.shots, options.seed)), options)


def report(known: Sequence[Known], options: argparse.Namespace) -> None:
    """Run every detector on the videos and print what they found."""
    extractor = captions()
    extractor.extract(known[0].path)
    detectors: dict[str, Callable[[Path], tuple[Sequence[float], float, float]]] = {
        "asst shots": lambda path: ours(extractor, path)  # type: ignore[dict-item,return-value]
    }
    console = Console()
    if has_scenedetect(options.scenedetect):
        for name in DETECTORS:
            detectors[name] = lambda path, name=name: theirs(options.scenedetect, path, name)  # type: ignore[misc]
    else:
        console.print(f"{options.scenedetect} has no scenedetect; see --help, its rows are left out")
    table = Table(title=f"{len(known)} videos, {sum(one.times_s[-1] for one in known):.0f} s")
    for heading in ("", "hard cuts", "dissolves", "precision", "exact", "within 1 frame", "most frames off"):
        table.add_column(heading, justify="right")
    for heading in ("dissolves off by", "times real time", "a core"):
        table.add_column(heading, justify="right")
    cpu_s = 0.0
    for name, detect in detectors.items():
        score = Score()
        for one in known:
            before = len(score.errors)
            cuts_s, wall_s, own_s = detect(one.path)
            score.add(one, cuts_s, wall_s, own_s)
            if options.misses:
                found = [round(float(cut_s), 3) for cut_s in cuts_s]
                console.print(name, one.path.name, "errors", score.errors[before:], found)
                console.print([(round(float(c.time_s), 3), round(c.length_s, 2)) for c in one.changes])
        cpu_s = cpu_s or score.cpu_s
        table.add_row(name, *score.row())
    console.print(table)
    without_s = sum(decoding_s(one.path, None) for one in known)
    with_s = sum(decoding_s(one.path, lambda time_s, pixels: None) for one in known)
    console.print(
        f"decoding {without_s:.1f} s of processor time, with thumbnails {with_s:.1f} s: "
        f"{100 * (with_s - without_s) / (cpu_s - (with_s - without_s)):+.1f} % of the {cpu_s:.1f} s of an index"
    )


if __name__ == "__main__":
    main()
