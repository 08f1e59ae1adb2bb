"""Whether features are as long as the annotation says that their videos are.

Where they are not, one of the two is of another cut of the video, or the length of a step is wrong, and what is learnt
or judged lies elsewhere than it seems to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from asst.data.actions import ActionVideo
from asst.data.record import Record
from asst.errors import InputError, counted
from asst.features.networks.none import NAME as ABSENT
from asst.features.stores.native import FeatureStore, named, require

MOST_FACTOR = 1.5
"""Features that are more than so many times as long as annotated, or as short, are refused."""

_SAME = 0.02


def compare_lengths(
    store: FeatureStore,
    videos: Iterable[Record | ActionVideo],
    tell: Callable[[str], None],
    most_factor: float = MOST_FACTOR,
) -> None:
    """Looks at every video's features once; those that are longer or shorter than a step or 2 % are told.

    Of several annotations of a video the first counts. Videos without features, or whose features are apart by more
    than the factor, are an `InputError`.
    """
    durations_s = {one.video: one.duration_s for one in reversed(list(videos))}
    require(store, durations_s)
    apart, far = [], []
    for video, duration_s in sorted(durations_s.items()):
        features = store.read(video)
        found_s = features.end_s
        if features.extractor == ABSENT or abs(found_s - duration_s) <= max(features.step_s, _SAME * duration_s):
            continue
        line = f"{video} ({found_s:.7g} s, annotated {duration_s:.7g} s)"
        apart.append(line)
        if max(found_s, duration_s) > most_factor * min(found_s, duration_s):
            far.append(line)
    if far:
        raise InputError(
            f"features of {counted(len(far), 'video')} are not nearly as long as annotated: {named(far)}; "
            "extract them again, correct step_s or the annotation, or allow more with data.length_factor"
        )
    if apart:
        tell(f"features of {counted(len(apart), 'video')} are not as long as annotated: {named(apart)}")
