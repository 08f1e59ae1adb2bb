"""Lines that say how much of a simulated benchmark can be had without learning: no video, no sentence, or no error.

Every table of simulated figures has three of them. The *prior* looks at neither video nor sentence. *Salience* knows
when something is shown and not what: its answer is the event that most others overlap. The *oracle* reads the sentence
without error and recognises what the modality neither misses nor confuses; of several such events it takes the one that
the prior ranks first, and where there is none it answers as the prior does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from asst.moments import FloatArray, iou
from asst.simulate.features.painting import Shown

PRIOR, SALIENCE, ORACLE = "Frequency prior", "Salience, no language", "Oracle, prior of place"


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """A sentence, as what its video shows answers it.

    ``shown`` is everything that the features show, ``meant`` what of `Shown.what` the sentence is about, and ``prior``
    the spans in the order of the prior, ``(n, 2)``, seconds.
    """

    shown: Sequence[Shown]
    meant: Collection[str]
    prior: FloatArray


def reference_rankings(questions: Sequence[ShownQuestion], *, pieces: bool) -> dict[str, list[FloatArray]]:
    """The answers of the three references, by their names; of ``pieces`` each ranks all spans of its prior."""
    return {
        PRIOR: [question.prior for question in questions],
        SALIENCE: [_salience(question, pieces) for question in questions],
        ORACLE: [_oracle(question, pieces) for question in questions],
    }


def _salience(question: ShownQuestion, pieces: bool) -> FloatArray:
    events = _spans(question.shown)
    candidates = question.prior if pieces or not len(events) else events
    return candidates[np.argsort(-iou(candidates, events).sum(axis=1), kind="stable")]


def _oracle(question: ShownQuestion, pieces: bool) -> FloatArray:
    events = _spans([event for event in question.shown if event.clear and event.what in question.meant])
    prior = question.prior
    if not len(events):
        return prior
    overlap = iou(events, prior)
    if pieces:
        return prior[np.argsort(-overlap.max(axis=0), kind="stable")]
    hit = overlap >= 0.5
    place = np.where(hit.any(axis=1), hit.argmax(axis=1), len(prior))
    return np.concatenate([events[np.argsort(place, kind="stable")], prior])


def _spans(events: Sequence[Shown]) -> FloatArray:
    return np.array([(event.start_s, event.end_s) for event in events], dtype=np.float64).reshape(-1, 2)
