"""Every distribution of the tapes, as one value that a recipe can change."""

from __future__ import annotations

from dataclasses import dataclass

from asst.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeSettings(Settings):
    """How tapes are planned and what they look like.

    Attributes:
        ordinals: share of tapes in which a clip comes several times and one of them is asked for.
        relations: share in which a clip comes before and after another and one of them is asked for. In the other
            tapes every clip comes once and is asked for.
        beyond: share of the sentences in these that tell of an order whose other part is not on the tape.
        clip_s: median length of a clip, in seconds.
        clip_spread: standard deviation of the log of that length.
        cut: share of the places between two clips that are cuts; the others dissolve.
        dissolve_s: longest dissolve, in seconds.
        changes: share of the clips of two frames that show both.
        cuts_seen: share of the cuts that are detected.
        cuts_false: detected cuts that are none, a minute.
        drift: weight of what changes slowly, against an embedding of length one.
        memory: how much of the drift is left half a second later.
        crops: likewise of what differs between the crops of a frame.
        white: weight of what changes from step to step.

    Raises:
        InputError: for a value that is no number of its kind.
    """

    ordinals: float = 0.2
    relations: float = 0.2
    beyond: float = 0.2
    clip_s: float = 3.0
    clip_spread: float = 0.9
    cut: float = 0.75
    dissolve_s: float = 2.0
    changes: float = 0.6
    cuts_seen: float = 0.95
    cuts_false: float = 0.3
    drift: float = 0.35
    memory: float = 0.92
    crops: float = 0.25
    white: float = 0.12
