"""A detector of actions from checkpoints: features in, labelled spans out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from asst.data.actions import ActionVideo
from asst.data.sample import NO_WORDS, Sample
from asst.features.stores.native import FeatureStore, require
from asst.features.values import Features
from asst.models.answers import WindowAnswer
from asst.models.trained.loading import Checkpoints
from asst.moments import Answer, FloatArray, IntArray, Moment, nms

A_CLASS = 200
"""Detections of a class in a video that are kept."""


LEAST_SCORE = 0.001
"""Detections that are weaker are not looked at."""
MOST_A_WINDOW = 1000
"""The best so many detections of a window are looked at."""


class TrainedDetector(Checkpoints):
    """Checkpoints as a detector; a video is slid over, no more than some windows of it in memory at once."""

    at_once = 16
    finds_actions = True
    otherwise = "answers sentences and finds no actions; use it with asst locate --model"

    def detect(
        self,
        features: Features,
        video: str = "",
        *,
        duration_s: float | None = None,
        top: int | None = None,
        least: float = 0.0,
    ) -> Answer:
        """The actions in one video, best first.

        Args:
            features: of the video; those of another kind are an `InputError`.
            video: its name, for the answer.
            duration_s: its length in seconds; that of the features if None.
            top: actions at most; None for `A_CLASS` of each class.
            least: score of an action at least, in [0, 1].
        """
        length_s = features.end_s if duration_s is None else duration_s
        (found,) = self._found([(features, length_s)], least)
        detections = detections_of(found, self.labels, video, length_s, self.name)
        return replace(detections, moments=detections.moments[:top])

    def detect_videos(self, videos: Sequence[ActionVideo], store: FeatureStore) -> Iterator[Answer]:
        """The actions in each of these videos, in their order, as they are found.

        Raises an `InputError` for a video without features or with features of another kind.
        """
        require(store, (video.video for video in videos))
        sources = ((store.read(video.video), video.duration_s) for video in videos)
        for video, found in zip(videos, self._found(sources), strict=True):
            yield detections_of(found, self.labels, video.video, video.duration_s, self.name)

    def _found(self, sources: Iterable[tuple[Features, float]], least: float = 0.0) -> Iterator[FoundActions]:
        durations_s: list[float] = []

        def samples() -> Iterator[Sample]:
            for index, (features, duration_s) in enumerate(sources):
                self.description.features.check(features, self.name)
                durations_s.append(duration_s)
                for window in self.observation.windows(duration_s, features):
                    yield Sample(index, window, window.read(features), NO_WORDS, np.zeros((0, 2)))

        windows = (window_actions(answer, durations_s[answer.record]) for answer in self.windows(samples()))
        return video_actions(windows, len(self.labels), overlap=self.description.overlap, a_class=A_CLASS, least=least)


@dataclass(frozen=True, slots=True, eq=False)
class FoundActions:
    """Detections, of a window or of a video.

    ``spans_s`` are in seconds, shape ``(n, 2)``; ``scores`` and ``labels``, the index of each one's class, have shape
    ``(n,)``.
    """

    record: int
    spans_s: FloatArray
    scores: FloatArray
    labels: IntArray


def window_actions(answer: WindowAnswer, duration_s: float) -> FoundActions:
    """The detections of one window that are worth looking at, cut to the window and the video."""
    assert answer.labels is not None
    scores = answer.scores.mean(axis=0)
    window = answer.window
    spans_s = np.clip(window.to_seconds(answer.spans), max(window.start_s, 0.0), min(window.end_s, duration_s))
    usable = np.flatnonzero(answer.kept & (scores >= LEAST_SCORE) & (spans_s[:, 1] > spans_s[:, 0]))
    best = usable[np.argsort(-scores[usable], kind="stable")[:MOST_A_WINDOW]]
    return FoundActions(answer.record, spans_s[best], scores[best], answer.labels[best])


def video_actions(
    windows: Iterable[FoundActions], classes: int, *, overlap: float, a_class: int, least: float = 0.0
) -> Iterator[FoundActions]:
    """One answer a video, best first, from the windows that observe it, which come one after the other.

    The weaker of two spans of one class whose IoU exceeds ``overlap`` is dropped; ``a_class`` of each class are kept at
    most, with a score of ``least`` at least.
    """
    for record, group in groupby(windows, key=lambda window: window.record):
        own = list(group)
        spans_s, scores, labels = (
            np.concatenate([getattr(window, name) for window in own]) for name in ("spans_s", "scores", "labels")
        )
        kept = []
        for label in range(classes):
            at = np.flatnonzero((labels == label) & (scores >= least))
            kept.append(at[nms(spans_s[at], scores[at], overlap, a_class)])
        every = np.concatenate(kept)
        best = every[np.argsort(-scores[every], kind="stable")]
        yield FoundActions(record, spans_s[best], scores[best], labels[best])


def detections_of(
    found: FoundActions, labels: Sequence[str], video: str, duration_s: float = 0.0, model: str = ""
) -> Answer:
    """What was found in a video, with the names of classes."""
    moments = tuple(
        Moment(float(start_s), float(end_s), float(score), video=video or None, label=labels[label])
        for (start_s, end_s), score, label in zip(found.spans_s, found.scores, found.labels, strict=True)
    )
    best = moments[0].score if moments else None
    return Answer(video, "", duration_s, model, moments, best_score=best)
