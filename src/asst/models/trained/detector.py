"""A detector of actions from checkpoints: features in, labelled spans out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np

from asst.data.actions import ActionVideo
from asst.data.sample import NO_WORDS, Sample
from asst.errors import InputError
from asst.features.extractor import Extractor, extractor_named
from asst.features.stores.native import FeatureStore, require
from asst.features.values import Features
from asst.models.answers import Answerer
from asst.models.checkpoint import Description
from asst.models.trained.answering import window_answers
from asst.models.trained.loading import build_observation, loaded
from asst.models.trained.suppression import FoundActions, detections_of, video_actions, window_actions
from asst.moments import Answer

A_CLASS = 200
"""Detections of a class in a video that are kept."""

WINDOWS_AT_ONCE = 16


class TrainedDetector:
    """One checkpoint, or the mean of several of one training, as a detector.

    A video is slid over: no more than some windows of it are in memory at once.

    Args:
        methods: with the weights of each checkpoint.
        description: what they have in common.
        name: for messages and answers.

    Attributes:
        name: as above.
        description: of the first checkpoint.
        labels: the classes it finds.
    """

    def __init__(self, methods: Sequence[Answerer], description: Description, name: str) -> None:
        self.name = name
        self.description = description
        self.labels = methods[0].labels
        self._methods = tuple(methods)
        self._observation = build_observation(description.observation)

    @classmethod
    def load(cls, paths: Sequence[Path]) -> Self:
        """From checkpoint files, at least one.

        Raises:
            InputError: for a file that is no checkpoint of a detector, or checkpoints that do not belong together.
        """
        methods, description = loaded(paths)
        if not methods[0].finds_actions:
            raise InputError(f"{paths[0]} answers sentences and finds no actions; use it with asst locate --model")
        return cls(methods, description, paths[0].name)

    @property
    def extractor(self) -> Extractor:
        """What makes its features of a video.

        Raises:
            InputError: if that cannot be done here.
        """
        return extractor_named(self.description.features.extractor)

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
            features: of the video.
            video: its name, for the answer.
            duration_s: its length in seconds; that of the features if None.
            top: actions at most; None for `A_CLASS` of each class.
            least: score of an action at least, in [0, 1].

        Raises:
            InputError: for features of another kind.
        """
        length_s = features.end_s if duration_s is None else duration_s
        (found,) = self._found([(features, length_s)], least)
        detections = detections_of(found, self.labels, video, length_s, self.name)
        return replace(detections, moments=detections.moments[:top])

    def detect_videos(self, videos: Sequence[ActionVideo], store: FeatureStore) -> Iterator[Answer]:
        """The actions in each of these videos, in their order, as they are found.

        Raises:
            InputError: for a video without features or with features of another kind.
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
                for window in self._observation.windows(duration_s, features):
                    yield Sample(index, window, window.read(features), NO_WORDS, np.zeros((0, 2)))

        def windows() -> Iterator[FoundActions]:
            source = samples()
            while some := list(islice(source, WINDOWS_AT_ONCE)):
                each = [method.answers(some) for method in self._methods]
                for answer in window_answers(each, [own.record for own in some], [own.window for own in some]):
                    yield window_actions(answer, durations_s[answer.record])

        return video_actions(
            windows(), len(self.labels), overlap=self.description.overlap, a_class=A_CLASS, least=least
        )
