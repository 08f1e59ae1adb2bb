"""How often a sentence applies where a model says how likely that is: reliability on tapes of held-out pictures.

A tape is 1 to 20 clips of one set in a row, each held for 2 to 8 seconds; none of them was learnt from (the recipe's
held-out groups). It is asked one sentence of every clip, and as many that do not apply: half of them of other held-out
clips of the set, which are of the same kind, and half of another set. The logistic curve from log-ratio to probability
that `asst.models.zeroshot.model` states is fitted on the tapes of even number, and judged on those of odd number:
expected calibration error in ten equal bins, and for each kind of absent sentences the area under the ROC curve, and
how many that apply are found where one in ten of them is.

Run: ``python benchmarks/calibration.py [--model default] [--data FOLDER] [--plot docs/calibration.png]``
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

import asst
from asst.data.readers.captions import Captions, decoded, held_out, read_captions
from asst.features.zeroshot.crops import TICK_RATE
from asst.models.zeroshot.model import SLOPE, THRESHOLD
from asst.models.zeroshot.proposals import HALF
from asst.training.space_recipe import CaptionRecipe, read_any_recipe

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

ROOT = Path(__file__).parents[1]
CLIPS_MOST = 20
HELD_S = (2.0, 8.0)
BINS = 10
NEWTON_STEPS = 30


@dataclass(frozen=True)
class Clip:
    """A held-out clip or picture: its frames, and what people wrote of it."""

    frames: tuple[Picture, ...]
    sentences: tuple[str, ...]


def held_clips(captions: Captions, recipe: CaptionRecipe) -> dict[str, list[Clip]]:
    """The held-out clips by set."""
    _, held = held_out(captions, recipe.data.holdout, recipe.data.seed)
    wanted = {index: name for name, indices in held.items() for index in indices.tolist()}
    frames: dict[tuple[str, str], list[Picture]] = {}
    sentences: dict[tuple[str, str], tuple[str, ...]] = {}
    for index, (picture, image) in enumerate(captions.images()):
        if index in wanted:
            key = wanted[index], picture.id
            frames.setdefault(key, []).append(np.asarray(decoded(picture, image)))
            sentences[key] = picture.sentences
    sets: dict[str, list[Clip]] = {}
    for key, shown in frames.items():
        sets.setdefault(key[0].removesuffix("_sample"), []).append(Clip(tuple(shown), sentences[key]))
    return sets


def tapes(clips: Sequence[Clip], source: np.random.Generator) -> Iterator[list[Clip]]:
    """The clips in chance order, some in a row."""
    order = [clips[i] for i in source.permutation(len(clips))]
    while order:
        count = int(source.integers(1, CLIPS_MOST + 1))
        yield order[:count]
        order = order[count:]


def shown(
    tape: Sequence[Clip], source: np.random.Generator, held_s: tuple[float, float] = HELD_S
) -> Iterator[asst.Frames]:
    """A tape as frames: each clip's in turn, held for equal times."""
    tick = 0
    for clip in tape:
        ticks = round(source.uniform(*held_s) * TICK_RATE)
        for frame, part in zip(clip.frames, np.array_split(np.arange(ticks), len(clip.frames)), strict=True):
            yield asst.Frames(np.repeat(frame[None], len(part), axis=0), (tick + part) / TICK_RATE)
        tick += ticks


APPLIES, SAME_KIND, OTHER_KIND = range(3)
"""What a sentence is to a tape: of one of its clips, of another clip of the set, or of another set."""


Question = tuple[str, int]
"""A sentence, and what it is to a tape."""


