"""In words, how likely it is that a sentence applies: one scale for tables, files and the page."""

from __future__ import annotations

from typing import Literal

Confidence = Literal["sure", "likely", "weak"]

LEAST: dict[Confidence, float] = {"sure": 0.75, "likely": 0.5, "weak": 0.0}
"""The probability that each word begins at, the strongest word first."""


def confidence(probability: float) -> Confidence:
    """The word for a probability, as calibrated models score (``docs/models.md``).

    >>> confidence(0.8), confidence(0.6), confidence(0.3)
    ('sure', 'likely', 'weak')
    """
    return next((word for word, least in LEAST.items() if probability >= least), "weak")
