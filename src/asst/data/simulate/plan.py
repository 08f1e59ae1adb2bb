"""What happens in a simulated scene: pieces, shots, events and the questions about them, before any feature is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asst.data.record import Span
from asst.data.simulate.scene_settings import SceneSettings
from asst.data.simulate.timelines import Event, Timeline
from asst.features.squares import STEP_S

Steps = tuple[int, int]

STEPS_MOST = 256
"""Steps of a scene: two minutes and a little."""

_PIECE_LEAST_S, _PIECE_MOST_S = 0.5, 25.0
_SCENE_LEAST_S, _SCENE_MOST_S = 4.0, STEPS_MOST * STEP_S
_JOINED_MOST = 12
_SHOT_LEAST = 2
_ORDINALS = ("first", "second", "third")
# Share of sentences that name the wanted event before the other.
_WANTED_FIRST = 0.6


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happens once.

    Attributes:
        sentence: what describes it.
        span: first step and the step after the last; the same step where it does not happen in the scene, and is only
            told of the video that the piece is of.
        piece: in which piece.
    """

    sentence: str
    span: Steps
    piece: int

    @property
    def happens(self) -> bool:
        """Whether it happens in the scene."""
        return self.span[0] < self.span[1]


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence to be found.

    Attributes:
        query: as it is asked.
        spans: in steps; the one answer, or several that are as good.
        kind: ``joined``, ``timeline``, ``ordinal`` or ``relation``.
        rivals: spans of the same event that are wrong.
    """

    query: str
    spans: tuple[Steps, ...]
    kind: str
    rivals: tuple[Steps, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A scene before it is seen.

    Attributes:
        pieces: unrelated parts, in order, without gaps.
        shots: first step of each shot, ascending from 0; every piece begins one.
        occurrences: what happens.
        questions: what is asked.
    """

    pieces: tuple[Steps, ...]
    shots: tuple[int, ...]
    occurrences: tuple[Occurrence, ...]
    questions: tuple[Question, ...]

    @property
    def steps(self) -> int:
        """Length of the scene."""
        return self.pieces[-1][1]


