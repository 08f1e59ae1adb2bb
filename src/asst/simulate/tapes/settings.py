"""Every distribution of the tapes, as one value that a recipe can change."""

from __future__ import annotations

from asst.settings import Settings


class TapeSettings(Settings):
    """How tapes are planned and what they look like.

    Noise is made of how the two frames of other clips differ, so that it turns to where real shots do. Weights of noise
    are against what is seen less what is usual, of length one.

    Attributes:
        ordinals: share of tapes in which a clip comes several times and one of them is asked for.
        relations: share in which a clip comes before and after another and one of them is asked for.
        sequences: share in which two clips in a row are asked for as one. In the other tapes each clip is asked for.
        beyond: share of the sentences in these that tell of an order whose other part is not on the tape.
        alike: share of tapes whose clips show what resembles one of them.
        clip_s: median length of a clip, in seconds.
        clip_spread: standard deviation of the log of that length.
        cut: share of the places between two clips that are cuts; the others dissolve.
        dissolve_s: longest dissolve, in seconds.
        changes: share of the clips of two frames that show both.
        cuts_seen: share of the cuts that are detected.
        cuts_false: detected cuts that are none, a minute.
        drift: weight of what changes slowly.
        memory: how much of the drift is left half a second later.
        white: weight of what changes from step to step.
        spread: standard deviation of the log of both from one clip to the next.
    """

    ordinals: float = 0.2
    relations: float = 0.2
    sequences: float = 0.1
    beyond: float = 0.45
    alike: float = 0.4
    clip_s: float = 3.0
    clip_spread: float = 0.9
    cut: float = 0.75
    dissolve_s: float = 2.0
    changes: float = 0.6
    cuts_seen: float = 0.95
    cuts_false: float = 0.3
    drift: float = 0.85
    memory: float = 0.9
    white: float = 0.45
    spread: float = 0.5
