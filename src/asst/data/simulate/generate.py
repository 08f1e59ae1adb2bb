"""From a video's annotation to its simulated features.

A step is a sum of prototypes, fixed random directions of unit length, for what goes on in it: with ``g_a(t)`` the gain
of action ``a``, which ramps up at its start and down at its end,

    s(t) = sum_a g_a(t) (verb + object + pair of a) + seen objects + scene + subject + n(t),    x(t) = ReLU(W s(t) + b)

where ``n`` is AR(1) noise and ``W``, ``b`` are a fixed random map. When actions truly begin and how strongly they show
is the same in all modalities of a video; what is missed or confused, and the noise, is each modality's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Protocol, TypeVar

import numpy as np

from asst.data.charades import CharadesVideo
from asst.data.simulate.noise import Matrix, ar1_noise
from asst.data.simulate.settings import STEPS_PER_SECOND, Settings
from asst.data.simulate.words import action_words, object_names
from asst.errors import InputError
from asst.features.safetensors_file import Provenance
from asst.features.store import Store
from asst.features.values import Features
from asst.moments import FloatArray


class AnnotatedVideo(Protocol):
    """What can be simulated: something that says of which video it is."""

    @property
    def video(self) -> str:
        """The data set's name of it."""

    @property
    def duration_s(self) -> float:
        """How long it is, in seconds."""


class SimulatedKind(Protocol):
    """Settings of features that are simulated."""

    @property
    def dimension(self) -> int:
        """Width of a vector."""

    @property
    def extractor(self) -> str:
        """Name of the features."""


Subject = TypeVar("Subject", bound=AnnotatedVideo, contravariant=True)

LATENT = 128
"""Dimension of the space of prototypes: directions of two of them have a cosine of about 0.09."""

STRENGTHS = (0.7, 1.3)
"""Between these, uniformly, lies how strongly an action shows."""

MOST_MOVED = 0.25
"""Share of an action's length that its start or end moves at most."""

BIAS = 0.5
FLOAT16_BYTES = 2


