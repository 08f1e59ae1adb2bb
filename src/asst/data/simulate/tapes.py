"""Tapes: real captioned frames in a row, held and jittered as the frames of a shot are, with sentences that ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.data.simulate.noise import ar1_noise
from asst.data.simulate.tape_plan import Plan, Planner, Question, Steps
from asst.data.simulate.tape_settings import TapeSettings
from asst.features.space import WINDOWS, FloatArray, Space
from asst.features.squares import STEP_S
from asst.features.values import Features

TAPES = 6
"""Sets apart the use of a seed."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Frames of a real clip, or one picture, and what people said of it.

    Attributes:
        frames: embeddings, shape ``(frames, WINDOWS, channels)``.
        sentences: at least one.
    """

    frames: npt.NDArray[np.float16]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Features and what is asked about them.

    Attributes:
        features: as an extractor makes them.
        questions: with their answers in steps.
    """

    features: Features
    questions: tuple[Question, ...]


class TapeMaker:
    """Makes tapes; the ``i``-th of a seed is the same whatever else is made.

    Args:
        clips: more of them than come on a tape.
        space: that their embeddings lie in.
        settings: every distribution.
        seed: of all chance.
    """

    def __init__(self, clips: Sequence[Clip], space: Space, settings: TapeSettings, seed: int = 0) -> None:
        self._clips, self._space, self._settings, self._seed = clips, space, settings, seed
        self._planner = Planner([clip.sentences for clip in clips], settings)

    def tape(self, i: int) -> Tape:
        """The ``i``-th tape."""
        source = np.random.default_rng((TAPES, self._seed, i))
        plan = self._planner.draw(source)
        frames, cuts = self._in_a_row(plan, source)
        vectors = np.zeros((plan.steps, self._space.dimension), dtype=np.float16)
        vectors[:, : self._space.seen] = self._moving(frames, source).reshape(plan.steps, -1)
        seen = self._seen(cuts, plan.steps, source)
        return Tape(Features(vectors, 0.0, STEP_S, self._space.extractor, seen * STEP_S), plan.questions)

    def _in_a_row(self, plan: Plan, source: np.random.Generator) -> tuple[FloatArray, list[int]]:
        """The clips' frames held, shape ``(steps, WINDOWS, channels)``, and the steps at which cuts are."""
        settings = self._settings
        frames = np.zeros((plan.steps, WINDOWS, self._space.channels), dtype=np.float32)
        cuts: list[int] = []
        for own in plan.shown:
            first, end = own.span
            held, changes = self._held(own.clip, end - first, source)
            frames[first:end] = held
            cuts += [first + change for change in changes]
            if not first:
                continue
            if source.random() < settings.cut:
                cuts.append(first)
            else:
                _dissolve(frames, first, own.span, round(source.uniform(1, settings.dissolve_s / STEP_S)))
        return frames, sorted(cuts)

    def _held(self, clip: int, steps: int, source: np.random.Generator) -> tuple[FloatArray, list[int]]:
        """A clip's frames for so many steps, and where it cuts from one to the other."""
        frames = source.permutation(self._clips[clip].frames.astype(np.float32), axis=0)
        held = np.repeat(frames[:1], steps, axis=0)
        if len(frames) == 1 or steps < 2 or source.random() >= self._settings.changes:
            return held, []
        if source.random() < 0.5:
            change = int(source.integers(1, steps))
            held[change:] = frames[1]
            return held, [change]
        share = np.linspace(0, 1, steps, dtype=np.float32)[:, None, None]
        return held * (1 - share) + frames[1] * share, []

    def _moving(self, frames: FloatArray, source: np.random.Generator) -> FloatArray:
        """What is held, with what changes from step to step; unit vectors."""
        settings = self._settings
        steps, _, channels = frames.shape
        drift = ar1_noise(source, steps, channels, settings.memory)[:, None]
        crops = ar1_noise(source, steps, WINDOWS * channels, settings.memory).reshape(frames.shape)
        white = source.standard_normal((steps, 1, channels), dtype=np.float32)
        noise = settings.drift * drift + settings.crops * crops + settings.white * white
        moving = frames / np.linalg.norm(frames, axis=2, keepdims=True) + noise / np.sqrt(channels)
        units: FloatArray = moving / np.linalg.norm(moving, axis=2, keepdims=True)
        return units

    def _seen(self, cuts: Sequence[int], steps: int, source: np.random.Generator) -> npt.NDArray[np.float64]:
        """The steps at which cuts are detected."""
        settings = self._settings
        seen = {cut for cut in cuts if source.random() < settings.cuts_seen}
        false = source.integers(1, max(2, steps), source.poisson(settings.cuts_false * steps * STEP_S / 60))
        return np.array(sorted(seen | {int(cut) for cut in false if cut < steps}), dtype=np.float64)


def _dissolve(frames: FloatArray, first: int, span: Steps, steps: int) -> None:
    """Mixes what comes before a step into the steps from it on."""
    steps = min(steps, span[1] - span[0])
    share = ((np.arange(steps, dtype=np.float32) + 1) / (steps + 1))[:, None, None]
    frames[first : first + steps] = frames[first - 1] * (1 - share) + frames[first : first + steps] * share
