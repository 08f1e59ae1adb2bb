"""A result file's content, which tests change."""

from __future__ import annotations

from asst.evaluation.results import Figure, Result

C3D = Result(
    recipe="charades_sta/c3d",
    dataset="charades_sta",
    split="test",
    data="real",
    extractor="c3d",
    model="asst",
    metrics={
        "r@1,iou=0.3": Figure(50.0, 48.0, 52.0),
        "r@1,iou=0.5": Figure(36.0, 34.0, 38.0),
        "r@1,iou=0.7": Figure(18.0, 17.0, 19.0),
    },
    queries=3720,
    seconds=1.0,
)
