import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from asst.errors import InputError
from asst.moments import Answer, Moment
from asst.outputs.exports import write_clip


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, float, float, Path, bool]]:
    made: list[tuple[Path, float, float, Path, bool]] = []

    def cut(path: Path, start_s: float, end_s: float, out: Path, *, exact: bool) -> SimpleNamespace:
        made.append((path, start_s, end_s, out, exact))
        return SimpleNamespace(path=out, start_s=start_s, end_s=end_s)

    video = ModuleType("asst.video")
    vars(video)["cut"] = cut
    monkeypatch.setitem(sys.modules, "asst.video", video)
    return made


def test_the_best_moment_is_cut(tmp_path: Path, cuts: list[tuple[Path, float, float, Path, bool]]) -> None:
    out = tmp_path / "out.mp4"
    answer = Answer("in.mp4", "q", 10.0, "m", (Moment(3.0, 4.0, 0.9), Moment(1.0, 2.0, 0.5)))
    report = write_clip(answer, out)
    assert report is not None
    write_clip(answer, out, exact=False)
    assert cuts == [(Path("in.mp4"), 3.0, 4.0, out, True), (Path("in.mp4"), 3.0, 4.0, out, False)]


def test_nothing_is_cut_where_nothing_was_found(
    tmp_path: Path, cuts: list[tuple[Path, float, float, Path, bool]]
) -> None:
    assert write_clip(Answer("in.mp4", "q", 10.0, "m", ()), tmp_path / "out.mp4") is None
    assert cuts == []


def test_the_video_itself_is_never_overwritten(
    tmp_path: Path, cuts: list[tuple[Path, float, float, Path, bool]]
) -> None:
    video = tmp_path / "in.mp4"
    video.touch()
    with pytest.raises(InputError, match="is the input"):
        write_clip(Answer(str(video), "q", 10.0, "m", (Moment(3.0, 4.0),)), video)
    assert cuts == []
