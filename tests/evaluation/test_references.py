"""What answers without learning: where most happens, and an oracle that what is missed leaves to the prior."""

from __future__ import annotations

import numpy as np

from asst.evaluation.references import ORACLE, PRIOR, SALIENCE, ShownQuestion, reference_rankings
from asst.moments import FloatArray
from asst.simulate.features.painting import Shown

PRIOR_SPANS: FloatArray = np.array([(0.0, 10.0), (20.0, 30.0), (8.0, 14.0)])
EVENTS = (
    Shown("sit", True, 19.0, 29.0),
    Shown("run", True, 8.0, 13.0),
    Shown("run", True, 20.0, 28.0),
    Shown("eat", False, 1.0, 2.0),
)


def ranked(meant: str, *, pieces: bool = False) -> dict[str, list[list[float]]]:
    question = ShownQuestion(EVENTS, {meant}, PRIOR_SPANS)
    return {name: found[0].tolist() for name, found in reference_rankings([question], pieces=pieces).items()}


def test_the_prior_is_asked_as_it_is_and_salience_takes_what_most_overlap() -> None:
    found = ranked("run")
    assert found[PRIOR] == PRIOR_SPANS.tolist()
    assert sorted(found[SALIENCE][:2]) == [[19, 29], [20, 28]]
    assert found[SALIENCE] == ranked("sit")[SALIENCE]
    assert ranked("run", pieces=True)[SALIENCE] == [[20, 30], [8, 14], [0, 10]]


def test_the_oracle_takes_the_place_that_the_prior_ranks_first_and_what_is_missed_is_the_priors() -> None:
    assert ranked("run")[ORACLE] == [[20, 28], [8, 13], *PRIOR_SPANS.tolist()]
    assert ranked("eat")[ORACLE] == PRIOR_SPANS.tolist()
    assert ranked("sit", pieces=True)[ORACLE] == [[20, 30], [0, 10], [8, 14]]
    assert ranked("eat", pieces=True)[ORACLE] == PRIOR_SPANS.tolist()
