"""A library from Python, by the default model."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

import asst


def test_it_is_made_filled_and_asked(tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asst.library.engine.default_engine", fake.FakeEngine)
    video = fake.make_video(tmp_path / "a.mp4", "rrrrgggg")
    other = fake.make_video(tmp_path / "b.mp4", "bbgg")
    (tmp_path / "bad.mp4").write_text("no video")
    library = asst.Library.made(str(tmp_path / "library"))
    done = library.index([str(video), other, tmp_path / "bad.mp4"])
    assert [(one.path.name, one.state) for one in sorted(done, key=lambda one: one.path)] == [
        ("a.mp4", "indexed"),
        ("b.mp4", "indexed"),
        ("bad.mp4", "failed"),
    ]
    again = asst.Library(str(tmp_path / "library"))
    found = {(moment.video, moment.start_s, moment.end_s) for moment in again.search("green")}
    assert found == {(str(video), 2.0, 4.0), (str(other), 1.0, 2.0)}
    assert [moment.video for moment in again.search("green", top=1, within_glob="b*")] == [str(other)]
    assert again.search("green", min_score=2.0) == []


def test_one_of_another_model_takes_no_video(tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    library = asst.Library.made(tmp_path / "library", fake.FakeEngine("e2").identity)
    monkeypatch.setattr("asst.library.engine.default_engine", fake.FakeEngine)
    video = fake.make_video(tmp_path / "a.mp4", "rr")
    with pytest.raises(asst.InputError, match="made with another embedding"):
        library.index([video])
