"""What a search of a library of captioned clips finds when it scores everything, and when it scores a part.

Every clip of MSR-VTT among the captioned pictures becomes a video of 10 to 30 seconds that shows its frames one after
the other: together a day of video. Held-out clips are asked for by one sentence each; the space was learnt from the
others. Printed is how often the clip is among the ten best when the model scores all videos; how often when it scores a
share of them, those that the first stage puts first; and how many of the first the second keeps, the first stage's
recall.

Run: ``python benchmarks/library_clips.py [--data FOLDER] [--asked 100] [--clips 4370]``
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import asst
from asst.data.readers.captions import Captions, decoded, read_captions
from asst.library.engine import engine_of
from asst.training.space_recipe import CaptionRecipe, read_any_recipe
from calibration import Clip, held_clips, shown

ROOT = Path(__file__).parents[1]
SET = "msrvtt"
LONG_S = (10.0, 30.0)
SHARES = (0.005, 0.01, 0.02, 0.05)
TOP = 10


def clips_of(captions: Captions, most: int, held: list[Clip]) -> list[Clip]:
    """The held-out clips, then others of the set."""
    known = {clip.sentences for clip in held}
    frames: dict[str, list[np.ndarray]] = {}
    sentences: dict[str, tuple[str, ...]] = {}
    for picture, image in captions.images():
        if picture.set == SET and picture.sentences not in known and len(frames) + len(held) <= most:
            frames.setdefault(picture.id, []).append(np.asarray(decoded(picture, image)))
            sentences[picture.id] = picture.sentences
    return [*held, *(Clip(tuple(own), sentences[name]) for name, own in frames.items())][:most]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("ASST_DATA") or ROOT.parent / "shared/data"), metavar="FOLDER"
    )
    parser.add_argument("--asked", type=int, default=100)
    parser.add_argument("--clips", type=int, default=4370)
    options = parser.parse_args()
    recipe = read_any_recipe(["captions"])
    assert isinstance(recipe, CaptionRecipe)
    captions, source = read_captions(options.data / "captions"), np.random.default_rng(0)
    held = held_clips(captions, recipe)[SET]
    clips = clips_of(captions, options.clips, held)
    asked = [str(source.choice(clip.sentences)) for clip in held[: options.asked]]
    engine, localizer = engine_of(), asst.load()
    said = np.stack([engine.sentence(sentence) for sentence in asked])
    scored = np.zeros((len(clips), len(asked)))
    first = np.zeros_like(scored)
    seconds = 0.0
    for k, clip in enumerate(track(clips, "scoring", console=Console(stderr=True))):
        features = localizer.features(shown([clip], source, LONG_S))
        seconds += features.end_s
        first[k] = (engine.windows(features).vectors.astype(np.float32) @ said.T).max(axis=0)
        scored[k] = [ranking.ranked[0].score for ranking in engine.model.rank(features, asked, top=1)]
    table = Table(title=f"{len(clips)} videos, {seconds / 3600:.1f} h; {len(asked)} sentences of held-out clips")
    for heading in ("scored", "among the ten best", "first stage's recall"):
        table.add_column(heading, justify="right")
    own = np.arange(len(asked))
    whole = (scored > scored[own, own]).sum(axis=0) < TOP
    table.add_row("everything", f"{whole.mean():.2f}", "")
    for share in SHARES:
        kept = (first > first[own, own]).sum(axis=0) < share * len(clips)
        picked = np.array([np.argsort(-first[:, i])[: max(TOP, int(share * len(clips)))] for i in own])
        among = [(scored[picked[i], i] > scored[i, i]).sum() < TOP and kept[i] for i in own]
        table.add_row(f"{share:.1%}", f"{np.mean(among):.2f}", f"{kept[whole].mean() if whole.any() else np.nan:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
