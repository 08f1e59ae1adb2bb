"""Windows of videos with labelled spans: drawn ones to learn from, and all of a video to find its actions in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from torch.utils.data import Dataset

from asst.data.actions import ActionVideo, particular
from asst.data.observations import LEAST_VISIBLE, CropObservation
from asst.data.sample import NO_WORDS, Sample, Window, whole_steps
from asst.data.samples import DRAWS, Key
from asst.features.stores.native import FeatureStore, require
from asst.moments import FloatArray, IntArray

NEITHER = -1


class ActionSamples(Dataset[Sample]):
    """Crops of stretched videos with the actions in them; a map from ``(epoch, index)`` to a sample.

    A video has as many samples as half-overlapping windows; each epoch draws one crop from each of as many equal parts
    of it, so that every part is seen, action or not. What a sample holds is the index of a class in ``labels`` plus
    one, or `NEITHER` for an action of which less than half is inside, whose class is not learnt, or an ambiguous
    stretch. A span that is of a class and of its part, by ``includes``, is learnt as the part.
    """

    def __init__(
        self,
        videos: Sequence[ActionVideo],
        store: FeatureStore,
        labels: Sequence[str],
        includes: Mapping[str, Sequence[str]],
        observation: CropObservation,
        seed: int = 0,
    ) -> None:
        require(store, (video.video for video in videos))
        self.videos = tuple(videos)
        self.observation = observation
        self._store = store
        self._seed = seed
        self._truths = [labelled_spans(video, labels, includes) for video in videos]
        apart_s = observation.steps * observation.step_s / 2
        parts = [max(1, math.ceil(video.duration_s / apart_s) - 1) for video in videos]
        self._places = [(index, part, count) for index, count in enumerate(parts) for part in range(count)]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, key: Key) -> Sample:
        """The crop of one part of a video in an epoch; raises as the store."""
        epoch, index = key
        video, part, parts = self._places[index]
        features = self._store.read(self.videos[video].video)
        draw = np.random.default_rng((DRAWS, self._seed, epoch, index))
        place = (part + float(draw.uniform())) / parts
        step_s = self.observation.drawn_step_s(draw)
        steps = min(whole_steps(features.duration_s, step_s), self.observation.steps)
        free_s = max(0.0, features.duration_s - steps * step_s)
        window = Window(features.start_s + place * free_s, step_s, steps)
        spans, labels = seen_spans(window, *self._truths[video])
        return Sample(video, window, window.read(features), NO_WORDS, spans, labels=labels)


class ActionWindows(Dataset[tuple[Sample, ...]]):
    """All windows of videos, in the order of videos and time, without truth; an `InputError` without features."""

    def __init__(self, videos: Sequence[ActionVideo], store: FeatureStore, observation: CropObservation) -> None:
        require(store, (video.video for video in videos))
        self.videos = tuple(videos)
        self.observation = observation
        self._store = store
        self._windows = [
            (index, window)
            for index, video in enumerate(videos)
            for window in observation.windows(video.duration_s, store.read(video.video))
        ]

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> tuple[Sample, ...]:
        """One window, in a tuple of its own, as a query of one window is; raises as the store."""
        video, window = self._windows[index]
        features = self._store.read(self.videos[video].video)
        return (Sample(video, window, window.read(features), NO_WORDS, np.zeros((0, 2))),)


def labelled_spans(
    video: ActionVideo, labels: Sequence[str], includes: Mapping[str, Sequence[str]]
) -> tuple[FloatArray, IntArray]:
    """What is to be learnt of a video: spans in seconds, ``(n, 2)``, and the class of each, from 1, or -1 for neither.

    >>> from asst.data.actions import LabelledSpan
    >>> both = LabelledSpan("cliff dive", 1, 2), LabelledSpan("dive", 1, 2)
    >>> video = ActionVideo("v", "train", 9.0, both, both, ((4.0, 5.0),))
    >>> labelled_spans(video, ["cliff dive", "dive"], {"dive": ["cliff dive"]})[1].tolist()
    [1, -1]
    """
    own = particular(video.actions, includes)
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    spans = [*((action.start_s, action.end_s) for action in own), *video.ignored]
    classes = [*(numbers.get(action.label, NEITHER) for action in own), *(NEITHER for _ in video.ignored)]
    return np.array(spans, dtype=np.float64).reshape(-1, 2), np.array(classes, dtype=np.int64)


def seen_spans(window: Window, spans_s: FloatArray, labels: IntArray) -> tuple[FloatArray, IntArray]:
    """The spans that a window shows, cut to it, in steps; the class of one that is less than half inside becomes -1."""
    spans = window.to_steps(spans_s)
    inside = spans.clip(0, window.steps)
    lengths = inside[:, 1] - inside[:, 0]
    shown = lengths > 0
    half = lengths >= LEAST_VISIBLE * (spans[:, 1] - spans[:, 0])
    return inside[shown], np.where(half, labels, NEITHER)[shown]
