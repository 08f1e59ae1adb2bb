"""QVHighlights: ``highlight_{train,val}_release.jsonl``, several spans a query, seconds.

The published test file has no spans and is read nowhere here. Detectors built on Moment-DETR keep other data sets in
the same form (``charades_train_release.jsonl``), without the clips' scores.
"""

from __future__ import annotations

from pathlib import Path

from asst.data.files import as_duration, as_list, as_span, as_text, read_object_lines
from asst.data.record import Dataset
from asst.data.rows import Rows, UnusableRowError

SALIENCY = ("relevant_clip_ids", "saliency_scores")
"""Kept as they are: indices of clips of two seconds, and three annotators' scores of each."""


def read(path: Path, split: str) -> Dataset:
    """The records of one file; the id is the data set's ``qid``. An `InputError` if it cannot be read."""
    rows = Rows(path, split)
    for where, parsed in read_object_lines(path):
        with rows.row(where):
            content = parsed()
            qid = content.get("qid")
            if isinstance(qid, bool) or not isinstance(qid, int | str) or not str(qid):
                raise UnusableRowError(f"qid is missing, or neither a whole number nor a name: {qid!r}")
            rows.add(
                where,
                id=as_text(str(qid), "qid"),
                video=as_text(content.get("vid"), "vid"),
                sentence=as_text(content.get("query"), "query"),
                duration_s=as_duration(content.get("duration"), "duration"),
                spans=[
                    as_span(window, "a window of relevant_windows")
                    for window in as_list(content.get("relevant_windows"), "relevant_windows")
                ],
                extra={key: content[key] for key in SALIENCY if key in content},
            )
    return rows.dataset()
