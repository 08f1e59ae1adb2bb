"""What the score of a space is worth whose curve nobody has fitted: the packaged one, made worse in several ways.

Tapes and sentences are those of ``calibration.py``. The space is cut down to chance directions, or noise is put on its
pictures; the cosine alone is measured, as of CLIP. `half_way` of its scores sets the threshold of each tape
by the space's own negative sentences; beside it stands the threshold that was fitted to the packaged space. Printed is
how many sentences are found: those that apply, those of other clips of the set, those of another set, and the last on
short tapes (five clips at most) and long ones (fourteen at least).

Run: ``python benchmarks/other_spaces.py [--clips 150] [--data FOLDER]``
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from asst.data.readers.captions import read_captions
from asst.features.values import Features
from asst.features.zeroshot.space import SentenceReader, Space
from asst.models.zeroshot.evidence import EvidenceReader
from asst.models.zeroshot.model import SimilarityModel, half_way, query_scores, ranking
from asst.models.zeroshot.proposals import HALF, VideoContext, cuts_and_proposals
from asst.training.space_recipe import CaptionRecipe, read_any_recipe
from calibration import APPLIES, OTHER_KIND, ROOT, SAME_KIND, held_clips, questions, shown

Array = npt.NDArray[np.float32]
SHORT, LONG = 5, 14


class Cut(SentenceReader):
    """The packaged sentences in some directions of their space."""

    measures = ("picture and sentence",)

    def __init__(self, packaged: SentenceReader, directions: Array) -> None:
        self._packaged, self._directions = packaged, directions
        super().__init__(_unit(packaged.negatives @ directions), lambda: _unit(packaged.glosses @ directions))

    def vectors(self, sentences: Sequence[str]) -> Array:
        """Of sentences, as they lie here."""
        return _unit(self._packaged.read(sentences).classifiers @ self._directions)


class Worse:
    """The packaged space in some directions, and with noise on its pictures.

    Args:
        model: with the packaged space.
        width: directions that are left of it.
        noise: length of what is added to a picture's unit vector.
    """

    def __init__(self, model: SimilarityModel, width: int, noise: float) -> None:
        self._packaged, self._mean = model.extractor.space, model.extractor.space.mean
        self._noise, self._source = noise, np.random.default_rng(width)
        channels = len(self._mean)
        chance = self._source.standard_normal((channels, width)).astype(np.float32)
        self._directions = chance if width < channels else np.eye(channels, dtype=np.float32)
        space = Space("worse", np.zeros(width, np.float32))
        self._reader = EvidenceReader(space, Cut(model.reader.sentences, self._directions), None)

    def found(self, features: Features, sentences: Sequence[str]) -> Iterator[tuple[bool, bool]]:
        """Whether each sentence is found: by the threshold of the space's own sentences, and by the packaged one."""
        own = self._features(features)
        visual = self._reader.visual(own)
        halves = half_way(visual.negatives, visual.softmax_scale), HALF
        contexts = [VideoContext(own, *cuts_and_proposals(own), half) for half in halves]
        for evidence in self._reader(own, sentences):
            scores = query_scores(contexts[0], evidence)
            free, fixed = (ranking(one, evidence, scores, scores.proposals, 1) for one in contexts)
            yield bool(free.moments), bool(fixed.moments)

    def _features(self, features: Features) -> Features:
        rows, places = np.unique(np.asarray(features.vectors, np.float32), axis=0, return_inverse=True)
        seen = _unit(self._packaged.crops(rows) - self._mean)
        added = self._source.standard_normal(seen.shape).astype(np.float32) * self._noise / np.sqrt(len(self._mean))
        kept = _unit((seen + added) @ self._directions).reshape(len(rows), -1).astype(np.float16)
        return Features(kept[places.ravel()], features.start_s, features.step_s, "worse", features.cuts_s)


def _unit(vectors: npt.NDArray[np.floating]) -> Array:
    unit: Array = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return unit


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=150, metavar="N", help="of each set, at most")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("ASST_DATA") or ROOT.parent / "shared/data"), metavar="FOLDER"
    )
    options = parser.parse_args()
    recipe = read_any_recipe(["captions"])
    assert isinstance(recipe, CaptionRecipe)
    sets = held_clips(read_captions(options.data / "captions"), recipe)
    model = SimilarityModel()
    channels = len(model.extractor.space.mean)
    kinds = {"as it is": (channels, 0.0), "256 directions": (256, 0.0), "64 directions": (64, 0.0)}
    kinds |= {"24 directions": (24, 0.0), "noise of length 2": (channels, 2.0)}
    spaces = {name: Worse(model, *kind) for name, kind in kinds.items()}
    told: dict[str, list[tuple[int, int, bool, bool]]] = {name: [] for name in spaces}
    for tape, asked, source in questions({name: clips[: options.clips] for name, clips in sets.items()}, 0):
        features = model.extractor.extract_frames(shown(tape, source))
        for name, space in spaces.items():
            found = space.found(features, [sentence for sentence, _ in asked])
            told[name] += [(kind, len(tape), *pair) for (_, kind), pair in zip(asked, found, strict=True)]
    table = Table(title=f"found of {len(next(iter(told.values())))} questions: own threshold, the packaged one")
    for heading in ("space", "applies", "same kind", "another set", f"of <= {SHORT} clips", f"of >= {LONG}"):
        table.add_column(heading)
    for name, rows in told.items():
        kind, clips, own, fixed = np.array(rows).T
        other = kind == OTHER_KIND
        parts = [kind == APPLIES, kind == SAME_KIND, other, other & (clips <= SHORT), other & (clips >= LONG)]
        table.add_row(name, *(f"{own[part].mean():.2f}, {fixed[part].mean():.2f}" for part in parts))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
