"""How near the network comes to the machine's own matrix-product rate.

    python benchmarks/network.py                       # the paper's size, batch 128
    python benchmarks/network.py --batch 16 --rounds 3

Each line is a ratio of two rates measured in turn in this run: the arithmetic of a training step, or of answering a
batch of queries, over its time, against a large square matrix product of the same type. Arithmetic is counted by
torch's own FLOP counter on what is really run. The last line compares the clip sampler with pooling first and
convolving after.

At batch 128 glibc gives the activations' memory back to the system after each step, and fetching it anew can take a
third of the next. ``MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000`` in the environment keeps it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from asst.features.runtime import fastest_dtype
from asst.nn.config import ASSTConfig
from asst.nn.losses import detection_loss, sample_anchors
from asst.nn.network import ASSTNetwork
from asst.nn.sampler import ClipSampler, pooling_matrix

SIDE = 3072


def seconds(work: Callable[[], object]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def flops(work: Callable[[], object]) -> int:
    """Arithmetic of one call."""
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def against_product(work: Callable[[], object], amount: int, dtype: torch.dtype, rounds: int) -> tuple[float, float]:
    """Seconds of ``work`` and its share of the matrix-product rate; medians of rounds that alternate the two."""
    square = torch.randn(SIDE, SIDE, dtype=dtype)
    pairs = [(seconds(work), seconds(lambda: square @ square)) for _ in range(rounds + 1)][1:]
    spent, product = (statistics.median(column) for column in zip(*pairs, strict=True))
    return spent, (amount / spent) / (2 * SIDE**3 / product)


class Workload:
    """A network at the paper's size and one batch for it."""

    def __init__(self, batch: int, steps: int, words: int) -> None:
        torch.manual_seed(0)
        self.network = ASSTNetwork(ASSTConfig(feature_channels=4096, steps=steps))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=5e-4, fused=True)
        self.features = torch.randn(batch, steps, 4096)
        self.feature_mask = torch.arange(steps) < torch.randint(steps // 2, steps + 1, (batch, 1))
        self.words = torch.randn(batch, words, 300)
        self.word_mask = torch.arange(words) < torch.randint(4, words + 1, (batch, 1))
        self.moments = torch.tensor([[[0.1 * steps, 0.4 * steps]]]).expand(batch, 1, 2)
        self.moment_mask = torch.ones(batch, 1, dtype=torch.bool)
        self.clip_mask = self.network.clip_mask(self.feature_mask)

    def train(self, precision: Callable[[], AbstractContextManager[object]]) -> None:
        """One step: forward, loss, backward, Adam."""
        self.network.train()
        with precision():
            out = self.network(self.features, self.feature_mask, self.words, self.word_mask)
        assert out.offsets is not None
        sample = sample_anchors(self.network.clips, self.clip_mask, self.moments, self.moment_mask)
        loss = detection_loss(out.logits, out.offsets, self.network.clips, sample, self.moments)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss.total)
        self.optimizer.step()

    def answer(self, precision: Callable[[], AbstractContextManager[object]]) -> None:
        """One forward pass for a batch of sentences, each with its window."""
        self.network.eval()
        with torch.inference_mode(), precision():
            self.network(self.features, self.feature_mask, self.words, self.word_mask)


def half_precision() -> AbstractContextManager[object]:
    """Autocast to bfloat16."""
    return torch.autocast("cpu", torch.bfloat16)


def pool_first(sampler: ClipSampler, x: torch.Tensor, pooling: torch.Tensor) -> torch.Tensor:
    """The clip sampler as the paper words it."""
    points = (pooling @ x).view(-1, 7, x.shape[2])
    inner = sampler.first(points.mT).relu().mT.flatten(1)
    answers: torch.Tensor = sampler.second(inner)
    return answers.view(x.shape[0], -1, answers.shape[1])


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--words", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="fewer than the cores gives steadier ratios on a shared machine")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    load = Workload(options.batch, options.steps, options.words)
    size = sum(parameter.numel() for parameter in load.network.parameters())
    print(f"{size:,} parameters, batch {options.batch}, {options.steps} steps, {torch.get_num_threads()} threads")

    training, queries = flops(lambda: load.train(nullcontext)), flops(lambda: load.answer(nullcontext))
    formats: list[tuple[str, torch.dtype, Callable[[], AbstractContextManager[object]]]] = [
        ("fp32", torch.float32, nullcontext),
        ("bf16", torch.bfloat16, half_precision),
    ]
    if fastest_dtype() == torch.float32:
        formats.pop()
        print("bf16: this processor multiplies matrices more slowly in it, so training takes fp32")
    for name, dtype, precision in formats:
        spent, share = against_product(partial(load.train, precision), training, dtype, options.rounds)
        print(f"{name} training: {share:.2f} of the matrix product ({1 / spent:.3f} steps/s)")
        spent, share = against_product(partial(load.answer, precision), queries, dtype, options.rounds)
        print(f"{name} queries:  {share:.2f} of the matrix product ({options.batch / spent:.1f} queries/s)")

    x = torch.randn(options.batch, options.steps, load.network.video.out_channels)
    sampler, clips = load.network.sampler.eval(), load.network.clips
    pooling = pooling_matrix(clips, options.steps)
    with torch.inference_mode():
        ours, plain = (lambda: sampler(x, clips)), (lambda: pool_first(sampler, x, pooling))
        worst = (ours() - plain()).abs().max().item()  # type: ignore[no-untyped-call]
        pairs = [(seconds(plain), seconds(ours)) for _ in range(options.rounds)]
    gain = statistics.median(a / b for a, b in pairs)
    print(f"clip sampler: {gain:.2f} times as fast as pooling first, largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
