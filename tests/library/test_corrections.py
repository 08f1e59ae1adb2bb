"""A damaged file of corrections is told with its line."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asst.errors import InputError
from asst.library.corrections import Corrections
from asst.library.library import Library

GOOD: dict[str, Any] = {
    "id": "1",
    "content": "c",
    "query": "red",
    "verdict": "span",
    "start_s": 1.0,
    "end_s": 2.0,
    "proposed": [0.0, 1.0, 0.5],
    "made_at": "2026-01-01",
}


@pytest.mark.parametrize(
    "line",
    [
        "[" * 3000,
        json.dumps(GOOD).replace("1.0, ", "1" + "0" * 400 + ", "),
        json.dumps(GOOD | {"end_s": float("nan")}),
        json.dumps(GOOD | {"proposed": [0.0, float("inf"), 0.5]}),
        json.dumps(GOOD | {"proposed": [0.0, 1.0]}),
        json.dumps(GOOD | {"verdict": "perhaps"}),
        "7",
    ],
)
def test_a_damaged_line_is_told(tmp_path: Path, fake: ModuleType, line: str) -> None:
    corrections = Corrections(Library.made(tmp_path / "library", fake.FakeEngine().identity))
    assert corrections.all() == []
    corrections._library.corrections.write_text(json.dumps(GOOD) + "\n")
    (kept,) = corrections.all()
    assert (kept.start_s, kept.end_s, kept.proposed) == (1.0, 2.0, (0.0, 1.0, 0.5))
    corrections._library.corrections.write_text(json.dumps(GOOD) + "\n" + line + "\n")
    with pytest.raises(InputError, match=r"line 2: no correction \(.*mend or delete it") as refused:
        corrections.all()
    assert "\n" not in str(refused.value)
