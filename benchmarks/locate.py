"""What finding moments costs, by the length of the video, against a plain loop over frames.

Videos of 30 s, 5 min and 1 h at 640x360 are made by joining the real clips, encoding them once and repeating the
result. Each is searched in a process of its own, which reports how fast up to five minutes of it decode alone, how many
pictures the network looked at, the time that all threads together spent in it while decoding ran beside it, the time to
score one sentence, the processor time of the whole (all cores), the whole, and the most memory it held. On a busy
machine wall time says little: what it would come near on an idle one is the length times the cores by the processor
time, here called "at best". The plain loop looks at two frames a second of the 30 s video: every frame converted at
full size, one picture at a time through the same network in float32, nothing at the same time as anything else. Last, a
cold ``asst locate`` on 30 s.

Run: ``python benchmarks/locate.py [--data FOLDER] [--model default] [--lengths 30 300 3600]``
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

import asst
from asst.features.zeroshot.captions import CaptionExtractor
from asst.features.zeroshot.crops import STEP_S, TICK_RATE
from asst.features.zeroshot.efficientnet import SIDE
from asst.models import MODELS
from asst.video import frames
from process_memory import most_held

WIDTH, HEIGHT, RATE = 640, 360, 30
DECODED_MOST_S = 300.0
SENTENCE = "a taxi sign on top of a car"


def encode_clips(folder: Path, out: Path) -> None:
    """All the clips in a row at one size and rate."""
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "medium"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        count = 0
        for clip in sorted(path for path in folder.iterdir() if path.suffix in (".mp4", ".mkv")):
            for batch in frames(clip, rate=RATE, size=(WIDTH, HEIGHT)):
                for pixels in batch.pixels:
                    picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                    picture.pts, picture.time_base = count, Fraction(1, RATE)
                    container.mux(stream.encode(picture))
                    count += 1
        container.mux(stream.encode(None))


def repeat(source: Path, length_s: float, out: Path) -> None:
    """The source again and again, its packets copied, until the length is reached."""
    with av.open(str(out), "w") as target:
        copied = None
        offset_s = Fraction(0)
        while offset_s < length_s:
            with av.open(str(source)) as container:
                stream = container.streams.video[0]
                copied = copied or target.add_stream_from_template(stream)
                base = stream.time_base
                assert base is not None
                shift = int(offset_s / base)
                for packet in container.demux(stream):
                    if packet.pts is None or packet.dts is None or (packet.pts + shift) * base >= length_s:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, copied
                    target.mux(packet)
                offset_s += Fraction(stream.frames, RATE)


def measure(path: Path, model: str) -> dict[str, float]:
    """One process's report, see the module's text."""
    built = MODELS[model].build()
    localizer, extractor = asst.Localizer(built), built.extractor
    assert isinstance(extractor, CaptionExtractor)
    start, decoded_s = time.perf_counter(), 0.0
    for batch in frames(path, rate=TICK_RATE, short_side=SIDE, end_s=DECODED_MOST_S):
        decoded_s = batch.times_s[-1] + 1 / TICK_RATE
    decode_speed = decoded_s / (time.perf_counter() - start)
    looks_s: list[float] = []
    see = extractor.crop_vectors

    def timed(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        began = time.thread_time()
        seen = see(frames)
        looks_s.append(time.thread_time() - began)
        return seen

    extractor.crop_vectors = timed  # type: ignore[method-assign]
    start, start_cpu = time.perf_counter(), time.process_time()
    features = localizer.features(path)
    extract_s, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    localizer.model.rank(features, [SENTENCE], top=5)
    start, start_cpu = time.perf_counter(), time.process_time()
    localizer.model.rank(features, [SENTENCE], top=5)
    score_s, cpu_s = time.perf_counter() - start, cpu_s + time.process_time() - start_cpu
    peak_mb = most_held()
    seconds = {"network_s": sum(looks_s), "score_s": score_s, "total_s": extract_s + score_s}
    return {
        "length_s": features.duration_s,
        "looks": len(looks_s),
        "cpu_s": cpu_s,
        **seconds,
        "decode_speed": decode_speed,
        "peak_mb": peak_mb,
    }


def plain_loop(path: Path) -> float:
    """Seconds that the plain loop takes."""
    # Here, so that the processes that are measured hold no PyTorch.
    import torch
    import torch.nn.functional as F

    from asst.training.space.towers import EfficientNetLite

    network = EfficientNetLite()
    torch.set_grad_enabled(False)
    start = time.perf_counter()
    due_s = 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pixels = frame.to_ndarray(format="rgb24")
            if frame.time is None or frame.time < due_s:
                continue
            due_s += STEP_S
            picture = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
            size = (SIDE, round(SIDE * WIDTH / HEIGHT))
            small = F.interpolate(picture, size=size, mode="bilinear", antialias=True)
            network(small.round().clamp(0, 255).byte().permute(0, 2, 3, 1)).mean((2, 3))
    return time.perf_counter() - start


def cold_start(path: Path, model: str) -> float:
    """Seconds from typing the command to its answer, the best of three."""
    command = [str(Path(sys.executable).with_name("asst")), "locate", str(path), SENTENCE, "--model", model, "--json"]
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared/data")
    )
    parser.add_argument("--model", default="default")
    parser.add_argument("--lengths", type=float, nargs="+", default=[30.0, 300.0, 3600.0], help="seconds")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.model)))
        return
    cores = os.cpu_count() or 1
    table = Table(title=f"{options.model}, {WIDTH}x{HEIGHT}, {cores} cores")
    for heading in ("length", "decode", "looks", "network", "score", "processor", "whole", "real time", "memory"):
        table.add_column(heading, justify="right", no_wrap=True)
    with tempfile.TemporaryDirectory() as folder:
        clips = Path(folder) / "clips.mp4"
        encode_clips(options.data / "real", clips)
        files = {length: Path(folder) / f"{length:g}.mp4" for length in options.lengths}
        reports = {}
        for length, path in files.items():
            repeat(clips, length, path)
            command = [sys.executable, __file__, "--one", str(path), "--model", options.model]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            report = reports[length] = json.loads(done.stdout)
            times = [f"{report[key]:.2f} s" for key in ("network_s", "score_s", "cpu_s", "total_s")]
            speed = f"{length / report['total_s']:.0f}x, {length * cores / report['cpu_s']:.0f}x at best"
            table.add_row(
                f"{length:g} s",
                f"{report['decode_speed']:.0f}x",
                f"{report['looks']:.0f}",
                *times,
                speed,
                f"{report['peak_mb']:.0f} MB",
            )
        shortest = min(options.lengths)
        plain_s = plain_loop(files[shortest])
        cold_s = cold_start(files[shortest], options.model)
    console = Console(width=110)
    console.print(table)
    gain = plain_s / reports[shortest]["total_s"]
    console.print(
        f"plain loop on {shortest:g} s: {plain_s:.2f} s, {shortest / plain_s:.0f}x real time; "
        f"ours is {gain:.1f} times as fast"
    )
    console.print(f"cold asst locate on {shortest:g} s, typing to answer: {cold_s:.2f} s")


if __name__ == "__main__":
    main()
