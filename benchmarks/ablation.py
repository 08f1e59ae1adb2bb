"""What each part of the packaged model earns on the development videos: the same without it, and with the reranker.

The columns are those of ``reranking.py``; differences are from ``similarity``, which is without a reranker. What is
taken away is one measure, or one thing that the features tell. The reranker learnt with all of them, so that it is
judged with all.

Run: ``python benchmarks/ablation.py [--data FOLDER] [--joins 150]``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

import asst
from asst.features.zeroshot.caption_space import load_space
from asst.features.zeroshot.captions import PACKAGED, CaptionExtractor, CaptionSentences
from asst.features.zeroshot.space import FloatArray, Reading
from asst.models.zeroshot.model import ZeroShotModel
from development_set import LAYOUT, Numbers, middle_crop, read_questions
from reranking import View, compare, options_of, unchanged

Change = Callable[[Reading], Reading]


class PartlyRead(CaptionSentences):
    """Sentences of which something is overlooked.

    Args:
        change: what is left of a reading.
    """

    def __init__(self, change: Change) -> None:
        super().__init__(load_space(PACKAGED))
        self._change = change

    def read(self, sentences: Sequence[str]) -> Reading:
        """See `asst.features.zeroshot.space.SentenceReader.read`."""
        return self._change(super().read(sentences))


def no_cosine(reading: Reading) -> Reading:
    """Classifiers that fit every picture as unrelated sentences do on average."""
    return replace(reading, classifiers=np.tile(usual_classifier(), (len(reading.classifiers), 1)))


@cache
def usual_classifier() -> FloatArray:
    """The mean of the classifiers of unrelated sentences."""
    usual: FloatArray = CaptionSentences(load_space(PACKAGED)).negatives.mean(axis=0)
    return usual


def no_named_classes(reading: Reading) -> Reading:
    """As of sentences that name no class."""
    return replace(reading, named=[()] * len(reading.named))


def no_resembled_classes(reading: Reading) -> Reading:
    """As of sentences that resemble no class."""
    return replace(reading, resembled=np.zeros_like(reading.resembled))


def no_classes(reading: Reading) -> Reading:
    """As of sentences that have nothing to do with classes."""
    return no_resembled_classes(no_named_classes(reading))


def no_colours(features: asst.Features) -> asst.Features:
    """As if all pictures had the same colours."""
    return without(features, LAYOUT.colours)


def no_pans(features: asst.Features) -> asst.Features:
    """As if it was not known which way the camera turns."""
    return without(features, LAYOUT.pans)


def without(features: asst.Features, part: Callable[[Numbers], Numbers]) -> asst.Features:
    """Zero in a part of each vector."""
    vectors = np.array(features.vectors, dtype=np.float16)
    part(vectors)[:] = 0
    return replace(features, vectors=vectors)


def no_cuts(features: asst.Features) -> asst.Features:
    """As if the video was one shot."""
    return replace(features, cuts_s=np.zeros(0))


READINGS: dict[str, Change] = {
    "without the space of captions": no_cosine,
    "without named classes": no_named_classes,
    "without resembled classes": no_resembled_classes,
    "without both": no_classes,
}
VIEWS: dict[str, View] = {
    "without colours": no_colours,
    "without the camera's way": no_pans,
    "without shot changes": no_cuts,
    "middle crop alone": middle_crop,
}


def rows(similarity: asst.Localizer) -> Iterator[tuple[str, asst.Localizer, View]]:
    """What is compared; first the model that all others are compared with."""
    yield "similarity", similarity, unchanged
    extractor = CaptionExtractor()
    for name, change in READINGS.items():
        model = ZeroShotModel("similarity", "default", extractor, PartlyRead(change))
        yield name, asst.Localizer(model), unchanged
    for name, view in VIEWS.items():
        yield name, similarity, view
    yield "with the reranker (default)", asst.load("default"), unchanged


def main() -> None:
    """Measure and print."""
    options = options_of(__doc__ or "").parse_args()
    similarity = asst.load("similarity")
    singles, joined = read_questions(options.data, similarity, options.joins)
    compare(rows(similarity), singles, joined)


if __name__ == "__main__":
    main()
