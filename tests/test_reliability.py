"""The table of odd input names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = TESTS.parent / "docs" / "reliability.md"


def test_every_row_is_held_by_a_test_that_is_there() -> None:
    rows = [line.split("|")[3] for line in TABLE.read_text(encoding="utf-8").splitlines() if "test_" in line]
    assert len(rows) > 60
    missing = []
    for row in rows:
        path = ""
        for file, _, name in re.findall(r"`([\w/]+\.py)?(::)?(test_\w+)?`", row):
            path = file or path
            found = TESTS / path
            if not found.is_file() or (name and f"def {name}(" not in found.read_text(encoding="utf-8")):
                missing.append(f"{path}::{name}")
    assert not missing
