"""Predictions of other systems, in their own forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.scoring import evaluate
from asst.evaluation.submissions import read_activitynet, read_activitynet_detections, read_moment_detr

EXTRA = {"relevant_clip_ids": [0, 1], "saliency_scores": [[4, 4, 4], [2, 2, 2]]}
RECORDS = [
    Record("7", "v", "val", "a dog", 10.0, ((0.0, 4.0),), ((0.0, 4.0),), EXTRA),
    Record("8", "w", "val", "a cat", 10.0, ((4.0, 8.0),), ((4.0, 8.0),), EXTRA),
]


def save(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_submission_is_matched_by_qid_and_its_saliency_judged(tmp_path: Path) -> None:
    windows = [[0, 4, 0.9], [-1.5, 4, 0.5], [6, 6, 0.1]]
    path = save(
        tmp_path / "hl_val_submission.jsonl",
        {"qid": 8, "vid": "of no use", "pred_relevant_windows": windows, "pred_saliency_scores": [0.1, 0.9, 0, 0, 0]},
        {"qid": 7, "pred_relevant_windows": windows, "pred_saliency_scores": [0.9, 0.1, 0, 0, 0]},
    )
    answers = read_moment_detr(path, RECORDS)
    assert [(answer.video, answer.query) for answer in answers] == [("w", "a cat"), ("v", "a dog")]
    assert [(moment.start_s, round(moment.end_s, 3)) for moment in answers[0].moments] == [(0, 4), (0, 4), (6, 6)]
    found = evaluate("qvhighlights", RECORDS, answers).metrics
    assert (found["map"].mean, found["hit@1"].mean, found["r@1,iou=0.5"].mean) == (0.5, 0.5, 0.5)


def test_without_a_known_qid_video_and_sentence_say_what_is_answered(tmp_path: Path) -> None:
    lines = [{"qid": 100 + k, "vid": r.video, "query": r.sentence} for k, r in enumerate(RECORDS)]
    path = save(tmp_path / "s.jsonl", *({**line, "pred_relevant_windows": [[0, 4, 0.9]]} for line in lines))
    found = evaluate("tacos", RECORDS, read_moment_detr(path, RECORDS))
    assert found.metrics["r@1,iou=0.7"].mean == 0.5
    assert "hit@1" not in evaluate("qvhighlights", RECORDS, read_moment_detr(path, RECORDS)).metrics


def test_activitynets_json_has_sentences_or_actions(tmp_path: Path) -> None:
    said = {
        "v": [
            {"sentence": "a dog", "timestamp": [5, 9], "score": 0.1},
            {"sentence": "a dog", "timestamp": [0, 4], "score": 1},
        ]
    }
    path = save(
        tmp_path / "a.json", {"version": "1", "results": {**said, "w": [{"sentence": "a cat", "timestamp": [4, 8]}]}}
    )
    assert evaluate("tacos", RECORDS, read_activitynet(path, RECORDS)).metrics["miou"].mean == 1.0
    done = {
        "v": [{"label": "run", "segment": [0, 4], "score": 0.2}, {"label": "jump", "segment": [1, 2], "score": 0.7}]
    }
    (found,) = read_activitynet_detections(save(tmp_path / "d.json", {"results": done}))
    assert (found.video, [moment.label for moment in found.moments]) == ("v", ["jump", "run"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"qid": 7}, "line 1: .*pred_relevant_windows is missing"),
        ({"qid": 9, "pred_relevant_windows": []}, "line 1: .*vid is missing"),
        ({"qid": 7, "pred_relevant_windows": [[1, 2]]}, "a window is start, end and score, not 2 numbers"),
        ({"qid": 7, "pred_relevant_windows": [[1, 2, None]]}, "score is missing or no number"),
        ({"qid": 7, "pred_relevant_windows": [], "pred_saliency_scores": []}, "pred_saliency_scores is empty"),
    ],
)
def test_another_form_is_refused_by_name(tmp_path: Path, line: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_moment_detr(save(tmp_path / "s.jsonl", line), RECORDS)
    with pytest.raises(InputError, match=r"results: .*results is no object"):
        read_activitynet(save(tmp_path / "a.json", line), RECORDS)