def questions(
    sets: dict[str, list[Clip]], seed: int
) -> Iterator[tuple[list[Clip], list[Question], np.random.Generator]]:
    """Every tape, what it is asked, and the source of chance that shows it."""
    for name, clips in sets.items():
        strange = [clip for other, own in sets.items() if other != name for clip in own]
        source = np.random.default_rng(seed)
        for tape in track(list(tapes(clips, source)), "asking", console=Console(stderr=True)):
            own = {id(clip) for clip in tape}
            alike = [clip for clip in clips if id(clip) not in own]
            kinds = [*[SAME_KIND] * (len(tape) // 2), *[OTHER_KIND] * (len(tape) - len(tape) // 2)]
            absent = [(choice[source.integers(len(choice))], k) for k in kinds if (choice := (alike, strange)[k - 1])]
            of_tape = [(clip, APPLIES) for clip in tape]
            asked = [(str(source.choice(clip.sentences)), kind) for clip, kind in (*of_tape, *absent)]
            yield tape, asked, source


def scores(localizer: asst.Localizer, sets: dict[str, list[Clip]], seed: int) -> tuple[Array, Array, Array]:
    """The best moment's log-ratio, what the sentence is to the tape, and the tape's number, of every question."""
    found: list[tuple[float, int, int]] = []
    for number, (tape, asked, source) in enumerate(questions(sets, seed)):
        features = localizer.features(shown(tape, source))
        rankings = localizer.model.rank(features, [sentence for sentence, _ in asked], top=1)
        best = [ranking.ranked[0].score for ranking in rankings]
        found += [(score, kind, number) for score, (_, kind) in zip(best, asked, strict=True)]
    probability, kinds, numbers = np.array(found, dtype=np.float64).T
    chance = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.log(chance / (1 - chance)) / SLOPE + HALF, kinds, numbers


def fitted(log_ratios: Array, applies: Array) -> tuple[float, float]:
    """Slope and half-way point of the logistic curve of the greatest likelihood, by Newton's method."""
    rows, weights = np.stack([log_ratios, np.ones_like(log_ratios)], axis=1), np.zeros(2)
    for _ in range(NEWTON_STEPS):
        chance = expit(rows @ weights)
        curvature = rows.T @ (rows * (chance * (1 - chance))[:, None])
        weights += np.linalg.solve(curvature, rows.T @ (applies - chance))
    return float(weights[0]), float(-weights[1] / weights[0])


def expit(values: Array) -> Array:
    """The logistic curve."""
    curve: Array = 1 / (1 + np.exp(-values))
    return curve


def reliability(chance: Array, applies: Array) -> tuple[float, list[tuple[int, float, float]]]:
    """Expected calibration error, and of each bin its size, mean probability and share that applies."""
    bins = np.minimum((chance * BINS).astype(int), BINS - 1)
    rows = [
        (int((bins == b).sum()), float(chance[bins == b].mean()), float(applies[bins == b].mean()))
        for b in range(BINS)
        if (bins == b).any()
    ]
    return sum(size * abs(said - real) for size, said, real in rows) / len(chance), rows


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("ASST_DATA") or ROOT.parent / "shared/data"), metavar="FOLDER"
    )
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    recipe = read_any_recipe(["captions"])
    assert isinstance(recipe, CaptionRecipe)
    sets = held_clips(read_captions(options.data / "captions"), recipe)
    log_ratios, kinds, numbers = scores(asst.load(options.model), sets, options.seed)
    out, judged, applies = Console(width=120), numbers % 2 == 1, (kinds == APPLIES).astype(np.float64)
    slope, half = fitted(log_ratios[~judged], applies[~judged])
    out.print(f"fitted on {(~judged).sum()} questions: slope {slope:.3f}, half-way {half:.3f}; in use: {SLOPE}, {HALF}")
    chance, right = expit(SLOPE * (log_ratios[judged] - HALF)), applies[judged]
    error, rows = reliability(chance, right)
    present = chance[right == 1]
    out.print(
        f"judged on {judged.sum()} others: expected calibration error {error:.3f}; {np.mean(present >= THRESHOLD):.3f} "
        "of those that apply are found"
    )
    for kind, name in ((SAME_KIND, "of the same kind"), (OTHER_KIND, "of another set")):
        absent = chance[kinds[judged] == kind]
        area = float(np.mean(present[:, None] > absent))
        accepted = float(np.mean(present > np.quantile(absent, 0.9)))
        out.print(
            f"absent sentences {name}: {np.mean(absent >= THRESHOLD):.3f} are found; AUROC {area:.3f}; found of those "
            f"that apply where one of these in ten is: {accepted:.3f}"
        )
    table = Table(title="reliability")
    for heading in ("questions", "said", "applies"):
        table.add_column(heading, justify="right")
    for size, said, real in rows:
        table.add_row(str(size), f"{said:.2f}", f"{real:.2f}")
    out.print(table)
    if options.plot:
        draw(rows, options.plot)


def draw(rows: Sequence[tuple[int, float, float]], path: Path) -> None:
    """The reliability diagram."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4, 4), layout="constrained")
    axes.plot([0, 1], [0, 1], color="#8fb8b5", lw=1)
    axes.plot([said for _, said, _ in rows], [real for _, _, real in rows], "o-", color="#0b7a75")
    axes.set(xlabel="score", ylabel="share of sentences that apply", xlim=(0, 1), ylim=(0, 1))
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
