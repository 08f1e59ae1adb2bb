"""Which metrics a data set is judged by, and against which truth: the table of protocols.

DiDeMo
    Its evaluation script: all 21 clips ranked, in videos of five pieces too, and judged against all annotators
    (``Record.annotated``), those that agree with no other included.
Charades-STA
    CTRL's: R@n, IoU = m against the spans of the published file (``Record.annotated``), of which every seventh runs
    past the end of its video. A span that is cut to the video, as ``Record.moments`` is, would be easier to hit than
    the one that the published figures were measured against.
ActivityNet Captions, TACoS, Charades-CD, ActivityNet-CD, QVHighlights, own annotation
    R@n, IoU = m against the spans cut to their videos (``Record.moments``), as the field's loaders of the first two cut
    them; QVHighlights' lie inside their videos. Where a sentence has several moments, the one a prediction fits best
    counts. QVHighlights has its kit's mean average precision besides (`asst.evaluation.qvhighlights`).

All but DiDeMo's have the discounted recall too (`asst.evaluation.metrics.discounted_hits`). That and the average
precision are judged where predictions are, not after every interval of a training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from asst.data import DATASETS
from asst.data.readers.didemo import span_clip
from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.metrics import didemo_scores, discounted_hits, hits, top_ious
from asst.evaluation.qvhighlights import highlight_values, moment_precisions
from asst.moments import Curve, FloatArray, nms, piece_clips

ProtocolName = Literal["standard", "tall"]
"""How answers are thinned out before they are judged, see `protocol_of`."""
TALL_MARGIN = 0.05

_RANKS = (1, 5)
_IOUS = (0.3, 0.5, 0.7)
_CUTS = tuple((n, iou) for n in _RANKS for iou in _IOUS)


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one data set's rankings are judged."""

    headline: str
    """The metric that checkpoints and fusion weights are chosen by."""
    judge: Callable[..., dict[str, FloatArray]]
    """Gives each metric's values, told ``more`` and ``thins``; call `values`, which checks first."""
    pieces: bool = False
    """Whether every clip of DiDeMo's is to be ranked, rather than spans of any length."""
    judge_saliency: Callable[[Sequence[Record], Sequence[Curve]], dict[str, FloatArray]] | None = None
    """Gives the metrics of predicted saliency, where the data set has scores of its clips."""
    thins: bool = False
    """Whether it drops the weaker of two spans itself, so that rankings hold all of them."""

    def values(
        self, records: Sequence[Record], rankings: Sequence[FloatArray], *, more: bool = False
    ) -> dict[str, FloatArray]:
        """Each metric's value of each query, ``(queries,)``, in [0, 1], in the order of the paper's tables.

        ``rankings`` are the predicted spans of each query, best first, ``(n, 2)`` in seconds. DiDeMo's hold each of the
        21 clips once; elsewhere there may be few, or none, which is a miss. ``more`` gives every metric that the
        protocol has, rather than those that trainings are followed by. Raises an `InputError` for a ranking that the
        protocol cannot judge.
        """
        if len(records) != len(rankings):
            raise ValueError(f"{len(records)} queries and {len(rankings)} rankings; they must agree")
        return self.judge(records, rankings, more=more, thins=self.thins)


def protocol_of(dataset: str, name: ProtocolName | str = "standard") -> Protocol:
    """The protocol of a data set; an `InputError` for a name that is not there, or ``tall`` where clips are ranked.

    Args:
        dataset: a key of `asst.data.DATASETS`, whose entry names one of `PROTOCOLS`.
        name: ``standard`` judges a ranking as it is. ``tall`` is that of CTRL's script: for each metric by itself,
            the weaker of two spans that overlap by more than its IoU less 0.05 is dropped first.

    >>> protocol_of("didemo").headline
    'rank@1'
    """
    if dataset not in DATASETS:
        raise InputError(f"no protocol for a data set {dataset!r}; there are {', '.join(DATASETS)}")
    found = PROTOCOLS[DATASETS[dataset].protocol]
    if name != "standard" and (name != "tall" or found.pieces):
        raise InputError(f"no protocol {name!r} for {dataset}; there is standard{'' if found.pieces else ' and tall'}")
    return replace(found, thins=name == "tall")


def _judge_clips(records: Sequence[Record], rankings: Sequence[FloatArray], **_: bool) -> dict[str, FloatArray]:
    ranked = [_ranked_clips(record, ranking) for record, ranking in zip(records, rankings, strict=True)]
    annotated = [np.array([span_clip(span) for span in record.annotated]) for record in records]
    scores = didemo_scores(ranked, annotated)
    return {**{f"rank@{k}": scores.within(k) for k in _RANKS}, "miou": scores.ious}


def _ranked_clips(record: Record, ranking: FloatArray) -> npt.NDArray[np.int64]:
    """The clips that a ranking in seconds names, each candidate once."""
    ranked = [span_clip((start_s, end_s)) for start_s, end_s in np.asarray(ranking, dtype=np.float64).tolist()]
    candidates = set(piece_clips())
    if len(ranked) != len(candidates) or set(ranked) != candidates:
        unranked = len(candidates - set(ranked))
        raise InputError(
            f"{record.video}, {record.sentence!r}: DiDeMo's protocol ranks each of {len(candidates)} clips once, in "
            f"videos of five pieces too; this ranking has {len(ranked)} spans and lacks {unranked} clips"
        )
    return np.array(ranked, dtype=np.int64)


def _judge_moments(
    truth: Callable[[Record], FloatArray],
    records: Sequence[Record],
    rankings: Sequence[FloatArray],
    *,
    more: bool,
    thins: bool,
) -> dict[str, FloatArray]:
    """Recall against some truth, and with ``more`` discounted."""
    truths, durations_s = [truth(record) for record in records], [record.duration_s for record in records]
    shown = {iou: [_thinned(own, iou) for own in rankings] if thins else rankings for iou in _IOUS}
    found = {f"r@{n},iou={iou}": hits(shown[iou], truths, n, iou) for n, iou in _CUTS}
    found["miou"] = top_ious(rankings, truths)
    for n, iou in _CUTS if more else ():
        found[f"dr@{n},iou={iou}"] = discounted_hits(shown[iou], truths, durations_s, n, iou)
    return found


def _judge_highlights(
    records: Sequence[Record], rankings: Sequence[FloatArray], *, more: bool, thins: bool
) -> dict[str, FloatArray]:
    found = _judge_moments(_cut, records, rankings, more=more, thins=thins)
    return found | moment_precisions(rankings, [*map(_cut, records)]) if more else found


def _annotated(record: Record) -> FloatArray:
    # The reader turns a span round that the file has backwards; here the file's own numbers are read once more.
    return np.sort(np.array(record.annotated), axis=1)


def _cut(record: Record) -> FloatArray:
    return np.array(record.moments)


def _thinned(ranking: FloatArray, iou: float) -> FloatArray:
    spans = np.asarray(ranking, dtype=np.float64).reshape(-1, 2)
    return spans[nms(spans, -np.arange(len(spans), dtype=np.float64), iou - TALL_MARGIN, max(_RANKS))]


_HEADLINE = "r@1,iou=0.5"
PROTOCOLS: dict[str, Protocol] = {
    "clips": Protocol("rank@1", _judge_clips, pieces=True),
    "annotated moments": Protocol(_HEADLINE, partial(_judge_moments, _annotated)),
    "moments": Protocol(_HEADLINE, partial(_judge_moments, _cut)),
    "highlights": Protocol(_HEADLINE, _judge_highlights, judge_saliency=highlight_values),
}
"""By the names that `asst.data.DATASETS` have for them."""
