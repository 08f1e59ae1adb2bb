"""Which metrics a data set is judged by, and against which truth: the table of protocols.

DiDeMo
    Its evaluation script: all 21 clips ranked, in videos of five pieces too, and judged against all annotators
    (``Record.annotated``), those that agree with no other included.
Charades-STA
    CTRL's: R@n, IoU = m against the spans of the published file (``Record.annotated``), of which every seventh runs
    past the end of its video. A span that is cut to the video, as ``Record.moments`` is, would be easier to hit than
    the one that the published figures were measured against.
ActivityNet Captions, TACoS, QVHighlights, own annotation
    R@n, IoU = m against the spans cut to their videos (``Record.moments``), as the field's loaders of the first two cut
    them; QVHighlights' lie inside their videos. Where a sentence has several moments, the one a prediction fits best
    counts. QVHighlights' own mean average precision is another protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from asst.data.didemo import candidate_clips, span_clip
from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.metrics import didemo_scores, hits, top_ious
from asst.moments import FloatArray, nms

ProtocolName = Literal["standard", "tall"]
"""How answers are thinned out before they are judged, see `protocol_of`."""
TALL_MARGIN = 0.05

_RANKS = (1, 5)
_IOUS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one data set's rankings are judged.

    Attributes:
        headline: the metric that checkpoints and fusion weights are chosen by.
        judge: gives each metric's values; call `values`, which checks first.
        pieces: whether every clip of DiDeMo's is to be ranked, rather than spans of any length.
        thins: whether it drops the weaker of two spans itself, so that rankings hold all of them.
    """

    headline: str
    judge: Callable[..., dict[str, FloatArray]]
    pieces: bool = False
    thins: bool = False

    def values(self, records: Sequence[Record], rankings: Sequence[FloatArray]) -> dict[str, FloatArray]:
        """Each metric's value of each query.

        Args:
            records: the queries with their truth.
            rankings: the predicted spans of each query, best first, each of shape ``(n, 2)`` in seconds. DiDeMo's hold
                each of the 21 clips once; elsewhere there may be few, or none, which is a miss.

        Returns:
            One array of shape ``(queries,)`` a metric, in [0, 1], in the order of the paper's tables.

        Raises:
            InputError: for a ranking that the protocol cannot judge.
            ValueError: for lists of different lengths.
        """
        if len(records) != len(rankings):
            raise ValueError(f"{len(records)} queries and {len(rankings)} rankings; they must agree")
        return self.judge(records, rankings)


def protocol_of(dataset: str, name: ProtocolName | str = "standard") -> Protocol:
    """The protocol of a data set.

    Args:
        dataset: a key of `PROTOCOLS`.
        name: ``standard`` judges a ranking as it is. ``tall`` is that of CTRL's script: for each metric by itself, the
            weaker of two spans that overlap by more than its IoU less 0.05 is dropped first.

    Raises:
        InputError: for a name that is not there, or ``tall`` where clips are ranked.

    >>> protocol_of("didemo").headline
    'rank@1'
    """
    if dataset not in PROTOCOLS:
        raise InputError(f"no protocol for a data set {dataset!r}; there are {', '.join(PROTOCOLS)}")
    found = PROTOCOLS[dataset]
    if name == "standard":
        return found
    if name != "tall" or found.pieces:
        raise InputError(f"no protocol {name!r} for {dataset}; there is standard{'' if found.pieces else ' and tall'}")
    return replace(found, judge=partial(found.judge, thinned=True), thins=True)


def _judge_clips(records: Sequence[Record], rankings: Sequence[FloatArray]) -> dict[str, FloatArray]:
    ranked = [_ranked_clips(record, ranking) for record, ranking in zip(records, rankings, strict=True)]
    annotated = [np.array([span_clip(span) for span in record.annotated]) for record in records]
    scores = didemo_scores(ranked, annotated)
    return {**{f"rank@{k}": scores.within(k) for k in _RANKS}, "miou": scores.ious}


def _ranked_clips(record: Record, ranking: FloatArray) -> npt.NDArray[np.int64]:
    """The clips that a ranking in seconds names, each candidate once."""
    ranked = [span_clip((start_s, end_s)) for start_s, end_s in np.asarray(ranking, dtype=np.float64).tolist()]
    candidates = set(candidate_clips())
    if len(ranked) != len(candidates) or set(ranked) != candidates:
        unranked = len(candidates - set(ranked))
        raise InputError(
            f"{record.video}, {record.sentence!r}: DiDeMo's protocol ranks each of {len(candidates)} clips once, in "
            f"videos of five pieces too; this ranking has {len(ranked)} spans and lacks {unranked} clips"
        )
    return np.array(ranked, dtype=np.int64)


def _judge_annotated(
    records: Sequence[Record], rankings: Sequence[FloatArray], *, thinned: bool = False
) -> dict[str, FloatArray]:
    # The reader turns a span round that the file has backwards; here the file's own numbers are read once more.
    return _judge_moments(rankings, [np.sort(np.array(record.annotated), axis=1) for record in records], thinned)


def _judge_cut(
    records: Sequence[Record], rankings: Sequence[FloatArray], *, thinned: bool = False
) -> dict[str, FloatArray]:
    return _judge_moments(rankings, [np.array(record.moments) for record in records], thinned)


def _judge_moments(
    rankings: Sequence[FloatArray], truths: Sequence[FloatArray], thinned: bool
) -> dict[str, FloatArray]:
    by_iou = {iou: [_thinned(own, iou) for own in rankings] if thinned else rankings for iou in _IOUS}
    recalls = {f"r@{n},iou={iou}": hits(own, truths, n, iou) for n in _RANKS for iou, own in by_iou.items()}
    return {**recalls, "miou": top_ious(rankings, truths)}


def _thinned(ranking: FloatArray, iou: float) -> FloatArray:
    spans = np.asarray(ranking, dtype=np.float64).reshape(-1, 2)
    return spans[nms(spans, -np.arange(len(spans), dtype=np.float64), iou - TALL_MARGIN, max(_RANKS))]


_CLIPS = Protocol("rank@1", _judge_clips, pieces=True)
_AS_PUBLISHED = Protocol("r@1,iou=0.5", _judge_annotated)
_CUT_TO_VIDEO = Protocol("r@1,iou=0.5", _judge_cut)

PROTOCOLS: dict[str, Protocol] = {
    "didemo": _CLIPS,
    "charades_sta": _AS_PUBLISHED,
    "activitynet_captions": _CUT_TO_VIDEO,
    "tacos": _CUT_TO_VIDEO,
    "qvhighlights": _CUT_TO_VIDEO,
    "jsonlines": _CUT_TO_VIDEO,
}
"""By the keys of `asst.data.DATASETS`."""
