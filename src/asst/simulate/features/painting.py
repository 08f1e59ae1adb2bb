"""What all generators of simulated features share.

A step is a sum of prototypes, fixed random directions of unit length, for what goes on in it: ``x(t) = ReLU(W s(t) +
b)`` with a fixed random map ``W``, ``b``. In the sums ``g_e(t)`` is the gain of event ``e``, which ramps up at its
start and down at its end, and ``n`` is AR(1) noise. When events truly begin and how strongly they show is the same in
all modalities of a video; what is missed or confused, the prototypes and the noise are each modality's own.
"""

from __future__ import annotations

import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from asst.data.record import Span
from asst.features.stores.native import Provenance
from asst.features.values import Features
from asst.moments import Float32Array, FloatArray
from asst.simulate.features.settings import STEPS_PER_SECOND, Settings

LATENT = 128
"""Dimension of the space of prototypes: directions of two of them have a cosine of about 0.09."""

STRENGTHS = (0.7, 1.3)
"""Between these, uniformly, lies how strongly an event shows."""

MOST_MOVED = 0.25
"""Share of an event's length that its start or end moves at most."""

BIAS = 0.5
BLOCK = 256


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that a video's features show: ``what``, a class of actions or a sentence's id, and when it truly shows.

    ``clear`` says whether the modality sees it as what it is, neither missed nor confused.
    """

    what: str
    clear: bool
    start_s: float
    end_s: float


class AnnotatedVideo(Protocol):
    """What can be simulated: something that says of which video it is, and how long that lasts, in seconds."""

    @property
    def video(self) -> str: ...  # noqa: D102

    @property
    def duration_s(self) -> float: ...  # noqa: D102


Subject = TypeVar("Subject", bound=AnnotatedVideo)


class Painter(ABC, Generic[Subject]):
    """Makes the features of one modality at one level, in any order; ``family`` sets its draws apart from others."""

    @abstractmethod
    def features(self, video: Subject) -> Features:
        """The features of one video, float16, four steps a second from zero."""

    @abstractmethod
    def provenance(self, video: Subject) -> Provenance:
        """Hashes of the settings and of the annotation that the features are made of."""

    def __init__(self, settings: Settings, *family: str) -> None:
        self.settings, self.level, self.modality = settings, settings.level, settings.modality
        self._key = (settings.seed, *family, settings.modality.name)
        self._prototypes: dict[tuple[str, str], Float32Array] = {}
        draw = self.own("map")
        self._map = draw.standard_normal((LATENT, settings.dimension), dtype=np.float32)
        self._bias = BIAS * draw.standard_normal(settings.dimension, dtype=np.float32)

    def own(self, *key: str) -> np.random.Generator:
        """A generator of this modality's own."""
        return own_generator(*self._key, *key)

    def prototype(self, kind: str, name: str, keep: bool = True) -> Float32Array:
        """The direction of a thing, of length one, shape ``(LATENT,)``; ``keep`` it for the next time."""
        found = self._prototypes.get((kind, name))
        if found is None:
            found = self.own("prototype", kind, name).standard_normal(LATENT, dtype=np.float32)
            found /= np.linalg.norm(found)
            if keep:
                self._prototypes[kind, name] = found
        return found

    def moved(self, spans: Sequence[Span] | FloatArray, *key: str) -> tuple[FloatArray, FloatArray]:
        """When events truly show, shape ``(events, 2)`` in seconds, and how strongly; the same in all modalities."""
        draw = own_generator(self.settings.seed, *key)
        annotated: FloatArray = np.array(spans, dtype=np.float64).reshape(-1, 2)
        most = MOST_MOVED * (annotated[:, 1:] - annotated[:, :1])
        true = annotated + np.clip(self.level.jitter_s * draw.standard_normal(annotated.shape), -most, most)
        return true, draw.uniform(*STRENGTHS, size=len(annotated))

    def gains(self, spans: FloatArray, strengths: FloatArray, steps: int) -> Float32Array:
        """How strongly each event shows at each step, shape ``(steps, events)``: it ramps up and down at its ends."""
        times_s = (np.arange(steps) + 0.5) / STEPS_PER_SECOND
        up = np.clip((times_s - spans[:, :1]) / self.level.ramp_s + 0.5, 0, 1)
        down = np.clip((spans[:, 1:] - times_s) / self.level.ramp_s + 0.5, 0, 1)
        return (strengths[:, None] * up * down).astype(np.float32).T

    def perceived(
        self, draw: np.random.Generator, labels: Sequence[str], mistaken: Mapping[str, Sequence[str]]
    ) -> list[str]:
        """What this modality takes each of the labels for: one of those it can be mistaken for, or none if missed."""
        chances, choices = draw.uniform(size=(2, len(labels)))
        taken_for = []
        for label, chance, choice in zip(labels, chances, choices, strict=True):
            others = mistaken[label]
            confused = bool(others) and self.level.missed <= chance < self.level.missed + self.level.confused
            seen = others[int(choice * len(others))] if confused else label
            taken_for.append(seen if chance >= self.level.missed else "")
        return taken_for

    def painted(self, latent: Float32Array) -> Features:
        """The features of sums of prototypes."""
        vectors = np.maximum(latent @ self._map + self._bias, 0).astype(np.float16)
        return Features(vectors, 0.0, 1 / STEPS_PER_SECOND, self.settings.extractor)


def steps_of(duration_s: float) -> int:
    """Steps of features that a video has."""
    return max(1, round(duration_s * STEPS_PER_SECOND))


def own_generator(*key: object) -> np.random.Generator:
    """A generator of random numbers that depends on the key alone."""
    return np.random.default_rng(int.from_bytes(bytes.fromhex(digest(*key))))


def digest(*parts: object) -> str:
    """A hash of what is given, in hexadecimal."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def ar1_noise(draw: np.random.Generator, steps: int, width: int, correlation: float) -> Float32Array:
    """``n(t) = c n(t - 1) + sqrt(1 - c^2) e(t)`` with white ``e``, each number of variance one, ``(steps, width)``."""
    # One matrix serves every length up to the next multiple of a block: its leading parts are those of fewer steps.
    smooth = _filter(correlation, -(-steps // BLOCK) * BLOCK)[:steps, :steps]
    return smooth @ draw.standard_normal((steps, width), dtype=np.float32)


def long_ar1_noise(draw: np.random.Generator, steps: int, width: int, correlation: float) -> Float32Array:
    """The process of `ar1_noise` for videos of any length, in memory that grows with their length alone."""
    noise = ar1_noise(draw, min(steps, BLOCK), width, correlation)
    blocks = [noise]
    later = _filter(correlation, BLOCK).copy()
    later[:, 0] *= (1 - correlation**2) ** 0.5
    fading = (correlation ** np.arange(1, BLOCK + 1)).astype(np.float32)[:, None]
    for first in range(BLOCK, steps, BLOCK):
        own = min(BLOCK, steps - first)
        white = draw.standard_normal((own, width), dtype=np.float32)
        blocks.append(later[:own, :own] @ white + fading[:own] * blocks[-1][-1])
    return np.concatenate(blocks)


@functools.lru_cache(maxsize=4)
def _filter(correlation: float, steps: int) -> Float32Array:
    lag = np.subtract.outer(np.arange(steps), np.arange(steps))
    matrix = np.where(lag >= 0, correlation ** np.maximum(lag, 0), 0.0)
    matrix[:, 1:] *= (1 - correlation**2) ** 0.5
    return matrix.astype(np.float32)
