"""The moment frequency prior of a data set (Hendricks et al. 2017), fitted on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asst.data.readers.didemo import clip_span
from asst.data.record import Record, Span
from asst.errors import InputError
from asst.evaluation.protocol import protocol_of
from asst.models.frequency import clip_frequency, grid_spans, hit_share
from asst.moments import Answer, Moment, nms, piece_clips

OVERLAP = 0.5
"""IoU above which the weaker of two spans is dropped, where moments are no clips of DiDeMo's."""
TOP = 25
GRID = 32
"""Spans start and end at the multiples of this part of a video."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Says the same of every sentence: spans, best first, with the share of moments that are or hit them.

    These are in seconds where it ranks DiDeMo's ``pieces``, else shares of the video. ``split`` is what was counted.
    """

    split: str
    pieces: bool
    ranking: tuple[tuple[Span, float], ...]

    def answers(self, records: Sequence[Record]) -> list[Answer]:
        """One answer a pair of video and sentence, in the order in which the records name them first."""
        answers: dict[tuple[str, str], Answer] = {}
        for record in records:
            pair, scale_s = (record.video, record.sentence), 1.0 if self.pieces else record.duration_s
            moments = tuple(
                Moment(start * scale_s, end * scale_s, score, record.sentence, record.video)
                for (start, end), score in self.ranking
            )
            answers.setdefault(pair, Answer(*pair, record.duration_s, "prior", moments))
        return list(answers.values())


def fitted_prior(dataset: str, records: Sequence[Record]) -> Prior:
    """A prior that ranks what the data set's protocol asks for: DiDeMo's clips, or spans of any length.

    Raises an `InputError` for no record, or annotation that is not what the protocol ranks.
    """
    if not records:
        raise InputError(f"{dataset}: no record to fit a prior on; is the annotation file the right one?")
    pieces = protocol_of(dataset).pieces
    if pieces:
        scores = clip_frequency(records)
        spans = np.array([clip_span(clip) for clip in piece_clips()])
        order = np.argsort(-scores, kind="stable")
    else:
        shares = np.concatenate([np.array(record.moments) / record.duration_s for record in records])
        spans = grid_spans(GRID)
        scores = hit_share(shares, spans)
        order = nms(spans, scores, OVERLAP, TOP)
    best = zip(spans[order].tolist(), scores[order].tolist(), strict=True)
    ranking = tuple(((start, end), score) for (start, end), score in best)
    return Prior("+".join(dict.fromkeys(record.split for record in records)), pieces, ranking)