class Simulator:
    """Makes the features of one modality at one level; the order of videos plays no part.

    Args:
        classes: names of the action classes by their codes, of `asst.data.charades.read_classes`.
        settings: what to make.
    """

    def __init__(self, classes: Mapping[str, str], settings: Settings) -> None:
        self.settings = settings
        self._words = {code: action_words(name) for code, name in classes.items()}
        self._objects = object_names(self._words)
        self._mistaken = {
            code: [
                other
                for other, theirs in sorted(self._words.items())
                if other != code and (theirs.verb == ours.verb or ("" != ours.object == theirs.object))
            ]
            for code, ours in self._words.items()
        }
        self._prototypes: dict[tuple[str, str], Matrix] = {}
        draw = self._own("map")
        self._map = draw.standard_normal((LATENT, settings.dimension), dtype=np.float32)
        self._bias = BIAS * draw.standard_normal(settings.dimension, dtype=np.float32)

    def features(self, video: CharadesVideo) -> Features:
        """The features of one video, float16, four steps a second from zero.

        Raises:
            InputError: for an action that is no class.
        """
        unknown = {action.action for action in video.actions} - self._words.keys()
        if unknown:
            raise InputError(
                f"{video.video} has an action {min(unknown)} that is not among {len(self._words)} classes; "
                "read the classes that belong to the CSV"
            )
        steps = max(1, round(video.duration_s * STEPS_PER_SECOND))
        modality, level = self.settings.modality, self.settings.level
        draw = self._own("video", video.video)
        latent = level.noise / LATENT**0.5 * ar1_noise(draw, steps, LATENT, level.correlation)
        latent += modality.scene * self._prototype("scene", video.scene)
        latent += modality.subject * self._prototype("subject", video.video, keep=False)
        if video.objects:
            seen = [self._prototype("object", self._objects.get(name, name)) for name in video.objects]
            latent += modality.seen / len(seen) ** 0.5 * np.sum(seen, axis=0)
        if video.actions:
            times_s = (np.arange(steps) + 0.5) / STEPS_PER_SECOND
            taken_for, shown = self._perceived(draw, video)
            gains = self._gains(video, times_s) * shown[:, None]
            latent += gains.astype(np.float32).T @ np.stack([self._action(code) for code in taken_for])
        vectors = np.maximum(latent @ self._map + self._bias, 0).astype(np.float16)
        return Features(vectors, 0.0, 1 / STEPS_PER_SECOND, self.settings.extractor)

    def provenance(self, video: CharadesVideo) -> Provenance:
        """Hashes of the settings and of the annotation that the features are made of."""
        return Provenance(digest(asdict(self.settings), sorted(self._words.items())), digest(asdict(video)))

    def _own(self, *key: str) -> np.random.Generator:
        """A generator of this modality's own."""
        return own_generator(self.settings.seed, self.settings.modality.name, *key)

    def _prototype(self, kind: str, name: str, keep: bool = True) -> Matrix:
        found = self._prototypes.get((kind, name))
        if found is None:
            found = self._own("prototype", kind, name).standard_normal(LATENT, dtype=np.float32)
            found /= np.linalg.norm(found)
            if keep:
                self._prototypes[kind, name] = found
        return found

    def _action(self, code: str) -> Matrix:
        """What one action adds to a step, shape ``(LATENT,)``."""
        words, modality = self._words[code], self.settings.modality
        total = modality.verb * self._prototype("verb", words.verb) + modality.pair * self._prototype("pair", code)
        if words.object:
            total = total + modality.object * self._prototype("object", self._objects[words.object])
        return total

    def _gains(self, video: CharadesVideo, times_s: FloatArray) -> FloatArray:
        """How strongly each action shows at each instant, shape ``(actions, steps)``; the same in all modalities."""
        level = self.settings.level
        draw = own_generator(self.settings.seed, "events", video.video)
        spans = np.array([(action.start_s, action.end_s) for action in video.actions])
        most = MOST_MOVED * (spans[:, 1:] - spans[:, :1])
        spans = spans + np.clip(level.jitter_s * draw.standard_normal(spans.shape), -most, most)
        strengths = draw.uniform(*STRENGTHS, size=len(spans))
        up = np.clip((times_s - spans[:, :1]) / level.ramp_s + 0.5, 0, 1)
        down = np.clip((spans[:, 1:] - times_s) / level.ramp_s + 0.5, 0, 1)
        gains: FloatArray = strengths[:, None] * up * down
        return gains

    def _perceived(self, draw: np.random.Generator, video: CharadesVideo) -> tuple[list[str], FloatArray]:
        """What this modality takes each action for, and 0 for one it misses or else 1."""
        level = self.settings.level
        chances, choices = draw.uniform(size=(2, len(video.actions)))
        taken_for = []
        for action, chance, choice in zip(video.actions, chances, choices, strict=True):
            others = self._mistaken[action.action]
            confused = bool(others) and level.missed <= chance < level.missed + level.confused
            taken_for.append(others[int(choice * len(others))] if confused else action.action)
        return taken_for, (chances >= level.missed).astype(np.float64)


class FeatureSimulator(Protocol[Subject]):
    """Makes features of videos and says what of."""

    @property
    def settings(self) -> SimulatedKind:
        """What it makes."""

    def features(self, video: Subject) -> Features:
        """The features of one video."""

    def provenance(self, video: Subject) -> Provenance:
        """Hashes of what they are made of."""


def write_simulated(
    store: Store, videos: Iterable[Subject], simulator: FeatureSimulator[Subject], say: Callable[[str], None]
) -> int:
    """Writes the features of videos to a store; those it already has from the same settings and annotation are kept.

    Args:
        store: of this simulator's features alone.
        videos: whose features to make.
        simulator: makes them.
        say: told before anything is written what is, where and how large.

    Returns:
        How many were written.

    Raises:
        InputError: if the store holds other features or cannot be written.
    """
    made = [(video, simulator.provenance(video)) for video in videos]
    lacking = [(video, own) for video, own in made if video.video not in store or store.provenance(video.video) != own]
    settings = simulator.settings
    if lacking:
        steps = sum(video.duration_s for video, _ in lacking) * STEPS_PER_SECOND
        megabytes = steps * settings.dimension * FLOAT16_BYTES / 1e6
        say(
            f"simulated features {settings.extractor} of {len(lacking)} videos: {megabytes:.0f} MB "
            f"are written to {store.folder}"
        )
    for video, own in lacking:
        store.write(video.video, simulator.features(video), own)
    return len(lacking)


def own_generator(*key: object) -> np.random.Generator:
    """A generator of random numbers that depends on the key alone."""
    return np.random.default_rng(int.from_bytes(bytes.fromhex(digest(*key))))


def digest(*parts: object) -> str:
    """A hash of what is given, in hexadecimal."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()
