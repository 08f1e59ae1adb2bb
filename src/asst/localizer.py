"""The product: a video and sentences in, moments out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from asst.errors import InputError
from asst.features.extractor import Progress
from asst.features.values import Features
from asst.models import model_named
from asst.models.base import RANKED_LEAST, Attentive, Embedding, Model
from asst.moments import Answer, Float32Array, Moment, check_question, check_sentences, rows, within
from asst.text import understood
from asst.video import Frames
from asst.video.picture import Pixels


def load(name: str | Path = "default") -> Localizer:
    """A localizer by the name of its model, one of ``asst models``, or from a checkpoint that ``asst train`` wrote.

    Raises an `InputError` for a name that no model has, a file that is no checkpoint, or when weights are missing.
    """
    return Localizer(model_named(name))


class Localizer:
    """Finds the moments of a video that sentences describe, which a model ranks.

    The video is read once, whatever the number of sentences. To ask more of it later, keep what ``features`` returns
    and give that in place of the file.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def __repr__(self) -> str:
        return f"Localizer({self.name})"

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def features(self, video: str | Path | Iterable[Frames], *, progress: Progress | None = None) -> Features:
        """What the model needs of a file or of frames in memory; an `InputError` if it cannot be had."""
        extractor = self.model.extractor
        if isinstance(video, np.ndarray | Frames):
            raise InputError("frames in memory are a list with their times; give [asst.video.Frames(pixels, times_s)]")
        if isinstance(video, str | Path):
            found, name = extractor.extract(video, progress=progress), str(video)
        else:
            found, name = extractor.extract_frames(video), "the frames"
        found.require_finite(name)
        return found

    def locate(
        self,
        video: str | Path | Iterable[Frames] | Features,
        queries: Sequence[str],
        *,
        top: int = 5,
        min_score: float | None = None,
    ) -> list[list[Moment]]:
        """The best moments of each sentence, best first.

        Args:
            video: a file, frames in memory, or features.
            queries: sentences.
            top: the most moments to return for a sentence.
            min_score: moments of at least this score, in place of the model's threshold.

        Returns:
            A list a sentence, in their order; empty for a sentence that describes nothing in the video.

        Raises:
            InputError: for a video that cannot be read, features that are not finite, no sentence or an empty one, a
                sentence that is not in a list, ``top`` below one, or a ``min_score`` that is no number.
        """
        return [list(answer.moments) for answer in self.answer(video, queries, top=top, min_score=min_score)]

    def answer(
        self,
        video: str | Path | Iterable[Frames] | Features,
        queries: Sequence[str],
        *,
        top: int = 5,
        min_score: float | None = None,
        progress: Progress | None = None,
        attention: bool = False,
    ) -> list[Answer]:
        """As ``locate``, with what is weaker, the curve of scores and what else a report shows.

        ``progress`` is told how many seconds of how many have been read. With ``attention`` the answers say which words
        the model looked at, where it has attention; the network runs once more.
        """
        check_question(queries, top, min_score)
        features = video if isinstance(video, Features) else self.features(video, progress=progress)
        if features is video:
            features.require_finite("the features")
        duration_s = features.video_end_s
        name = str(video) if isinstance(video, str | Path) else ""
        attentive = self.model if attention and isinstance(self.model, Attentive) else None
        answers = []
        for ranked in self.model.rank(features, queries, top=max(top, RANKED_LEAST)):
            threshold = ranked.threshold if min_score is None else min_score
            found, weaker = rows(within(ranked.ranked, duration_s, name), duration_s, threshold)
            answers.append(
                replace(
                    ranked,
                    video=name,
                    duration_s=duration_s,
                    model=self.name,
                    moments=found[:top],
                    weaker=weaker[: max(0, top - len(found))],
                    best_score=next((own.score for own in (*found, *weaker)), None),
                    threshold=threshold,
                    attention=attentive.word_attention(features, ranked.query) if attentive else None,
                    understood=understood(ranked.query),
                )
            )
        return answers

    def embed_frames(self, frames: Pixels) -> Float32Array:
        """Pictures in the model's space, unit vectors; their product with those of sentences is the similarity.

        RGB frames of shape ``(frames, height, width, 3)`` become ``(frames, d)``.

        Raises:
            InputError: for frames of another shape or type, or a model without such a space.
        """
        return self._embedding().embed_frames(frames)

    def embed_sentences(self, sentences: Sequence[str]) -> Float32Array:
        """Sentences in the model's space, as `embed_frames`; raises InputError for no list of them."""
        check_sentences(sentences)
        return self._embedding().embed_sentences(sentences)

    def _embedding(self) -> Embedding:
        if not isinstance(self.model, Embedding):
            raise InputError(f"{self.name} has no space of pictures and sentences; choose similarity or clip")
        return self.model
