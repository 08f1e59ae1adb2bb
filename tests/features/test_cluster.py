"""Extraction and indexing by Ray: nothing is lost or doubled, and the numbers are those of one process."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from asst.cli.app import app
from asst.features.extract import extract_by_cluster, jobs_of
from asst.features.stores.native import Store
from asst.library.library import Library
from asst.library.search import search
from asst.library.tables import Video
from asst.library.verify import Verdict, verify

from ..library import fake_engine
from . import fake_extraction

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """What the first test starts on this machine is joined by the next, and ends after them: starting takes long."""
    import ray
    from ray import cloudpickle

    ended = []
    fakes = (fake_engine, fake_extraction)
    # The actors' processes are not given the path of the fakes.
    for fake in fakes:
        cloudpickle.register_pickle_by_value(fake)  # type: ignore[no-untyped-call]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "shutdown", lambda: ended.append(True))
        yield
    ray.shutdown()
    for fake in fakes:
        cloudpickle.unregister_pickle_by_value(fake)  # type: ignore[no-untyped-call]
    # By the test that had started it alone.
    assert ended == [True]


def test_a_cluster_loses_and_doubles_nothing_when_an_actor_dies(tmp_path: Path) -> None:
    texts = {**{f"v{index}": f"steps {index + 1}" for index in range(8)}, "w": "die once", "x": "nonsense"}
    (tmp_path / "videos").mkdir()
    for name, text in texts.items():
        (tmp_path / "videos" / f"{name}.mp4").write_text(text)
    extraction = fake_extraction.FakeExtraction("fake", tmp_path / "log", tmp_path / "store")
    outcomes = list(extract_by_cluster(jobs_of([tmp_path / "videos"]), extraction, 2))
    assert sorted(outcome.job.video for outcome in outcomes) == sorted(texts)
    assert {outcome.job.video for outcome in outcomes if outcome.state == "failed"} == {"x"}
    store = Store(tmp_path / "store")
    assert store.videos() == tuple(sorted({*texts} - {"x"}))
    assert [len(store.read(f"v{index}")) for index in range(8)] == list(range(1, 9))
    assert (tmp_path / "videos" / "w.died").exists()
    read = Counter((tmp_path / "log").read_text().split())
    assert read["w.mp4"] >= 2


def test_a_cluster_fills_a_library_as_one_process_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    videos = tmp_path / "videos"
    fake_engine.make_video(videos / "a.mp4", "rrrrggg")
    fake_engine.make_video(videos / "deep" / "b.mp4", "bbbrr")
    (videos / "bad.mp4").write_bytes(b"no video at all")
    shutil.copy(videos / "a.mp4", videos / "copy.mp4")
    monkeypatch.setattr("asst.library.engine.engine_of", fake_engine.engine_of)
    folders = [tmp_path / "one", tmp_path / "cluster"]
    printed = [CliRunner().invoke(app, ["index", str(videos), "--library", str(folders[0])])]
    words = ["index", str(videos), "--library", str(folders[1]), "--cluster", "--workers", "2"]
    printed.append(CliRunner().invoke(app, words))
    assert [result.exit_code for result in printed] == [1, 1], printed[1].output
    counts = [re.sub(r" \(.*?\)|; .*", "", result.stdout) for result in printed]
    assert counts == ["of 4 videos indexed 2, 0 were there already, 1 copied, 1 failed\n"] * 2
    # Ray has more to say there.
    assert printed[0].stderr.startswith("bad.mp4: cannot read")
    assert set(printed[0].stderr.splitlines()) <= set(printed[1].stderr.splitlines())
    alone, spread = (Library(folder) for folder in folders)
    assert verify(spread) == Verdict(3, {}, ())
    # Which of two equal files is read first is the same, too.
    assert [as_known(video) for video in spread.tables.videos()] == [as_known(video) for video in alone.tables.videos()]
    assert spread.features.videos() == alone.features.videos()
    for video in alone.tables.videos():
        ours, theirs = (library.features.read(video.content).vectors for library in (spread, alone))
        np.testing.assert_array_equal(ours, theirs)
        assert spread.picture(video.content).read_bytes() == alone.picture(video.content).read_bytes()
    assert windows_by_content(spread) == windows_by_content(alone)
    engine = fake_engine.FakeEngine()
    for colour in ("red", "green", "blue"):
        assert search(spread, engine, colour).moments == search(alone, engine, colour).moments


def as_known(video: Video) -> Video:
    """Without its time of change, which is not kept of a file that has only just been written."""
    return replace(video, mtime_ns=0)


def windows_by_content(library: Library) -> dict[str, list[tuple[object, ...]]]:
    """The rows and vectors of each content, in order."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for rows, vectors in library.tables.windows():
        for row, vector in zip(rows.tolist(), vectors.tolist(), strict=True):
            found.setdefault(row[0].decode(), []).append((*row[1:], *vector))
    return {content: sorted(windows) for content, windows in sorted(found.items())}
