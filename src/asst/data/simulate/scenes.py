"""Simulated scenes: features of videos that nobody shot, with sentences that people wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asst.data.simulate.appearance import Appearances, Said
from asst.data.simulate.plan import Plan, Planner, Question
from asst.data.simulate.scene_settings import SceneSettings
from asst.data.simulate.timelines import Timeline
from asst.features.reading import SentenceReader
from asst.features.space import Space
from asst.features.values import Features

SCENES = 6
"""Sets apart the use of a seed."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A simulated video and what is asked about it.

    Attributes:
        features: as an extractor makes them.
        questions: with their answers in steps.
    """

    features: Features
    questions: tuple[Question, ...]


class SceneSimulator:
    """Makes scenes; the ``i``-th of a seed is the same whatever else is made.

    Args:
        timelines: where sentences and spans come from.
        sentences: reads them.
        space: that features are made in.
        settings: every distribution.
        seed: of all chance.
    """

    def __init__(
        self,
        timelines: Sequence[Timeline],
        sentences: SentenceReader,
        space: Space,
        settings: SceneSettings | None = None,
        seed: int = 0,
    ) -> None:
        settings = settings or SceneSettings()
        self._planner = Planner(timelines, settings)
        self._appearances = Appearances(space, sentences, settings)
        self._sentences = sentences
        self._dropped = settings.dropped
        self._seed = seed

    def scenes(self, first: int, count: int) -> list[Scene]:
        """Scenes ``first`` to ``first + count``; sentences are read together, which is faster than one by one."""
        sources = [np.random.default_rng((SCENES, self._seed, i)) for i in range(first, first + count)]
        plans = [self._planner.draw(source) for source in sources]
        said = [self._shown(plan, source) for plan, source in zip(plans, sources, strict=True)]
        everything = self._read([text for own in said for text in own.values()])
        made = []
        for plan, own, source in zip(plans, said, sources, strict=True):
            index = {sentence: everything.index[text] for sentence, text in own.items()}
            features = self._appearances.draw(plan, Said(everything.reading, index), source)
            made.append(Scene(features, plan.questions))
        return made

    def _shown(self, plan: Plan, source: np.random.Generator) -> dict[str, str]:
        """What is seen of each sentence: most of its words."""
        shown = {}
        for sentence in dict.fromkeys(occurrence.sentence for occurrence in plan.occurrences):
            words = sentence.split()
            kept = [word for word in words if source.random() >= self._dropped]
            shown[sentence] = " ".join(kept or words)
        return shown

    def _read(self, texts: Sequence[str]) -> Said:
        distinct = list(dict.fromkeys(texts))
        return Said(self._sentences.read(distinct), {text: i for i, text in enumerate(distinct)})
