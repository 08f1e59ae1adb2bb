"""Tapes as the reranker sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from asst.data.simulate.tape_settings import TapeSettings
from asst.data.simulate.tapes import Clip, Tape, TapeMaker
from asst.features.squares import TICKS_A_STEP
from asst.models.views import View
from asst.models.zeroshot import ZeroShotModel
from asst.moments import iou
from asst.training.reranker_questions import RerankerQuestion, read_sentences
from asst.training.simulation import Say

_QUESTIONS_MOST = 4
_TELL_EVERY = 500


def tape_questions(
    model: ZeroShotModel, clips: Sequence[Clip], settings: TapeSettings, seed: int, count: int, say: Say
) -> list[RerankerQuestion]:
    """What is asked of some tapes.

    Args:
        model: finds and scores candidates.
        clips: that the tapes are made of.
        settings: of the tapes.
        seed: of the tapes.
        count: tapes.
        say: told how far it is.
    """
    maker = TapeMaker(clips, model.extractor.space, settings, seed)
    found: list[RerankerQuestion] = []
    for i in range(count):
        found += questions_of(model, maker.tape(i))
        if (i + 1) % _TELL_EVERY == 0:
            say(f"made {i + 1} of {count} tapes")
    return found


def questions_of(model: ZeroShotModel, tape: Tape) -> Iterator[RerankerQuestion]:
    """The first questions of a tape, which is one view, as the reranker sees them."""
    stage = model.stage(tape.features)
    view, everything = View(0, len(tape.features)), np.arange(len(stage.found.spans))
    # Those of a tape's first clips would all be early.
    order = np.random.default_rng(len(tape.features)).permutation(len(tape.questions))[:_QUESTIONS_MOST]
    chosen = [tape.questions[i] for i in order]
    heard = read_sentences(model, stage, [question.query for question in chosen])
    for question, one in zip(chosen, heard, strict=True):
        overlaps = iou(stage.found.spans, np.array([question.span]) * TICKS_A_STEP).max(axis=1)
        yield one.question(question.kind, stage, view, overlaps, everything)
