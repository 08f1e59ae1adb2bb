"""Models that find moments without training on video: what is seen, compared with what is said.

``similarity`` measures four things at every step. One is the cosine between what is seen and the sentence in a space
that was learnt from captions, less the same for sentences about nothing in particular. Two are the logs of the
probability that the image classifier gives to the classes which the sentence names, and to those whose glosses it
resembles. The fourth is the log of the share of the pixels that have the colours which it names. Each is standardised
over the video, and they are added. ``clip`` measures one cosine, in the space of CLIP or SigLIP, which somebody has to
bring. A sentence about the camera also looks for steps at which what is seen turns. Spans between shot changes compete
by their mean; a window inside a shot must stand out from the rest of it.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from asst.features.zeroshot.crops import SAMPLED_FPS, CropsExtractor
from asst.features.zeroshot.space import SentenceReader
from asst.models.zeroshot.evidence import EvidenceReader
from asst.models.zeroshot.query_scores import half_way, query_scores, ranking
from asst.models.zeroshot.video_context import HALF, LastVideo, VideoContext, check_features, cuts_and_proposals
from asst.moments import Answer


class ZeroShotModel:
    """Ranks by what an extractor's features say of a sentence. See the module's text for what it measures.

    ``base`` is what ``--model`` calls the model whose features these are; ``reader`` measures what they say of
    sentences.
    """

    def __init__(self, name: str, base: str, extractor: CropsExtractor, sentences: SentenceReader) -> None:
        self.name = name
        self.base = base
        self.extractor = extractor
        self.reader = EvidenceReader(extractor.space, sentences)
        self._proposals = LastVideo(cuts_and_proposals)

    def context(self, features: Features) -> VideoContext:
        """A video as every sentence finds it; its proposals are kept for the next question about the same features.

        Raises an `InputError` for features of another extractor, or on steps of another length.
        """
        check_features(features, self.extractor.space, self.name)
        return VideoContext(features, *self._proposals(features), self._half(features))

    def _half(self, features: Features) -> float:
        """The z-score with a score of a half."""
        return HALF

    def embed_frames(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `asst.localizer.Localizer.embed_frames`."""
        return self.extractor.embed(frames)

    def embed_sentences(self, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        """See `asst.localizer.Localizer.embed_sentences`."""
        return self.reader.sentences.vectors(sentences)

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Answer]:
        """The best moments of each sentence, scored as ``docs/models.md`` explains; raises as `context`."""
        context = self.context(features)
        found = [(evidence, query_scores(context, evidence)) for evidence in self.reader(features, queries)]
        return [ranking(context, evidence, own, own.proposals, top) for evidence, own in found]


class SimilarityModel(ZeroShotModel):
    """The packaged space of pictures and sentences, or another that was learnt from captions.

    Raises an `InputError` when published weights are missing, or for a file that is damaged or of no space.
    """

    def __init__(self, name: str = "similarity", path: Path = PACKAGED, sampled_fps: float = SAMPLED_FPS) -> None:
        extractor = CaptionExtractor(path, sampled_fps)
        packaged = "default" if sampled_fps == SAMPLED_FPS else name
        base = packaged if path == PACKAGED else str(path.absolute())
        super().__init__(name, base, extractor, extractor.sentences)


def fast_similarity() -> SimilarityModel:
    """The model ``similarity-fast``, which looks at fewer pictures."""
    return SimilarityModel("similarity-fast", sampled_fps=0.75)


class ClipModel(ZeroShotModel):
    """CLIP or SigLIP; an `InputError` as `ClipCropsExtractor`, or if it is not there.

    Args:
        name: its name.
        features: `CLIP` for a folder that somebody brought, or a key of `IMAGE_TEXT`.
        weights: a folder, or for `CLIP` one that holds it as ``clip``; None for the folder of ``ASST_WEIGHTS``, or
            where ``asst models get`` puts it.
    """

    def __init__(self, name: str = "clip", features: str = CLIP, weights: Path | None = None) -> None:
        extractor = extractor_named(features, weights)
        assert isinstance(extractor, ClipCropsExtractor)
        named = "clip" if features == CLIP else features
        super().__init__(name, str(weights.absolute()) if weights else named, extractor, extractor.sentences)
        self._halves = LastVideo(lambda shown: half_way(self.reader.visual(shown).negatives))

    def _half(self, features: Features) -> float:
        return self._halves(features)


def zeroshot_of(extractor: str, name: str) -> ZeroShotModel:
    """The model that reads an extractor's features; an `InputError` if none does, or when weights are missing."""
    if extractor == CLIP or extractor in IMAGE_TEXT:
        return ClipModel(name, extractor)
    if extractor == CAPTIONS:
        return SimilarityModel(name)
    raise InputError(
        f"{name} is of features of {extractor}, not of {CAPTIONS}, {CLIP} or a model of asst models; train it on those"
    )
