"""From a video's labelled spans to its simulated features: THUMOS14's real annotation, made-up pictures.

A step is a sum of prototypes, fixed random directions of unit length: with ``g_a(t)`` the gain of action ``a``, which
ramps up at its start and down at its end,

    s(t) = sum_a g_a(t) (class + kind of a) + sum_b g_b(t) kind of b + scene + subject + n(t)
    x(t) = ReLU(W s(t) + b)

The classes of a kind (`KINDS`: throws, jumps, dives, ...) share a direction. ``b`` are stretches that look like an
action of the video's kind and are none, such as run-ups and replays: they lie between actions, and in the stretches
that the annotation leaves open. The scene is that of the class that the video shows most: a pool is a pool between two
dives. ``n`` is AR(1) noise and ``W``, ``b`` are a fixed random map. When actions truly begin and how strongly they show
is the same in all modalities of a video; what is missed or confused, and the noise, is each modality's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from asst.data.actions import ActionVideo, LabelledSpan, particular
from asst.data.record import Span
from asst.data.simulate.generate import BIAS, LATENT, MOST_MOVED, STRENGTHS, digest, own_generator
from asst.data.simulate.noise import Matrix, long_ar1_noise
from asst.data.simulate.settings import STEPS_PER_SECOND, Level, check_size, extractor_name
from asst.features.safetensors_file import Provenance
from asst.features.values import Features
from asst.moments import FloatArray

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

EVERY_S = 20.0
"""Between two stretches that look like an action and are none, on average, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionModality:
    """What an extractor is sensitive to: the lengths of the prototypes that are added up in a step.

    Attributes:
        name: part of the extractor's name.
        action: of an action's class, while it goes on.
        kind: of its kind, while it or something like it goes on.
        scene: of the scene, throughout.
        subject: drawn for each video, throughout.
    """

    name: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSettings:
    """All that simulated features depend on besides the video's annotation.

    Attributes:
        modality: what the extractor is sensitive to.
        level: how hard it is, as for `asst.data.simulate.settings`.
        seed: of the prototypes, the map to features and every draw.
        dimension: width of a feature vector.
    """

    modality: ActionModality
    level: Level
    seed: int = 0
    dimension: int = 256

    def __post_init__(self) -> None:
        check_size(self.dimension, self.seed)

    @property
    def extractor(self) -> str:
        """Name of the extractor; another seed makes another one.

        >>> from asst.data.simulate.settings import LEVELS
        >>> ActionSettings(modality=ACTION_MODALITIES["flow"], level=LEVELS["hard"], seed=3).extractor
        'simulated-thumos14-flow-hard-seed3'
        """
        return extractor_name(f"thumos14-{self.modality.name}", self.level, self.seed)


class ActionSimulator:
    """Makes the features of one modality at one level; the order of videos plays no part.

    Args:
        labels: the classes.
        includes: classes that are part of another; a span that is both looks like the part.
        settings: what to make.
    """

    def __init__(self, labels: Sequence[str], includes: Mapping[str, Sequence[str]], settings: ActionSettings) -> None:
        self.settings = settings
        self._includes = includes
        self._kinds = {label: label for label in labels} | {
            label: kind for kind, members in KINDS.items() for label in members if label in labels
        }
        self._mistaken = {
            label: [other for other in sorted(labels) if other != label and self._kinds[other] == self._kinds[label]]
            for label in labels
        }
        draw = self._own("map")
        self._map = draw.standard_normal((LATENT, settings.dimension), dtype=np.float32)
        self._bias = BIAS * draw.standard_normal(settings.dimension, dtype=np.float32)

    def features(self, video: ActionVideo) -> Features:
        """The features of one video, float16, four steps a second from zero."""
        steps = max(1, round(video.duration_s * STEPS_PER_SECOND))
        modality, level = self.settings.modality, self.settings.level
        draw = self._own("video", video.video)
        latent = level.noise / LATENT**0.5 * long_ar1_noise(draw, steps, LATENT, level.correlation)
        latent += modality.subject * self._prototype("subject", video.video)
        actions = particular(video.actions, self._includes)
        if actions:
            shown_most = Counter(action.label for action in actions).most_common(1)[0][0]
            latent += modality.scene * self._prototype("scene", shown_most)
            times_s = (np.arange(steps) + 0.5) / STEPS_PER_SECOND
            taken_for, shown = self._perceived(draw, actions)
            spans = np.array([(action.start_s, action.end_s) for action in actions])
            gains = self._gains("actions", video.video, spans, times_s) * shown[:, None]
            latent += gains.astype(np.float32).T @ np.stack([self._action(label) for label in taken_for])
            alike = np.array([*video.ignored, *self._alike(video)]).reshape(-1, 2)
            gains = self._gains("alike", video.video, alike, times_s)
            kind = self._prototype("kind", self._kinds[shown_most])
            latent += modality.kind * gains.sum(axis=0, dtype=np.float32)[:, None] * kind
        vectors = np.maximum(latent @ self._map + self._bias, 0).astype(np.float16)
        return Features(vectors, 0.0, 1 / STEPS_PER_SECOND, self.settings.extractor)

    def provenance(self, video: ActionVideo) -> Provenance:
        """Hashes of the settings and of the annotation that the features are made of."""
        return Provenance(digest(asdict(self.settings), sorted(self._kinds.items())), digest(asdict(video)))

    def _own(self, *key: str) -> np.random.Generator:
        return own_generator(self.settings.seed, "actions", self.settings.modality.name, *key)

    def _prototype(self, kind: str, name: str) -> Matrix:
        found = self._own("prototype", kind, name).standard_normal(LATENT, dtype=np.float32)
        found /= np.linalg.norm(found)
        return found

    def _action(self, label: str) -> Matrix:
        """What one action adds to a step, shape ``(LATENT,)``."""
        modality = self.settings.modality
        own = modality.action * self._prototype("class", label)
        return own + modality.kind * self._prototype("kind", self._kinds[label])

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

    def _gains(self, what: str, video: str, spans: FloatArray, times_s: FloatArray) -> FloatArray:
        """How strongly each span shows at each instant, shape ``(spans, steps)``; the same in all modalities."""
        level = self.settings.level
        draw = own_generator(self.settings.seed, "events", what, video)
        most = MOST_MOVED * (spans[:, 1:] - spans[:, :1])
        moved = spans + np.clip(level.jitter_s * draw.standard_normal(spans.shape), -most, most)
        strengths = draw.uniform(*STRENGTHS, size=len(spans))
        up = np.clip((times_s - moved[:, :1]) / level.ramp_s + 0.5, 0, 1)
        down = np.clip((moved[:, 1:] - times_s) / level.ramp_s + 0.5, 0, 1)
        gains: FloatArray = strengths[:, None] * up * down
        return gains

    def _perceived(self, draw: np.random.Generator, actions: Sequence[LabelledSpan]) -> tuple[list[str], FloatArray]:
        """What this modality takes each action for, and 0 for one it misses or else 1."""
        level = self.settings.level
        chances, choices = draw.uniform(size=(2, len(actions)))
        taken_for = []
        for action, chance, choice in zip(actions, chances, choices, strict=True):
            others = self._mistaken[action.label]
            confused = bool(others) and level.missed <= chance < level.missed + level.confused
            taken_for.append(others[int(choice * len(others))] if confused else action.label)
        return taken_for, (chances >= level.missed).astype(np.float64)
