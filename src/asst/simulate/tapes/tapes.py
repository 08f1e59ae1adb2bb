"""Tapes: real captioned frames in a row, held and jittered as those of a shot are, with sentences that ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asst.errors import InputError
from asst.features.values import Features
from asst.features.zeroshot.crops import STEP_S
from asst.features.zeroshot.space import CROPS, Space
from asst.moments import Float16Array, Float32Array, FloatArray, IntArray
from asst.simulate.features.painting import ar1_noise
from asst.simulate.tapes.plan import CLIPS_MOST, Plan, Planner, Question, Shown, TapeSettings

TAPES = 7
"""Sets apart the use of a seed."""

# Directions of noise on a tape: how frames of so many clips differ.
_DIRECTIONS = 64
# What resembles a clip: so many of the others.
_ALIKE = 100
# Frames of one clip whose centred features have a lower cosine are of two shots.
_ONE_SHOT = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Frames of a real clip, or one picture, as rows of the features, and what people said of it."""

    frames: tuple[int, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Features, as an extractor makes them, and what is asked about them, with the answers in steps."""

    features: Features
    questions: tuple[Question, ...]


class TapeMaker:
    """Makes tapes; the ``i``-th of a seed is the same whatever else is made.

    There are more clips than come on a tape, and some have two frames; else raises as `check_clips`. ``pictures`` are
    features of frames, shape ``(frames, space.dimension)`` but for the camera's way.
    """

    def __init__(
        self, clips: Sequence[Clip], pictures: Float16Array, space: Space, settings: TapeSettings, seed: int = 0
    ) -> None:
        self._clips, self._pictures, self._space = clips, pictures, space
        self._settings, self._seed = settings, seed
        check_clips(clips)
        self._several = np.flatnonzero([len(clip.frames) > 1 for clip in clips])
        first = self._seen([clip.frames[0] for clip in clips])[0].mean(axis=1)
        self._looks = first / np.linalg.norm(first, axis=1, keepdims=True)
        self._planner = Planner([clip.sentences for clip in clips], self._pick, settings)

    def tape(self, i: int) -> Tape:
        """The ``i``-th tape."""
        source = np.random.default_rng((TAPES, self._seed, i))
        plan = self._planner.draw(source)
        rows, shares, cuts = self._in_a_row(plan, source)
        vectors = np.zeros((plan.steps, self._space.dimension), dtype=np.float16)
        lively = np.exp(self._settings.spread * source.standard_normal(len(plan.shown), dtype=np.float32))
        weights = np.repeat(lively, [own.span[1] - own.span[0] for own in plan.shown])
        self._space.crops(vectors)[:] = self._moving(rows, shares, weights, source)
        colours = self._space.colours(self._pictures)[rows].astype(np.float32)
        self._space.colours(vectors)[:] = colours[:, 0] + shares[:, None, None] * (colours[:, 1] - colours[:, 0])
        detected = self._detected(cuts, plan.steps, source)
        return Tape(Features(vectors, 0.0, STEP_S, self._space.extractor, detected * STEP_S), plan.questions)

    def _pick(self, source: np.random.Generator, count: int) -> IntArray:
        """Different clips, now and then alike."""
        if source.random() >= self._settings.alike:
            return source.choice(len(self._clips), count, replace=False)
        near = self._looks @ self._looks[source.integers(len(self._clips))]
        return source.choice(np.argsort(-near)[:_ALIKE], count, replace=False)

    def _in_a_row(self, plan: Plan, source: np.random.Generator) -> tuple[IntArray, Float32Array, list[int]]:
        """Two frames for each step, shape ``(steps, 2)``, the share of the second, and the steps at which cuts are."""
        settings = self._settings
        rows, shares = np.zeros((plan.steps, 2), dtype=np.int64), np.zeros(plan.steps, dtype=np.float32)
        cuts: list[int] = []
        for own in plan.shown:
            first, end = own.span
            cuts += [first + change for change in self._hold(own, rows[first:end], shares[first:end], source)]
            if not first:
                continue
            if source.random() < settings.cut:
                cuts.append(first)
                continue
            steps = min(round(source.uniform(1, settings.dissolve_s / STEP_S)), end - first)
            rows[first : first + steps, 1] = rows[first : first + steps, 0]
            rows[first : first + steps, 0] = rows[first - 1, 0]
            shares[first : first + steps] = (np.arange(steps) + 1) / (steps + 1)
        return rows, shares, sorted(set(cuts))

    def _hold(self, shown: Shown, rows: IntArray, shares: Float32Array, source: np.random.Generator) -> list[int]:
        """Writes a clip's frames; gives where it cuts from one to the other."""
        frames = np.roll(source.permutation(self._clips[shown.clip].frames[:2]), shown.time)
        rows[:], steps = frames[0], len(rows)
        if len(frames) == 1 or steps < 2 or source.random() >= self._settings.changes:
            return []
        one, two = self._seen(frames)[0].mean(axis=1)
        if one @ two < _ONE_SHOT * np.linalg.norm(one) * np.linalg.norm(two):
            change = int(source.integers(1, steps))
            rows[change:] = frames[1]
            return [change]
        rows[:, 1], shares[:] = frames[1], np.linspace(0, 1, steps)
        return []

    def _seen(self, rows: Sequence[int] | IntArray) -> tuple[Float32Array, Float32Array]:
        """Frames less what is usual, of unit length, shape ``(frames, CROPS, channels)``, and their lengths."""
        seen = self._space.crops(self._pictures)[rows].astype(np.float32) - self._space.mean
        lengths = np.linalg.norm(seen, axis=2, keepdims=True)
        return seen / lengths, lengths

    def _moving(
        self, rows: IntArray, shares: Float32Array, lively: Float32Array, source: np.random.Generator
    ) -> Float32Array:
        """What is held, with what changes from step to step; shape ``(steps, CROPS, channels)``."""
        settings, steps = self._settings, len(rows)
        distinct, inverse = np.unique(rows, return_inverse=True)
        units, lengths = (own[inverse.reshape(rows.shape)] for own in self._seen(distinct))
        share = shares[:, None, None]
        held = units[:, 0] * (1 - share) + units[:, 1] * share
        length = lengths[:, 0] * (1 - share) + lengths[:, 1] * share
        pairs = [self._clips[i].frames[:2] for i in source.choice(self._several, _DIRECTIONS)]
        other = self._seen([row for pair in pairs for row in pair])[0].reshape(_DIRECTIONS, 2, CROPS, -1)
        turns = other[:, 1] - other[:, 0]
        turns /= np.sqrt((turns**2).sum(axis=2).mean()) * np.sqrt(_DIRECTIONS)
        drift = settings.drift * ar1_noise(source, steps, _DIRECTIONS, settings.memory)
        weights = drift + settings.white * source.standard_normal((steps, _DIRECTIONS), dtype=np.float32)
        moving = held + np.tensordot(lively[:, None] * weights, turns, 1)
        moving *= length / np.linalg.norm(moving, axis=2, keepdims=True)
        return moving + self._space.mean

    def _detected(self, cuts: Sequence[int], steps: int, source: np.random.Generator) -> FloatArray:
        """The steps at which cuts are detected."""
        settings = self._settings
        seen = {cut for cut in cuts if source.random() < settings.cuts_seen}
        false = source.integers(1, max(2, steps), source.poisson(settings.cuts_false * steps * STEP_S / 60))
        return np.array(sorted(seen | {int(cut) for cut in false if cut < steps}), dtype=np.float64)


def check_clips(clips: Sequence[Clip]) -> None:
    """Refuses clips that no tapes can be made of, too few or none of two frames, with an `InputError`."""
    several = sum(len(clip.frames) > 1 for clip in clips)
    if len(clips) < CLIPS_MOST or not several:
        raise InputError(
            f"tapes need {CLIPS_MOST} clips with sentences, some of two frames, and there are {len(clips)}, "
            f"{several} of two; gather more, or change data.tapes.holdout"
        )
