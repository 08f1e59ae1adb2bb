"""Models that find moments without training on video: what is seen, compared with what is said.

``similarity`` measures four things at every step. One is the cosine between what is seen and the sentence in a space
that was learnt from captions, less the same for negative sentences. Two are the logs of the probability that the image
classifier gives to the classes which the sentence names, and to those whose glosses it resembles. The fourth is the log
of the share of the pixels that have the colours which it names. Each is standardised over the video, and they are
added. ``clip`` measures one cosine, in the space of CLIP or SigLIP, which somebody has to bring. A sentence about the
camera also looks for steps at which what is seen turns. Spans between shot changes compete by their mean; a window
inside a shot must stand out from the rest of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.extractor import extractor_named
from asst.features.image_text.hub import IMAGE_TEXT
from asst.features.values import Features
from asst.features.zeroshot.captions import NAME as CAPTIONS
from asst.features.zeroshot.captions import PACKAGED, CaptionExtractor
from asst.features.zeroshot.clip_crops import NAME as CLIP
from asst.features.zeroshot.clip_crops import ClipCropsExtractor
from asst.features.zeroshot.crops import SAMPLED_FPS, TICKS_A_STEP, CropsExtractor
from asst.features.zeroshot.space import SentenceReader
from asst.models.base import RanksByVideo
from asst.models.zeroshot.evidence import Evidence, EvidenceReader, camera_scores, camera_speed, soft_maximum
from asst.models.zeroshot.proposals import (
    HALF,
    LastVideo,
    VideoContext,
    at_ticks,
    check_features,
    cuts_and_proposals,
    proposal_scores,
    smoothed,
    standardised,
)
from asst.moments import Answer, Curve, FloatArray, Moment, confidence, nms

THRESHOLD = 0.25
"""The probability from which a sentence counts as found: to refuse what is there is worse than to show what is not."""

SLOPE = 0.82
"""Of the logistic curve from the log-ratio to the probability that a sentence applies; ``benchmarks/calibration.py``
fits it. The log-ratio says how much better a sentence fits than negative sentences do. Half of all sentences with the
log-ratio `HALF` apply, where as many are asked that apply as that do not."""

SOFTMAX_SCALE = 16.0
"""Of cosines in the packaged space. Of 8, 16, 24 and 40 it tells best which held-out captions apply."""

NEGATIVES_FOUND = 0.2
"""Share of the negative sentences that count as found in a space whose curve nobody has fitted."""

_OVERLAP_MOST = 0.5
# Time in which the camera turns by the width of a frame, where a sentence about its turning counts as found.
_WHOLLY_OTHER_S = 8.0
_STILL = 1e-3
_FROM_THRESHOLD = float(np.log((1 - THRESHOLD) / THRESHOLD)) / SLOPE
_LEAST_LOG_RATIO = HALF - _FROM_THRESHOLD


@dataclass(frozen=True, slots=True, eq=False)
class QueryScores:
    """How well parts of a video fit a sentence, in standard deviations over the video."""

    steps: FloatArray
    ticks: FloatArray
    proposals: FloatArray


def query_scores(context: VideoContext, evidence: Evidence) -> QueryScores:
    """The scores of a sentence."""
    steps = step_scores(context, evidence)
    ticks = at_ticks(steps, context.cuts)
    return QueryScores(steps, ticks, proposal_scores(smoothed(ticks, context.cuts), context.proposals))


def step_scores(context: VideoContext, evidence: Evidence) -> FloatArray:
    """How well each step fits, as in `QueryScores`: the sum of all measures."""
    steps = standardised(np.sum([standardised(values) for values in evidence.scores.values()], axis=0))
    if evidence.query.camera_moves:
        steps = standardised(steps + camera_scores(evidence, context.first_of_shot))
    return steps


def ranking(context: VideoContext, evidence: Evidence, own: QueryScores, scores: FloatArray, top: int) -> Answer:
    """The best proposals that overlap little, at most ``top``, on the scale of how clearly a sentence applies.

    ``own`` are the sentence's scores; ``scores`` those of proposals as the model judges in the end.
    """
    spans, query = context.proposals.spans, evidence.query
    kept = nms(spans, scores, _OVERLAP_MOST, limit=top)
    start, end = (int(tick) for tick in spans[kept[0]])
    first = start // TICKS_A_STEP
    last = max(first + 1, -(-end // TICKS_A_STEP))
    log_ratio = evidence.log_ratio(first, last)
    if query.camera_moves:
        # Such a sentence names nothing that its classifiers could find.
        speed = max(_WHOLLY_OTHER_S * camera_speed(evidence, first, last), _STILL)
        log_ratio = max(log_ratio, _LEAST_LOG_RATIO + float(np.log(speed)))
    # The best moment's score says how clearly the sentence applies at all; others follow by how much weaker they are.
    chances = probability(log_ratio + scores[kept] - scores[kept[0]], context.half)
    # Only the curve of the packaged space was fitted.
    calibrated = context.half == HALF
    moments = tuple(
        Moment(start_s, end_s, chance, query.text, confidence=confidence(chance) if calibrated else None)
        for (start_s, end_s), chance in zip(context.seconds(spans[kept]).tolist(), chances.tolist(), strict=True)
    )
    # On the same scale: where the curve is at its mean over the best moment, it is that moment's score.
    applies = probability(own.steps + log_ratio - own.ticks[start:end].mean(), context.half)
    curve, found = Curve(context.features.times_s, applies), sum(moment.score >= THRESHOLD for moment in moments)
    length_s = context.features.video_end_s
    return Answer("", query.text, length_s, "", moments[:found], curve, THRESHOLD, weaker=moments[found:])


def probability(log_ratios: FloatArray, half: float = HALF) -> FloatArray:
    """That a sentence applies, by how clearly it fits; see `SLOPE`."""
    return 1 / (1 + np.exp(-SLOPE * (log_ratios - half)))


def half_way(negatives: npt.NDArray[np.floating], softmax_scale: float) -> float:
    """In place of `HALF` for a space whose curve nobody has fitted, from its negative sentences on a video.

    `NEGATIVES_FOUND` of them then reach `THRESHOLD`, each where it fits best. That holds however long the video is, and
    says nothing of how often sentences that apply do.
    """
    best = negatives.argmax(axis=0)
    there = softmax_scale * negatives[best].astype(np.float64)
    return float(np.quantile(np.diag(there) - soft_maximum(there), 1 - NEGATIVES_FOUND)) + _FROM_THRESHOLD


class ZeroShotModel(RanksByVideo):
    """Ranks by what an extractor's features say of a sentence. See the module's text for what it measures.

    ``base`` is what ``--model`` calls the model whose features these are; ``fitted`` says that `SLOPE` is of its space.
    """

    def __init__(
        self, name: str, base: str, extractor: CropsExtractor, sentences: SentenceReader, *, fitted: bool
    ) -> None:
        self.name = name
        self.base = base
        self.extractor = extractor
        self.reader = EvidenceReader(extractor.space, sentences, SOFTMAX_SCALE if fitted else None)
        self.embed_frames, self.embed_sentences = extractor.embed, sentences.vectors
        self._proposals = LastVideo(cuts_and_proposals)
        self._fitted, self._halves = fitted, LastVideo(self._half_way)

    def context(self, features: Features) -> VideoContext:
        """A video as every sentence finds it; its proposals are kept for the next question about the same features.

        Raises an `InputError` for features of another extractor, or on steps of another length.
        """
        check_features(features, self.extractor.space, self.name)
        half = HALF if self._fitted else self._halves(features)
        return VideoContext(features, *self._proposals(features), half)

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Answer]:
        """The best moments of each sentence, scored as ``docs/models.md`` explains; raises as `context`."""
        context = self.context(features)
        found = [(evidence, query_scores(context, evidence)) for evidence in self.reader(features, queries)]
        return [ranking(context, evidence, own, own.proposals, top) for evidence, own in found]

    def _half_way(self, features: Features) -> float:
        visual = self.reader.visual(features)
        return half_way(visual.negatives, visual.softmax_scale)


class SimilarityModel(ZeroShotModel):
    """The packaged space of pictures and sentences, or another that was learnt from captions.

    Raises an `InputError` when published weights are missing, or for a file that is damaged or of no space.
    """

    def __init__(self, name: str = "similarity", path: Path = PACKAGED, sampled_fps: float = SAMPLED_FPS) -> None:
        extractor = CaptionExtractor(path, sampled_fps)
        packaged = "default" if sampled_fps == SAMPLED_FPS else name
        base = packaged if path == PACKAGED else str(path.absolute())
        super().__init__(name, base, extractor, extractor.sentences, fitted=True)


def fast_similarity() -> SimilarityModel:
    """The model ``similarity-fast``, which looks at fewer frames."""
    return SimilarityModel("similarity-fast", sampled_fps=0.75)


class ClipModel(ZeroShotModel):
    """CLIP or SigLIP; an `InputError` as `ClipCropsExtractor`, or if it is not there.

    ``features`` is `CLIP` for a folder that somebody brought, or a key of `IMAGE_TEXT`. ``weights`` is a folder, or for
    `CLIP` one that holds it as ``clip``; None for that of ``ASST_WEIGHTS``, or where ``asst models get`` puts it.
    """

    def __init__(self, name: str = "clip", features: str = CLIP, weights: Path | None = None) -> None:
        extractor = extractor_named(features, weights)
        assert isinstance(extractor, ClipCropsExtractor)
        base = str(weights.absolute()) if weights else {CLIP: "clip"}.get(features, features)
        super().__init__(name, base, extractor, extractor.sentences, fitted=False)


def zeroshot_of(extractor: str, name: str) -> ZeroShotModel:
    """The model that reads an extractor's features; an `InputError` if none does, or when weights are missing."""
    if extractor == CLIP or extractor in IMAGE_TEXT:
        return ClipModel(name, extractor)
    if extractor == CAPTIONS:
        return SimilarityModel(name)
    raise InputError(
        f"{name} is of features of {extractor}, not of {CAPTIONS}, {CLIP} or a model of asst models; train it on those"
    )
