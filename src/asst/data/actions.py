"""Videos with labelled spans: what an annotation of actions comes to, and the collecting of it from a file's rows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asst.data.record import Problem, Span
from asst.data.rows import ProblemLog, UnusableRowError, clean_span


@dataclass(frozen=True, slots=True)
class LabelledSpan:
    """One action."""

    label: str
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not self.label or not math.isfinite(self.end_s) or not 0 <= self.start_s < self.end_s:
            raise ValueError(f"no action: {self.label!r} from {self.start_s} s to {self.end_s} s")


@dataclass(frozen=True, slots=True)
class ActionVideo:
    """One video with its actions, inside it and in the file's order; they overlap freely.

    ``annotated`` are the actions before they were cut to the video: what published figures count. ``ignored`` are spans
    in seconds, inside the video, that are neither action nor background.
    """

    video: str
    split: str
    duration_s: float
    actions: tuple[LabelledSpan, ...]
    annotated: tuple[LabelledSpan, ...]
    ignored: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if not self.video or not (math.isfinite(self.duration_s) and self.duration_s > 0):
            raise ValueError(f"a video has a name and lasts a positive time: {self.video!r}, {self.duration_s} s")
        ends = [*(action.end_s for action in self.actions), *(end_s for _, end_s in self.ignored)]
        if ends and max(ends) > self.duration_s:
            raise ValueError(f"{self.video}: a span ends at {max(ends)} s, after the video ({self.duration_s} s)")


@dataclass(frozen=True, slots=True)
class ActionDataset:
    """Videos in the file's order, problems, and ``includes``: by a class those whose every action is one of it too."""

    videos: tuple[ActionVideo, ...]
    problems: tuple[Problem, ...] = ()
    includes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def video_names(self) -> tuple[str, ...]:
        """Those of the videos."""
        return tuple(video.video for video in self.videos)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that occur, sorted."""
        return tuple(sorted({action.label for video in self.videos for action in video.annotated}))

    def about(self, videos: Collection[str], split: str) -> ActionDataset:
        """These videos alone, under the name of another split; the problems stay, being the file's."""
        chosen = tuple(replace(video, split=split) for video in self.videos if video.video in videos)
        return replace(self, videos=chosen)


class ActionRows(ProblemLog):
    """Collects the actions of videos and notes what is wrong with them, by the rules of `asst.data.rows`."""

    def __init__(self, split: str) -> None:
        super().__init__()
        self._split = split
        self._durations_s: dict[str, float] = {}
        self._actions: dict[str, list[LabelledSpan]] = {}
        self._annotated: dict[str, list[LabelledSpan]] = {}
        self._ignored: dict[str, list[Span]] = {}

    def video(self, name: str, duration_s: float) -> None:
        """A video that the rows may speak of, with an action or not; a second one is an `UnusableRowError`."""
        if name in self._durations_s:
            raise UnusableRowError(f"a second row for {name}")
        self._durations_s[name] = duration_s
        for kept in (self._actions, self._annotated, self._ignored):
            kept[name] = []

    def action(self, path: Path, where: str, video: str, label: str, span: Span) -> None:
        """One action, cut to its video; an `UnusableRowError` as of `clean_span`, or for a video without a length.

        One wholly outside its video is part of ``annotated`` still.
        """
        clean_span(span, self._known(video))
        start_s, end_s = sorted(max(time_s, 0.0) for time_s in span)
        if start_s < end_s:
            self._annotated[video].append(LabelledSpan(label, start_s, end_s))
        start_s, end_s = self._cut(path, where, video, span)
        self._actions[video].append(LabelledSpan(label, start_s, end_s))

    def ignore(self, path: Path, where: str, video: str, span: Span) -> None:
        """One span that is neither action nor background; raises as `action`."""
        span = self._cut(path, where, video, span)
        self._ignored[video].append(span)

    def dataset(self, includes: Mapping[str, Sequence[str]]) -> ActionDataset:
        """Everything collected, each action of an included class counted as one of the including class too."""
        videos = tuple(
            ActionVideo(
                video=video,
                split=self._split,
                duration_s=duration_s,
                actions=_with_including(self._actions[video], includes),
                annotated=_with_including(self._annotated[video], includes),
                ignored=tuple(self._ignored[video]),
            )
            for video, duration_s in self._durations_s.items()
        )
        return ActionDataset(videos, self.problems(), {key: tuple(own) for key, own in includes.items()})

    def _known(self, video: str) -> float:
        if video not in self._durations_s:
            raise UnusableRowError(f"the length of {video} is not known")
        return self._durations_s[video]

    def _cut(self, path: Path, where: str, video: str, span: Span) -> Span:
        inside, faults = clean_span(span, self._known(video))
        if inside is None:
            raise UnusableRowError("; ".join(faults))
        if faults:
            self.note(path, where, "; ".join(faults))
        return inside


def _with_including(actions: Sequence[LabelledSpan], includes: Mapping[str, Sequence[str]]) -> tuple[LabelledSpan, ...]:
    known = set(actions)
    implied = (
        replace(action, label=whole) for whole, parts in includes.items() for action in actions if action.label in parts
    )
    return (*actions, *(action for action in implied if action not in known))


def particular(actions: Sequence[LabelledSpan], includes: Mapping[str, Sequence[str]]) -> tuple[LabelledSpan, ...]:
    """The actions without those that only say again of a span what class its class is part of.

    >>> both = LabelledSpan("cliff dive", 1, 2), LabelledSpan("dive", 1, 2)
    >>> [action.label for action in particular(both, {"dive": ["cliff dive"]})]
    ['cliff dive']
    """
    implied = {
        replace(action, label=whole) for action in actions for whole, parts in includes.items() if action.label in parts
    }
    return tuple(action for action in actions if action not in implied)
