"""What a planned scene looks like: features in the space of the packaged extractor, made of directions.

A sentence's appearance is a unit direction. Its classifier (`asst.features.reading`) points at it no better than it
points at what real videos show, now and then not at all: the cosine is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.data.simulate.noise import ar1_noise
from asst.data.simulate.plan import Plan
from asst.data.simulate.scene_settings import SceneSettings
from asst.features.reading import Reading, SentenceReader
from asst.features.space import WINDOWS, Space
from asst.features.squares import STEP_S
from asst.features.values import Features

FloatArray = npt.NDArray[np.float32]

_CLASSES_OF_A_DIRECTION = 3
# What is in the middle of a picture is in all of its squares; at times one square misses it.
_SQUARE_LEAST = 0.4


@dataclass(frozen=True, slots=True)
class Said:
    """What the sentences of some plans say.

    Attributes:
        reading: of all sentences.
        index: of each sentence.
    """

    reading: Reading
    index: dict[str, int]


class Appearances:
    """Makes features of plans.

    Args:
        space: to make them in.
        sentences: its language side.
        settings: all weights.
    """

    def __init__(self, space: Space, sentences: SentenceReader, settings: SceneSettings) -> None:
        self._space = space
        self._things = sentences.glosses if space.things is None else space.things
        self._settings = settings

    def draw(self, plan: Plan, said: Said, source: np.random.Generator) -> Features:
        """The features of a scene.

        Args:
            plan: the scene.
            said: what its sentences say.
            source: of all chance.
        """
        settings = self._settings
        steps, channels = plan.steps, len(self._space.mean)
        looks: dict[str, FloatArray] = {}
        for occurrence in plan.occurrences:
            if occurrence.sentence not in looks:
                looks[occurrence.sentence] = self._look(occurrence.sentence, said, source)
        middle = np.zeros((steps, channels), dtype=np.float32)
        for i, (first, end) in enumerate(plan.pieces):
            own = [looks[o.sentence] for o in plan.occurrences if o.piece == i]
            middle[first:end] = settings.topic * self._topic(own, source)
        for first, end in zip(plan.shots, (*plan.shots[1:], steps), strict=True):
            middle[first:end] += settings.shot * self._direction(source)
            drift = ar1_noise(source, end - first, channels, settings.memory)
            middle[first:end] += settings.drift * drift / np.sqrt(channels)
        pictures = np.repeat(middle[:, None], WINDOWS, axis=1)
        for occurrence in filter(lambda occurrence: occurrence.happens, plan.occurrences):
            weight = settings.event * np.exp(settings.event_spread * source.standard_normal())
            seen = weight * source.uniform(_SQUARE_LEAST, 1, WINDOWS).astype(np.float32)
            look = looks[occurrence.sentence]
            first, end = self._shown(occurrence.span, steps, source)
            pictures[first:end] += seen[:, None] * look
        noise = source.standard_normal((2, steps, WINDOWS, channels), dtype=np.float32) / np.sqrt(channels)
        corners = ar1_noise(source, steps, WINDOWS * channels, settings.memory).reshape(steps, WINDOWS, channels)
        pictures += settings.white * noise[0, :, :1] + settings.squares * corners / np.sqrt(channels)
        return self._features(pictures, plan, source)

    def _features(self, pictures: FloatArray, plan: Plan, source: np.random.Generator) -> Features:
        """Directions given lengths, about the mean feature; and the shot changes that are detected."""
        settings = self._settings
        spread = settings.length_spread * source.standard_normal()
        jitter = settings.length_jitter * source.standard_normal((len(pictures), WINDOWS, 1))
        lengths = (settings.length * np.exp(spread + jitter)).astype(np.float32)
        units = pictures / np.linalg.norm(pictures, axis=2, keepdims=True)
        whole = units if self._space.unit else np.maximum(self._space.mean + lengths * units, 0)
        # No sentence is told by its colours here: scenes have none, as if no colour were seen anywhere.
        vectors = np.zeros((len(pictures), self._space.dimension), dtype=np.float16)
        vectors[:, : self._space.seen] = whole.reshape(len(pictures), -1)
        seen = [shot for shot in plan.shots[1:] if source.random() < settings.cuts_seen]
        false = source.poisson(settings.cuts_false * plan.steps * STEP_S / 60)
        cuts = sorted({*seen, *map(int, source.integers(1, plan.steps, false))} if plan.steps > 1 else set())
        return Features(vectors, 0.0, STEP_S, self._space.extractor, np.array(cuts, dtype=np.float64) * STEP_S)

    def _look(self, sentence: str, said: Said, source: np.random.Generator) -> FloatArray:
        """What a sentence looks like this time; a unit direction."""
        settings = self._settings
        shown = sentence
        if source.random() < settings.confused:
            shown = list(said.index)[source.integers(len(said.index))]
        i = said.index[shown]
        named = said.reading.named[i]
        strength = np.exp(settings.cosine_spread * source.standard_normal())
        cosine = min(0.9, float(settings.cosine * strength))
        look = cosine * said.reading.classifiers[i]
        if len(named) and source.random() < settings.named_chance:
            look = look + settings.named * self._things[source.choice(np.asarray(named))]
        rest = np.sqrt(1 - cosine**2)
        return _unit(look + rest * self._direction(source))

    def _topic(self, looks: Sequence[FloatArray], source: np.random.Generator) -> FloatArray:
        """What a piece shows all the time; a unit direction."""
        chance = self._direction(source)
        if not looks:
            return chance
        share = self._settings.topical
        return _unit(share * _unit(np.mean(looks, axis=0)) + (1 - share) * chance)

    def _direction(self, source: np.random.Generator) -> FloatArray:
        """A chance direction: some classes together, and something that no class is like; of unit length."""
        share = self._settings.classes
        white = source.standard_normal(len(self._space.mean), dtype=np.float32)
        picked = source.integers(len(self._things), size=_CLASSES_OF_A_DIRECTION)
        weights = source.dirichlet(np.ones(_CLASSES_OF_A_DIRECTION)).astype(np.float32)
        return _unit(share * _unit(weights @ self._things[picked]) + (1 - share) * _unit(white))

    def _shown(self, span: tuple[int, int], steps: int, source: np.random.Generator) -> tuple[int, int]:
        """When an event is seen: at its span, or at times for longer."""
        first, end = span
        if source.random() < self._settings.unsaid:
            more = max(1, (end - first) // 2)
            first, end = max(0, first - int(source.integers(0, more + 1))), end + int(source.integers(0, more + 1))
        return first, min(steps, end)


def _unit(vector: npt.NDArray[np.floating]) -> FloatArray:
    result: FloatArray = (vector / np.linalg.norm(vector)).astype(np.float32)
    return result
