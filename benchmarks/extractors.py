"""What the extractors cost, against a plain loop over frames.

Each runs in a process of its own, with random weights, as the numbers do not matter here: over the whole clip at first,
for pictures and seconds of video a second and the most memory held; then over its first seconds with decoding, flow and
networks one after the other, for their shares; then the same seconds by a plain loop: every frame converted at full
size, one step at a time through the same networks in float32, nothing at the same time as anything else. Pictures are
those that come out of the decoder for the networks: 24 a second, or 8 where only a step's middle is looked at.
``--seconds`` cuts the first seconds to a file of their own and takes that for the clip, as extractors with TV-L1 take
minutes for ten seconds.

Run: ``python benchmarks/extractors.py [--video FILE] [--seconds S] [--staged 4] [--only NAME ...]``
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from asst.cli.asking import DEMO_VIDEO
from asst.features.extractor import EXTRACTORS, Extractor
from asst.features.networks.bn_inception import FLOW_CHANNELS, BNInception, flow_branch_of, rgb_branch_of
from asst.features.networks.bn_inception import SIZE as SIDE_256
from asst.features.networks.c3d import C3D
from asst.features.networks.c3d import SIZE as C3D_SIZE
from asst.features.networks.c3d import branch_of as c3d_branch_of
from asst.features.networks.flow import Algorithm, OpticalFlow
from asst.features.networks.frame_network import TICK_RATE, TICKS_A_STEP, Branch, FrameNetwork, windows
from asst.features.networks.vgg16 import VGG16
from asst.features.networks.vgg16 import branch_of as vgg16_branch_of
from asst.features.resampling import resized
from asst.features.zeroshot.captions import CaptionExtractor
from asst.features.zeroshot.crops import TICK_RATE as CROPS_RATE
from asst.video import cut, frames, probe
from asst.video.picture import Pixels
from process_memory import most_held


def vgg16() -> Branch:
    """Appearance on DiDeMo."""
    return vgg16_branch_of(VGG16(), "random")


def rgb() -> Branch:
    """Appearance elsewhere."""
    network = BNInception().eval()
    network.fold()
    return rgb_branch_of(network, "random")


def flow(algorithm: Algorithm) -> Branch:
    """Motion."""
    network = BNInception(FLOW_CHANNELS).eval()
    network.fold()
    return flow_branch_of(network, "random", OpticalFlow(algorithm))


def clip() -> FrameNetwork:
    """A model of the size of ViT-B/32, by way of a folder."""
    from tokenizers import Tokenizer, models
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

    from asst.features.networks.clip import ClipExtractor

    side = {"height": 224, "width": 224}
    preparing = {"size": {"shortest_edge": 224}, "do_center_crop": True, "crop_size": side}
    colours = {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}
    make: Any = PreTrainedTokenizerFast
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        CLIPModel(CLIPConfig()).save_pretrained(folder)
        words = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
        make(tokenizer_object=words, pad_token="?", unk_token="?").save_pretrained(folder)
        (folder / "preprocessor_config.json").write_text(json.dumps({**preparing, **colours}))
        return ClipExtractor(folder)


BUILD: dict[str, Callable[[], Extractor]] = {
    "captions": CaptionExtractor,
    "vgg16": lambda: FrameNetwork("vgg16", [vgg16()], SIDE_256),
    "bn-inception-rgb": lambda: FrameNetwork("bn-inception-rgb", [rgb()], SIDE_256),
    "bn-inception-flow": lambda: FrameNetwork("bn-inception-flow", [flow("tvl1")], SIDE_256),
    "bn-inception-flow-dis": lambda: FrameNetwork("bn-inception-flow-dis", [flow("dis")], SIDE_256),
    "two-stream": lambda: FrameNetwork("two-stream", [rgb(), flow("tvl1")], SIDE_256),
    "two-stream-dis": lambda: FrameNetwork("two-stream-dis", [rgb(), flow("dis")], SIDE_256),
    "two-stream-didemo": lambda: FrameNetwork("two-stream-didemo", [vgg16(), flow("tvl1")], SIDE_256),
    "two-stream-didemo-dis": lambda: FrameNetwork("two-stream-didemo-dis", [vgg16(), flow("dis")], SIDE_256),
    "c3d-fc6": lambda: FrameNetwork("c3d-fc6", [c3d_branch_of(C3D("fc6"), "random")], C3D_SIZE, 2),
    "c3d-fc7": lambda: FrameNetwork("c3d-fc7", [c3d_branch_of(C3D("fc7"), "random")], C3D_SIZE, 2),
    "clip": clip,
}


def measure(path: Path, name: str, staged_s: float) -> dict[str, float]:
    """One process's report, see the module's text."""
    extractor = BUILD[name]()
    start = time.perf_counter()
    extractor.extract(path)
    whole_s = time.perf_counter() - start
    length_s = probe(path).duration_s
    peak_mb = most_held()
    report = {"length_s": length_s, "whole_s": whole_s, "peak_mb": peak_mb}
    if isinstance(extractor, FrameNetwork):
        staged_s = min(staged_s, length_s)
        report |= {"rate": extractor.rate, "staged_s": staged_s, **stages(extractor, path, staged_s)}
        report["plain_s"] = plain_loop(extractor, path, staged_s)
    else:
        report["rate"] = CROPS_RATE
    return report


def stages(extractor: FrameNetwork, path: Path, end_s: float) -> dict[str, float]:
    """Seconds that decoding, preparing (flow, if there is any) and networks take, one after the other."""
    start = time.perf_counter()
    info = probe(path)
    height, width = extractor.size.of(info.height, info.width)
    batches = frames(path, rate=extractor.rate, size=(width, height), end_s=end_s)
    pictures = [picture for batch in batches for picture in batch.pixels]
    decoded = time.perf_counter()
    inputs = [list(of_steps(iter(pictures), branch, extractor.rate)) for branch in extractor.branches]
    prepared = time.perf_counter()
    for branch, some in zip(extractor.branches, inputs, strict=True):
        for at in range(0, len(some), 8):
            seen(branch, some[at : at + 8])
    ended = time.perf_counter()
    return {"decode_s": decoded - start, "prepare_s": prepared - decoded, "network_s": ended - prepared}


def of_steps(pictures: Iterator[Pixels], branch: Branch, rate: float) -> Iterator[Pixels]:
    """A network's input for each step."""
    stride = round(TICK_RATE / rate)
    seen_here = range(branch.ticks.start // stride, (branch.ticks.stop - 1) // stride + 1)
    return (branch.prepare(window) for window in windows(pictures, seen_here, TICKS_A_STEP // stride))


@torch.inference_mode()
def seen(branch: Branch, inputs: list[Pixels]) -> torch.Tensor:
    """What a network makes of some steps."""
    vectors: torch.Tensor = branch.network(torch.from_numpy(np.stack(inputs)))
    return vectors


def plain_loop(extractor: FrameNetwork, path: Path, end_s: float) -> float:
    """Seconds that the plain loop takes."""
    for branch in extractor.branches:
        branch.network.float()
    start = time.perf_counter()
    for branch in extractor.branches:
        for step in of_steps(plain_pictures(extractor, path, end_s), branch, extractor.rate):
            seen(branch, [step])
    return time.perf_counter() - start


def plain_pictures(extractor: FrameNetwork, path: Path, end_s: float) -> Iterator[Pixels]:
    """The picture on display at each tick: every frame is converted at full size, those that are looked at resized."""
    due_s = 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pixels: Any = frame.to_ndarray(format="rgb24")
            while frame.time is not None and due_s <= frame.time and due_s < end_s:
                yield resized(pixels[None], extractor.size.of(*pixels.shape[:2]))[0]
                due_s += 1 / extractor.rate
            if due_s >= end_s:
                return


def row(name: str, report: dict[str, float]) -> list[str]:
    """A line of the table."""
    length_s, whole_s = report["length_s"], report["whole_s"]
    cells = [
        name,
        f"{report['rate'] * length_s / whole_s:.1f}",
        f"{length_s / whole_s:.2f}",
        f"{report['peak_mb']:.0f}",
    ]
    if "plain_s" not in report:
        return [*cells, *["-"] * 4]
    stages_s = [report[f"{stage}_s"] for stage in ("decode", "prepare", "network")]
    shares = [f"{100 * stage_s / sum(stages_s):.0f}" for stage_s in stages_s]
    ratio = (report["plain_s"] / report["staged_s"]) / (whole_s / length_s)
    return [*cells, *shares, f"{ratio:.2f}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="by default a ten-second clip that a dependency installs")
    parser.add_argument("--seconds", type=float, help="of the clip, from its start; by default all of it")
    parser.add_argument("--staged", type=float, default=4.0, help="seconds for shares and the plain loop")
    parser.add_argument("--only", nargs="*", choices=list(BUILD), default=list(BUILD))
    parser.add_argument("--one", choices=list(BUILD), help=argparse.SUPPRESS)
    options = parser.parse_args()
    video = options.video or DEMO_VIDEO
    if options.one:
        print(json.dumps(measure(video, options.one, options.staged)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.seconds:
            clip = Path(folder) / f"{video.stem}.mp4"
            cut(video, 0.0, options.seconds, clip)
            video = clip
        Console().print(measured(video, options.staged, options.only))
    absent = ", ".join(sorted(set(EXTRACTORS) - set(BUILD)))
    print(f"Not measured, as it looks at no picture: {absent}. For shares of captions: benchmarks/locate.py.")


def measured(video: Path, staged_s: float, names: list[str]) -> Table:
    """The table, a process an extractor."""
    table = Table(title=f"{video.name}, {probe(video).duration_s:.0f} s, {torch.get_num_threads()} threads")
    table.add_column("extractor", no_wrap=True)
    for heading in ("pict./s", "x real", "MB", "decode %", "flow %", "net. %", "x plain"):
        table.add_column(heading, justify="right")
    for name in track(names, "extractors", console=Console(stderr=True)):
        command = [sys.executable, __file__, "--video", str(video), "--staged", str(staged_s), "--one", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        table.add_row(*row(name, json.loads(done.stdout)))
    return table


if __name__ == "__main__":
    main()
