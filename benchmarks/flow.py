"""What optical flow costs a pair of pictures, and how far the cheaper ways are from TV-L1 at OpenCV's own cap.

Pairs of neighbouring pictures, 24 a second, are taken evenly from a real video at the size at which the extractors find
flow: the short side brought to 256 pixels, the 340 x 256 in the centre. Pairs of two shots are left out, as nothing in
them can be followed. TV-L1 runs with at most 300 iterations a warp,
OpenCV's own cap, then with at most 30, the extractors' cap; then DIS. Each runs on one thread, as the extractors give
each pair a thread. The difference is the distance in pixels between where a pixel goes by one and by TV-L1 at 300
(endpoint difference), after both are clipped to 20 pixels of motion. It does not say which
of two is nearer to the truth; the last column does, in part: the second picture is brought back along the flow, and
differs from the first by so many grey levels on average.

Run: ``python benchmarks/flow.py [--video FILE] [--pairs 12]``
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from asst.cli.asking import DEMO_VIDEO
from asst.features.networks.bn_inception import SIZE
from asst.features.networks.flow import BOUND, TVL1_ITERATIONS, OpticalFlow
from asst.features.networks.frame_network import TICK_RATE
from asst.features.resampling import centre
from asst.features.zeroshot.shots import coarse_colours
from asst.moments import Float32Array
from asst.video import frames, probe
from asst.video.picture import Pixels

WIDTH, HEIGHT = 340, 256
LONGEST = 300
# Grey levels that coarse colours change by between two shots, as where the packaged extractor looks for cuts.
OF_TWO_SHOTS = 20.0
_EDGE = cv2.BORDER_REPLICATE
WAYS = {
    f"TV-L1, at most {LONGEST}": OpticalFlow("tvl1", LONGEST),
    f"TV-L1, at most {TVL1_ITERATIONS}": OpticalFlow("tvl1"),
    "DIS": OpticalFlow("dis"),
}


def pairs_of(video: Path, number: int) -> list[tuple[Pixels, Pixels]]:
    """Pairs of neighbouring pictures of one shot, spread evenly over a video."""
    info = probe(video)
    height, width = SIZE.of(info.height, info.width)
    firsts_s = (np.arange(number) + 0.5) * (info.duration_s - 1 / TICK_RATE) / number
    pairs = []
    for first_s in firsts_s.tolist():
        (batch,) = frames(video, times_s=[first_s, first_s + 1 / TICK_RATE], size=(width, height))
        first, second = (centre(picture, HEIGHT, WIDTH) for picture in batch.pixels)
        before, after = coarse_colours(np.stack([first, second]))
        if np.abs(after - before).mean() < OF_TWO_SHOTS:
            pairs.append((first, second))
    return pairs


def clipped(field: Float32Array) -> Float32Array:
    """As much of motion as the networks are told."""
    return np.clip(field, -BOUND, BOUND)


def left_over(pair: tuple[Pixels, Pixels], field: Float32Array) -> float:
    """Grey levels by which the second picture, brought back along the flow, differs from the first on average."""
    first, second = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in pair)
    rows, columns = np.mgrid[: first.shape[0], : first.shape[1]].astype(np.float32)
    back = cv2.remap(second, columns + field[..., 0], rows + field[..., 1], cv2.INTER_LINEAR, borderMode=_EDGE)
    return float(np.abs(back - first).mean())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="by default a ten-second clip that a dependency installs")
    parser.add_argument("--pairs", type=int, default=12)
    options = parser.parse_args()
    video = options.video or DEMO_VIDEO
    cv2.setNumThreads(1)
    pairs = pairs_of(video, options.pairs)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    fields: dict[str, list[Float32Array]] = {way: [] for way in WAYS}
    for pair in track(pairs, "pairs", console=Console(stderr=True)):
        for way, flow in WAYS.items():
            start = time.perf_counter()
            (field,) = flow.fields(pair)
            seconds[way].append(time.perf_counter() - start)
            fields[way].append(clipped(field))
    longest, *_ = WAYS
    truth = np.stack(fields[longest])
    moves = np.linalg.norm(truth, axis=3)
    title = f"{video.name}, {len(pairs)} pairs, moving {moves.mean():.2f} pixels on average, {moves.max():.1f} at most"
    table = Table(title=title)
    table.add_column("flow", no_wrap=True)
    for heading in ("s a pair", "least", "most", "times as fast", "px apart", "median", "95 %", "grey left"):
        table.add_column(heading, justify="right")
    for way in WAYS:
        taken = np.array(seconds[way])
        apart = np.linalg.norm(np.stack(fields[way]) - truth, axis=3)
        numbers = [f"{taken.mean():.3f}", f"{taken.min():.3f}", f"{taken.max():.3f}"]
        numbers.append(f"{np.mean(seconds[longest]) / taken.mean():.1f}")
        numbers += [f"{apart.mean():.2f}", f"{np.median(apart):.2f}", f"{np.percentile(apart, 95):.2f}"]
        left = [left_over(pair, field) for pair, field in zip(pairs, fields[way], strict=True)]
        table.add_row(way, *numbers, f"{np.mean(left):.2f}")
    Console().print(table)
    still = np.mean([left_over(pair, np.zeros_like(truth[0])) for pair in pairs])
    print(f"Without any flow {still:.2f} grey levels are left.")


if __name__ == "__main__":
    main()
