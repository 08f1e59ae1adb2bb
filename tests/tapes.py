"""Clips for tapes, whose pictures are directions near those of their sentences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from asst.features.zeroshot.space import PAN
from asst.models.zeroshot.model import ZeroShotModel
from asst.simulate.tapes.plan import TapeSettings
from asst.simulate.tapes.tapes import Clip, TapeMaker

PEOPLE = ("a man", "a woman", "two children", "an old lady", "a football team", "a brown dog")
ACTIONS = ("plays the piano", "runs on a beach", "cooks soup in a kitchen", "rides a red bicycle", "swims in a lake")
LENGTH, COSINE = 11.0, 0.5


def tape_maker(model: ZeroShotModel, settings: TapeSettings, seed: int = 0) -> TapeMaker:
    """Makes tapes of 30 clips of two frames each, in a model's space."""
    source, space = np.random.default_rng(0), model.extractor.space
    sentences = [f"{who} {what}" for who in PEOPLE for what in ACTIONS]
    looks = COSINE * model.reader.sentences.read(sentences).classifiers
    noise = source.standard_normal((2, len(sentences), space.channels)) / np.sqrt(space.channels)
    units = np.sqrt(1 - COSINE**2) * (0.8 * noise[:1] + 0.6 * noise) + looks
    frames = np.concatenate(np.maximum(space.mean + LENGTH * units, 0))
    pictures: npt.NDArray[np.float16] = np.zeros((len(frames), space.dimension - len(PAN)), dtype=np.float16)
    space.crops(pictures)[:] = frames[:, None]
    clips = [Clip((i, i + len(sentences)), (text,)) for i, text in enumerate(sentences)]
    return TapeMaker(clips, pictures, space, settings, seed)
