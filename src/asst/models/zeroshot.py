"""``concepts``: finds moments with an image classifier and a sentence encoder, never having seen a video described.

Four things are measured at every step. Two are the cosines between what is seen and the sentence's classifiers, one a
language encoder (see ``asst.features.concepts``), less the same for sentences about nothing in particular. Two are the
logs of the probability that the image classifier gives to the classes which the sentence names, and to those whose
glosses it resembles. Each is standardised over the video, and they are added. A sentence about the camera also looks
for steps at which what is seen turns. Spans between shot changes compete by their mean; a window inside a shot must
stand out from the rest of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.concepts import ConceptMap
from asst.features.imagenet import LOOKS_A_SECOND, STEP_S, TICK_RATE, TICKS_A_STEP, ImageNetExtractor
from asst.features.values import SAME_CLOCK, Features
from asst.models.camera_motion import is_about_camera_motion, turning
from asst.models.candidates import Candidates, candidates
from asst.models.evidence import Evidence, EvidenceReader
from asst.models.model import Ranking
from asst.models.strength import at_ticks, smoothed, span_strengths, standardised
from asst.moments import Curve, Moment, nms

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# How many standard deviations above unrelated sentences, in the best moment, a sentence must be to count as found.
THRESHOLD = 1.3
_OVERLAP_MOST = 0.5


class ConceptsModel:
    """The packaged model. See the module's text for what it measures.

    Attributes:
        name: ``concepts``, ``concepts-fast`` or ``concepts-thorough``.
        extractor: makes the features it reads.
        reader: measures what its features say of sentences.

    Args:
        name: its name.
        variant: of the image classifier, ``lite2`` or ``lite0``.
        looks_a_second: how many pictures of a second of video the classifier sees at most.

    Raises:
        InputError: when packaged weights are missing.
    """

    def __init__(self, name: str = "concepts", variant: str = "lite2", looks_a_second: float = LOOKS_A_SECOND) -> None:
        self.name = name
        self.extractor = ImageNetExtractor(variant, looks_a_second)
        network = self.extractor.network
        self.reader = EvidenceReader(
            network.mean_feature.numpy(),
            network.class_weights.numpy(),
            network.class_bias.numpy(),
            ConceptMap(network.class_weights),
        )

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Ranking]:
        """The best moments of each sentence; a moment's score is explained in ``docs/models.md``.

        Raises:
            InputError: for features of another extractor, or on steps of another length.
        """
        if features.extractor != self.extractor.name:
            raise InputError(
                f"{self.name} reads features of {self.extractor.name}, not of {features.extractor}; extract them again"
            )
        if abs(features.step_s - STEP_S) > SAME_CLOCK * STEP_S:
            raise InputError(
                f"{self.name} reads a vector every {STEP_S:g} s, not every {features.step_s:g} s; extract them again"
            )
        evidence = self.reader(features, queries)
        cuts = np.round((features.cuts_s - features.start_s) * TICK_RATE).astype(np.int64)
        found = candidates(len(features) * TICKS_A_STEP, cuts)
        return [_ranking(features, query, evidence, i, cuts, found, top) for i, query in enumerate(queries)]


def _step_scores(evidence: Evidence, i: int, query: str, cuts: IntArray) -> Float64Array:
    """How well each step fits sentence ``i``, in standard deviations over the video, shape ``(steps,)``.

    Args:
        evidence: of several sentences.
        i: which of them.
        query: its text.
        cuts: ticks at which new shots begin.
    """
    measured = [*evidence.matches[:, :, i], *evidence.classes[:, :, i]]
    steps = standardised(np.sum([standardised(values) for values in measured], axis=0))
    if is_about_camera_motion(query):
        first_of_shot = -(-cuts // TICKS_A_STEP)
        steps = standardised(steps + standardised(turning(evidence.between, first_of_shot)))
    return steps


def _ranking(
    features: Features, query: str, evidence: Evidence, i: int, cuts: IntArray, found: Candidates, top: int
) -> Ranking:
    """The strongest candidates that do not overlap much, on the scale that says how clearly a sentence applies."""
    steps = _step_scores(evidence, i, query, cuts)
    ticks = at_ticks(steps, cuts)
    strengths = span_strengths(smoothed(ticks, cuts), found)
    spans_s = features.start_s + found.spans / TICK_RATE
    kept = nms(spans_s, strengths, _OVERLAP_MOST, limit=top)
    best = found.spans[kept[0]]
    clear = _clearness(evidence, i, best)
    # The best moment's score says how clearly the sentence applies at all; the others follow by how much weaker they
    # are than it.
    moments = tuple(
        Moment(float(spans_s[k, 0]), float(spans_s[k, 1]), float(clear + strengths[k] - strengths[kept[0]]), query)
        for k in kept
    )
    # On the same scale: the curve's mean over the best moment is that moment's score.
    return Ranking(query, moments, Curve(features.times_s, steps + clear - ticks[best[0] : best[1]].mean()), THRESHOLD)


def _clearness(evidence: Evidence, i: int, span: IntArray) -> float:
    """By how many of their standard deviations the sentence fits the span better than unrelated sentences do.

    The mean over the language encoders.
    """
    first, last = span[0] // TICKS_A_STEP, max(span[0] // TICKS_A_STEP + 1, -(-span[1] // TICKS_A_STEP))
    others = evidence.unrelated[:, first:last].mean(axis=1, dtype=np.float32)
    own = evidence.matches[:, first:last, i].mean(axis=1)
    return float(np.mean((own - others.mean(axis=1)) / others.std(axis=1)))
