"""What comes when on a tape: clips in a row, and the sentences that ask for them, before any of it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from asst.features.zeroshot.crops import STEP_S
from asst.moments import IntArray
from asst.settings import Settings

Steps = tuple[int, int]

STEPS_MOST = 256
"""Steps of a tape: two minutes and a little."""

_CLIP_LEAST_S, _CLIP_MOST_S = 0.5, 25.0
_CLIPS_LEAST = 3
CLIPS_MOST = 20
"""Clips of a tape."""
_ORDINALS = ("first", "second", "third")
# Share of sentences that name the wanted clip before the other.
_WANTED_FIRST = 0.6
# Share of those that tell of nothing on the tape that tell of the same clip again.
_SAME_CLIP = 0.6


@dataclass(frozen=True, slots=True)
class Shown:
    """A clip on the tape: its first step and the step after the last, and how often it was shown before."""

    clip: int
    span: Steps
    time: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence to be found, and the answer, in steps.

    ``kind`` is ``clip``, ``ordinal``, ``relation`` or ``sequence``; ``rivals`` are spans of the same clip that are
    wrong.
    """

    query: str
    span: Steps
    kind: str
    rivals: tuple[Steps, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A tape before it is seen: clips in their order, without gaps, and what is asked."""

    shown: tuple[Shown, ...]
    questions: tuple[Question, ...]

    @property
    def steps(self) -> int:
        """Length of the tape."""
        return self.shown[-1].span[1]


class TapeSettings(Settings):
    """How tapes are planned and what they look like.

    Noise is made of how the two frames of other clips differ, so that it turns to where real shots do. Weights of noise
    are against what is seen less what is usual, of length one.
    """

    ordinals: float = 0.2
    """share of tapes in which a clip comes several times and one of them is asked for."""
    relations: float = 0.2
    """share in which a clip comes before and after another and one of them is asked for."""
    sequences: float = 0.1
    """share in which two clips in a row are asked for as one. In the other tapes each clip is asked for."""
    beyond: float = 0.45
    """share of the sentences in these that tell of an order whose other part is not on the tape."""
    alike: float = 0.4
    """share of tapes whose clips show what resembles one of them."""
    clip_s: float = 3.0
    """median length of a clip, in seconds."""
    clip_spread: float = 0.9
    """standard deviation of the log of that length."""
    cut: float = 0.75
    """share of the places between two clips that are cuts; the others dissolve."""
    dissolve_s: float = 2.0
    """longest dissolve, in seconds."""
    changes: float = 0.6
    """share of the clips of two frames that show both."""
    cuts_seen: float = 0.95
    """share of the cuts that are detected."""
    cuts_false: float = 0.3
    """detected cuts that are none, a minute."""
    drift: float = 0.85
    """weight of what changes slowly."""
    memory: float = 0.9
    """how much of the drift is left half a second later."""
    white: float = 0.45
    """weight of what changes from step to step."""
    spread: float = 0.5
    """standard deviation of the log of both from one clip to the next."""


class Planner:
    """Draws plans from the sentences of each clip, at least one, and ``pick``, which draws so many different clips."""

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        pick: Callable[[np.random.Generator, int], IntArray],
        settings: TapeSettings,
    ) -> None:
        self._sentences, self._pick, self._settings = sentences, pick, settings

    def draw(self, source: np.random.Generator) -> Plan:
        """A plan."""
        settings = self._settings
        kinds = (self._ordinal, self._relation, self._sequence, self._once)
        bounds = np.cumsum([settings.ordinals, settings.relations, settings.sequences])
        return kinds[int(np.searchsorted(bounds, source.random(), side="right"))](source)

    def _once(self, source: np.random.Generator) -> Plan:
        """Clips in a row, each asked for."""
        shown = self._row(source, self._count(source))
        return Plan(shown, tuple(Question(self._told(own.clip, source), own.span, "clip") for own in shown))

    def _sequence(self, source: np.random.Generator) -> Plan:
        """Clips in a row, two neighbours asked for."""
        shown = self._row(source, self._count(source))
        questions = []
        for one, two in pairwise(shown):
            joint = str(source.choice((", then ", " and then ", ", and after that ")))
            query = f"{self._sentence(one.clip, source)}{joint}{self._sentence(two.clip, source)}"
            questions.append(Question(query, (one.span[0], two.span[1]), "sequence", (one.span, two.span)))
        return Plan(shown, tuple(questions))

    def _told(self, clip: int, source: np.random.Generator) -> str:
        """At times with words of order that decide nothing: what they refer to is not on the tape, or in the clip."""
        text = self._sentence(clip, source)
        if source.random() >= self._settings.beyond:
            return text
        if source.random() < 0.5:
            return f"{text} for the {source.choice(_ORDINALS)} time"
        # What is told of one video is alike: what happens before a moment is often much like the moment itself.
        here = source.random() < _SAME_CLIP
        other = self._sentence(clip if here else int(source.integers(len(self._sentences))), source)
        return _beside(text, str(source.choice(("before", "after"))), other, source)

    def _ordinal(self, source: np.random.Generator) -> Plan:
        """One clip several times among others; each time is asked for."""
        times = int(source.integers(2, 4))
        row = list(self._row(source, 2 * times + int(source.integers(0, 2))))
        clip, at = row[1].clip, range(1, 2 * times, 2)
        for time, i in enumerate(at):
            row[i] = Shown(clip, row[i].span, time)
        spans = [row[i].span for i in at]
        questions = []
        for i, span in enumerate(spans):
            named = "last" if i == times - 1 and source.random() < 0.5 else _ORDINALS[i]
            text = self._sentence(clip, source)
            query = f"{text} for the {named} time" if source.random() < 0.8 else f"the {named} time {text}"
            questions.append(Question(query, span, "ordinal", tuple(other for other in spans if other != span)))
        return Plan(tuple(row), tuple(questions))

    def _relation(self, source: np.random.Generator) -> Plan:
        """One clip before and after another; either time is asked for."""
        row = list(self._row(source, int(source.integers(5, 7))))
        last = len(row) - int(source.integers(1, 3))
        first, middle = last - 3, last - 2 + int(source.integers(0, 2))
        clip = row[first].clip
        row[last] = Shown(clip, row[last].span, 1)
        before, after = row[first].span, row[last].span
        questions = []
        for word, span, rival in (("before", before, after), ("after", after, before)):
            wanted, other = self._sentence(clip, source), self._sentence(row[middle].clip, source)
            questions.append(Question(_beside(wanted, word, other, source), span, "relation", (rival,)))
        return Plan(tuple(row), tuple(questions))

    def _sentence(self, clip: int, source: np.random.Generator) -> str:
        own = self._sentences[clip]
        return own[int(source.integers(len(own)))].rstrip(" .")

    def _count(self, source: np.random.Generator) -> int:
        return int(source.integers(_CLIPS_LEAST, CLIPS_MOST + 1))

    def _row(self, source: np.random.Generator, count: int) -> tuple[Shown, ...]:
        """Different clips of likely lengths one after another."""
        settings = self._settings
        lengths_s = np.exp(np.log(settings.clip_s) + settings.clip_spread * source.standard_normal(count))
        lengths = np.maximum(1, np.round(np.clip(lengths_s, _CLIP_LEAST_S, _CLIP_MOST_S) / STEP_S)).astype(int)
        if lengths.sum() > STEPS_MOST:
            lengths = np.maximum(1, lengths * (STEPS_MOST - count) // lengths.sum())
        ends, clips = np.cumsum(lengths), self._pick(source, count)
        return tuple(
            Shown(int(clip), (int(end - length), int(end)))
            for clip, end, length in zip(clips, ends, lengths, strict=True)
        )


def _beside(wanted: str, word: str, other: str, source: np.random.Generator) -> str:
    """A sentence that says on which side of another clip the wanted one lies."""
    return f"{wanted} {word} {other}" if source.random() < _WANTED_FIRST else f"{word} {other}, {wanted}"
