"""From a video's labelled spans to its simulated features: THUMOS14's real annotation, made-up pictures.

As `asst.simulate.features.painting` has it, with actions ``a``,

    s(t) = sum_a g_a(t) (class + kind of a) + sum_b g_b(t) kind of b + scene + subject + n(t)

The classes of a kind (`KINDS`: throws, jumps, dives, ...) share a direction. ``b`` are stretches that look like an
action of the video's kind and are none, such as run-ups and replays: they lie between actions, and in the stretches
that the annotation leaves open. The scene is that of the class that the video shows most: a pool is a pool between two
dives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asst.data.actions import ActionVideo, particular
from asst.data.record import Span
from asst.features.stores.native import Provenance
from asst.features.values import Features
from asst.moments import Float32Array
from asst.simulate.features.painting import LATENT, Painter, digest, long_ar1_noise, own_generator, steps_of
from asst.simulate.features.settings import AnyModality, Settings

KINDS: dict[str, tuple[str, ...]] = {
    "dive": ("CliffDiving", "Diving"),
    "jump": ("HighJump", "LongJump", "PoleVault"),
    "throw": ("HammerThrow", "JavelinThrow", "Shotput", "ThrowDiscus", "FrisbeeCatch"),
    "cricket": ("CricketBowling", "CricketShot", "BaseballPitch"),
    "swing": ("Billiards", "GolfSwing", "TennisSwing"),
    "court": ("BasketballDunk", "SoccerPenalty", "VolleyballSpiking"),
    "lift": ("CleanAndJerk",),
}
"""Classes of THUMOS14 that look alike; one that is in none is a kind of its own."""

FAMILY = "thumos14-"
"""Begins the names of the extractors."""

EVERY_S = 20.0
"""Between two stretches that look like an action and are none, on average, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionModality(AnyModality):
    """What an extractor is sensitive to: the lengths of the prototypes that are added up in a step.

    ``action`` is of an action's class, while it goes on, ``kind`` of its kind, while it or something like it does;
    ``scene`` and ``subject``, drawn for each video, are there throughout.
    """

    action: float
    kind: float
    scene: float
    subject: float


ACTION_MODALITIES: dict[str, ActionModality] = {
    modality.name: modality
    for modality in (
        ActionModality(name="rgb", action=0.7, kind=0.5, scene=1.3, subject=1.0),
        ActionModality(name="flow", action=0.9, kind=0.9, scene=0.4, subject=0.5),
    )
}
"""Appearance, which knows the place, and motion, which knows when something happens."""


class ActionSimulator(Painter[ActionVideo]):
    """Makes features of labelled spans, of which a span that is of a class and of its part looks like the part."""

    modality: ActionModality

    def __init__(self, labels: Sequence[str], includes: Mapping[str, Sequence[str]], settings: Settings) -> None:
        super().__init__(settings, "actions")
        self._includes = includes
        self._kinds = {label: label for label in labels} | {
            label: kind for kind, members in KINDS.items() for label in members if label in labels
        }
        self._mistaken = {
            label: [other for other in sorted(labels) if other != label and self._kinds[other] == self._kinds[label]]
            for label in labels
        }

    def features(self, video: ActionVideo) -> Features:
        """As `Painter.features`."""
        steps = steps_of(video.duration_s)
        modality, level = self.modality, self.level
        draw = self.own("video", video.video)
        latent = level.noise / LATENT**0.5 * long_ar1_noise(draw, steps, LATENT, level.correlation)
        latent += modality.subject * self.prototype("subject", video.video, keep=False)
        actions = particular(video.actions, self._includes)
        if actions:
            shown_most = Counter(action.label for action in actions).most_common(1)[0][0]
            latent += modality.scene * self.prototype("scene", shown_most)
            taken_for = self.perceived(draw, [action.label for action in actions], self._mistaken)
            spans = self.moved([(a.start_s, a.end_s) for a in actions], "events", "actions", video.video)
            latent += self.gains(*spans, steps) @ np.stack([self._action(label) for label in taken_for])
            alike = self.moved([*video.ignored, *self._alike(video)], "events", "alike", video.video)
            kind = self.prototype("kind", self._kinds[shown_most])
            latent += modality.kind * self.gains(*alike, steps).sum(axis=1)[:, None] * kind
        return self.painted(latent)

    def provenance(self, video: ActionVideo) -> Provenance:
        """As `Painter.provenance`."""
        return Provenance(digest(self.settings, sorted(self._kinds.items())), digest(video))

    def _action(self, label: str) -> Float32Array:
        """What one action adds to a step, shape ``(LATENT,)``; nothing if it is missed."""
        if not label:
            return np.zeros(LATENT, dtype=np.float32)
        modality = self.modality
        own = modality.action * self.prototype("class", label)
        return own + modality.kind * self.prototype("kind", self._kinds[label])

    def _alike(self, video: ActionVideo) -> list[Span]:
        """Stretches of the background that look like an action, the same in all modalities."""
        draw = own_generator(self.settings.seed, "alike", video.video)
        found = []
        for _ in range(draw.poisson(video.duration_s / EVERY_S)):
            length_s = float(draw.uniform(1.0, 5.0))
            start_s = float(draw.uniform(0.0, max(video.duration_s - length_s, 0.0)))
            free = all(a.end_s <= start_s or a.start_s >= start_s + length_s for a in video.actions)
            if free:
                found.append((start_s, start_s + length_s))
        return found
