"""What people said of answers is what the same sentence is answered by; a damaged file is told with its line."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asst.errors import InputError
from asst.library.corrections import Corrections, Proposed
from asst.library.index import index
from asst.library.library import Library
from asst.library.search import search
from asst.moments import Answer

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


def spans(answer: Answer) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    found, weaker = ([(own.start_s, own.end_s) for own in some] for some in (answer.moments, answer.weaker))
    return found, weaker


def test_who_asks_again_gets_what_was_said_first(tmp_path: Path, fake: ModuleType) -> None:
    engine = fake.FakeEngine()
    library = Library.made(tmp_path / "library", engine.identity)
    paths = [
        fake.make_video(tmp_path / f"{name}.mp4", colours)
        for name, colours in (("a", "rrrrbbbbrrrrbbbb"), ("b", "gggggggg"))
    ]
    assert [done.state for done in index(paths, library, engine)] == ["indexed"] * 2
    a, b = (library.tables.videos(path=str(path))[0].content for path in paths)
    before = search(library, engine, "red")
    assert spans(before)[0] == [(0.0, 2.0), (4.0, 6.0)]
    corrections = Corrections(library)
    corrections.add(a, "red", "wrong", (0.0, 2.0))
    corrections.add(a, "red", "span", (4.0, 5.5), Proposed(4.0, 6.0, 0.5))
    corrections.add(b, "Red ", "right", (1.0, 3.0))
    again = search(library, engine, " RED")
    found, weaker = spans(again)
    # What is right comes first; of what is wrong, and of what was proposed where the ends are others, nothing is found.
    assert sorted(found[:2]) == [(1.0, 3.0), (4.0, 5.5)]
    assert not {(0.0, 2.0), (4.0, 6.0)} & set(found)
    assert [(own.score, own.said) for own in again.moments[:2]] == [(1.0, "right")] * 2
    assert (0.0, 2.0) in weaker
    assert [(own.score, own.said) for own in again.weaker if own.said] == [(0.0, "wrong")]
    # Other sentences, and videos that are not asked for, have nothing of it.
    assert not [own for own in search(library, engine, "green").ranked if own.said]
    assert not [own for own in search(library, engine, "red", contents={b}).ranked if own.said == "wrong"]
    # All of a video that is said to be right stays, although the model finds parts of it.
    corrections.add(a, "blue", "right", (0.0, 8.0))
    assert spans(search(library, engine, "blue"))[0][0] == (0.0, 8.0)
    for one in corrections.all():
        corrections.remove(one.id)
    assert search(library, engine, "red").ranked == before.ranked


def test_damaged_corrections_are_told_and_the_search_answers(tmp_path: Path, fake: ModuleType) -> None:
    engine = fake.FakeEngine()
    library = Library.made(tmp_path / "library", engine.identity)
    assert [done.state for done in index([fake.make_video(tmp_path / "a.mp4", "rrbb")], library, engine)] == ["indexed"]
    library.corrections.write_text("7\n")
    found = search(library, engine, "red")
    assert found.moments
    assert "line 1: no correction" in found.faults[0]
