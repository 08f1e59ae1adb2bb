"""The most memory that extraction into a store holds, by the length of the video.

Videos of 1, 10 and 60 minutes of 320x180 at 12 pictures a second show a texture that moves. Each goes to a store of its
own, by an extractor with random weights where none are packaged, in a process of its own: as ``asst features`` does it,
with the hash of the content, the check of the numbers and the writing. Memory is the most that the process held (RSS,
its libraries and mapped files counted), beside what it held before it read the video, and the size of the features.

Run: ``python benchmarks/extraction_memory.py [--minutes 1 10 60] [--only NAME ...]``
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from process_memory import most_held

WIDTH, HEIGHT, RATE = 320, 180, 12
USUAL = ("captions", "bn-inception-rgb", "bn-inception-flow-dis")


def write_video(path: Path, minutes: float) -> None:
    """A smooth texture that goes two pixels right and one down a picture."""
    coarse = np.random.default_rng(0).integers(0, 256, (HEIGHT // 20, WIDTH // 20, 3), dtype=np.uint8)
    texture = np.kron(coarse, np.ones((20, 20, 1), dtype=np.uint8))
    with av.open(str(path), "w") as out:
        options = {"crf": "28", "preset": "ultrafast", "g": "120"}
        stream = out.add_stream("libx264", rate=RATE, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(round(minutes * 60 * RATE)):
            pixels = np.roll(texture, (number, 2 * number), axis=(0, 1))
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def measure(path: Path, name: str) -> dict[str, float]:
    """One process's report, see the module's text."""
    from asst.features.extract import Job, extract_one
    from asst.features.stores.native import Store
    from extractors import BUILD

    extractor = BUILD[name]()
    before_mb = most_held()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcome = extract_one(Job(path, "video"), extractor, Store(Path(folder)))
        taken_s = time.perf_counter() - start
        assert outcome.state == "extracted", outcome.reason
        written_mb = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
    return {
        "before_mb": before_mb,
        "peak_mb": most_held(),
        "written_mb": written_mb,
        "times": outcome.video_s / taken_s,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", nargs="*", type=float, default=[1.0, 10.0, 60.0])
    parser.add_argument("--only", nargs="*", metavar="NAME", default=list(USUAL), help="as in benchmarks/extractors.py")
    parser.add_argument("--one", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--video", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.video, options.one)))
        return
    table = Table(title=f"{WIDTH}x{HEIGHT}, {RATE} pictures a second")
    table.add_column("extractor", no_wrap=True)
    for heading in ("minutes", "features MB", "before MB", "most MB", "to the shortest", "x real"):
        table.add_column(heading, justify="right")
    shortest: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.mp4"
        cases = [(minutes, name) for minutes in sorted(options.minutes) for name in options.only]
        written = 0.0
        for minutes, name in track(cases, "videos", console=Console(stderr=True)):
            if minutes != written:
                write_video(video, minutes)
                written = minutes
            command = [sys.executable, __file__, "--one", name, "--video", str(video)]
            report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            peak_mb = report["peak_mb"]
            numbers = [f"{report[key]:.0f}" for key in ("written_mb", "before_mb", "peak_mb")]
            ratio = peak_mb / shortest.setdefault(name, peak_mb)
            table.add_row(name, f"{minutes:g}", *numbers, f"{ratio:.2f}", f"{report['times']:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