class Planner:
    """Draws plans.

    Args:
        timelines: where sentences and spans come from.
        settings: how often what.
    """

    def __init__(self, timelines: Sequence[Timeline], settings: SceneSettings) -> None:
        self._timelines = timelines
        self._settings = settings

    def draw(self, source: np.random.Generator) -> Plan:
        """A plan."""
        settings = self._settings
        kind = source.random()
        if kind < settings.joined:
            return self._joined(source)
        if kind < settings.joined + settings.ordinals:
            return self._ordinal(source)
        if kind < settings.joined + settings.ordinals + settings.relations:
            return self._relation(source)
        return self._timeline(source)

    def _joined(self, source: np.random.Generator) -> Plan:
        """Unrelated events in a row; each is asked for."""
        count = int(source.integers(3, _JOINED_MOST + 1))
        pieces = self._row(source, count)
        occurrences, questions = [], []
        for i, piece in enumerate(pieces):
            text, other = self._pair(source)
            query = self._told_in_order(text, other, source)
            occurrences.append(Occurrence(text, piece, i))
            # What else is told of the video does not happen here, and yet the piece is of that video.
            occurrences.append(Occurrence(other, (piece[0], piece[0]), i))
            questions.append(Question(query, (piece,), "joined"))
        return Plan(tuple(pieces), self._shots(source, pieces), tuple(occurrences), tuple(questions))

    def _told_in_order(self, sentence: str, other: str, source: np.random.Generator) -> str:
        """At times with words of order that decide nothing: what they refer to is not in the scene."""
        if source.random() >= self._settings.beyond:
            return sentence
        text = sentence.rstrip(".")
        if source.random() < 0.5:
            return f"{text} for the {source.choice(_ORDINALS)} time"
        return _beside(text, source.choice(("before", "after")), other.rstrip("."), source)

    def _timeline(self, source: np.random.Generator) -> Plan:
        """A video as it was annotated, stretched to a likely length."""
        timeline = self._timelines[int(source.integers(len(self._timelines)))]
        settings = self._settings
        length_s = float(np.exp(np.log(settings.scene_s) + settings.scene_spread * source.standard_normal()))
        steps = round(float(np.clip(length_s, _SCENE_LEAST_S, _SCENE_MOST_S)) / STEP_S)
        scale = steps / timeline.duration_s
        occurrences = []
        for event in timeline.events:
            first = min(steps - 1, round(event.span_s[0] * scale))
            occurrences.append(Occurrence(event.sentence, (first, max(first + 1, round(event.span_s[1] * scale))), 0))
        asked = [o for o in occurrences if o.span[1] - o.span[0] < steps] or occurrences
        chosen = source.permutation(len(asked))[:4]
        questions = (Question(asked[i].sentence, (asked[i].span,), "timeline") for i in chosen)
        return Plan(((0, steps),), self._shots(source, [(0, steps)]), tuple(occurrences), tuple(questions))

    def _ordinal(self, source: np.random.Generator) -> Plan:
        """One event several times among others of its piece; each time is asked for."""
        sentence = self._sentence(source)
        times = int(source.integers(2, 4))
        row = self._row(source, 2 * times + int(source.integers(0, 2)))
        steps = row[-1][1]
        spans = row[1::2][:times]
        others = [Occurrence(self._sentence(source), piece, 0) for piece in row[::2] if source.random() < 0.5]
        questions = []
        for i, span in enumerate(spans):
            named = _ORDINALS[i]
            if i == times - 1 and source.random() < 0.5:
                named = "last"
            text = sentence.rstrip(".")
            query = f"{text} for the {named} time" if source.random() < 0.8 else f"the {named} time {text}"
            questions.append(Question(query, (span,), "ordinal", tuple(s for s in spans if s != span)))
        occurrences = [Occurrence(sentence, span, 0) for span in spans]
        return Plan(((0, steps),), self._shots(source, [(0, steps)]), (*occurrences, *others), tuple(questions))

    def _relation(self, source: np.random.Generator) -> Plan:
        """One event before and after another; either time is asked for."""
        wanted, other = (sentence.rstrip(".") for sentence in self._pair(source))
        row = self._row(source, int(source.integers(5, 7)))
        steps = row[-1][1]
        before, middle, after = row[-5], row[-3], row[-1] if source.random() < 0.5 else row[-2]
        occurrences = (
            Occurrence(wanted, before, 0),
            Occurrence(other, middle, 0),
            Occurrence(wanted, after, 0),
        )
        questions = []
        for word, span, rival in (("before", before, after), ("after", after, before)):
            questions.append(Question(_beside(wanted, word, other, source), (span,), "relation", (rival,)))
        return Plan(((0, steps),), self._shots(source, [(0, steps)]), occurrences, tuple(questions))

    def _sentence(self, source: np.random.Generator) -> str:
        return self._event(source)[1].sentence

    def _pair(self, source: np.random.Generator) -> tuple[str, str]:
        """A sentence, and another about the same video at another time, if it has one.

        What is told of one video is alike: the same people and things, which makes order hard to tell.
        """
        timeline, event = self._event(source)
        others = [other for other in timeline.events if not _overlap(event.span_s, other.span_s)]
        if not others:
            return event.sentence, self._sentence(source)
        return event.sentence, others[int(source.integers(len(others)))].sentence

    def _event(self, source: np.random.Generator) -> tuple[Timeline, Event]:
        timeline = self._timelines[int(source.integers(len(self._timelines)))]
        return timeline, timeline.events[int(source.integers(len(timeline.events)))]

    def _row(self, source: np.random.Generator, count: int) -> list[Steps]:
        """Spans of likely lengths one after another, as many as fit of so many, from step 0 on."""
        settings = self._settings
        lengths_s = np.exp(np.log(settings.piece_s) + settings.piece_spread * source.standard_normal(count))
        lengths = np.maximum(1, np.round(np.clip(lengths_s, _PIECE_LEAST_S, _PIECE_MOST_S) / STEP_S)).astype(int)
        if lengths.sum() > STEPS_MOST:
            lengths = np.maximum(1, lengths * (STEPS_MOST - count) // lengths.sum())
        ends = np.cumsum(lengths)
        return [(int(end - length), int(end)) for end, length in zip(ends, lengths, strict=True)]

    def _shots(self, source: np.random.Generator, pieces: Sequence[Steps]) -> tuple[int, ...]:
        """Every piece begins a shot; in some of them there are more."""
        shots = []
        for first, end in pieces:
            shots.append(first)
            if source.random() < self._settings.still:
                continue
            at = first
            while (at := at + max(_SHOT_LEAST, round(source.exponential(self._settings.shot_s) / STEP_S))) < end - 1:
                shots.append(at)
        return tuple(shots)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _beside(wanted: str, word: str, other: str, source: np.random.Generator) -> str:
    """A sentence that says on which side of another event the wanted one lies."""
    return f"{wanted} {word} {other}" if source.random() < _WANTED_FIRST else f"{word} {other}, {wanted}"
