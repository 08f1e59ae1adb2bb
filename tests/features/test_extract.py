"""Files to a store: what is there stays, faults stop nothing, dead workers lose and double nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asst.errors import InputError
from asst.features.extract import Job, Outcome, extract_by_workers, extract_in_turn, jobs_of
from asst.features.hashing import content_hash
from asst.features.stores.native import Provenance, Store


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module of fakes, which a spawned process finds on the path that it is given."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield import_module("fake_extraction")
    sys.modules.pop("fake_extraction", None)


def files(folder: Path, **texts: str) -> list[Job]:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.mp4").write_text(text)
    return jobs_of([folder])


def states(outcomes: list[Outcome]) -> dict[str, str]:
    assert len({outcome.job.video for outcome in outcomes}) == len(outcomes)
    return {outcome.job.video: outcome.state for outcome in outcomes}


def in_turn(jobs: list[Job], extractor: Any, store: Store) -> list[Outcome]:
    return list(extract_in_turn(jobs, extractor, store, lambda _: None))


def test_what_the_store_has_is_kept_until_content_or_settings_change(tmp_path: Path, fake: ModuleType) -> None:
    jobs = files(tmp_path / "videos", a="steps 4", b="nonsense", c="steps 6")
    store = Store(tmp_path / "store")
    extractor = fake.FakeExtractor()
    first = in_turn(jobs, extractor, store)
    assert states(first) == {"a": "extracted", "b": "failed", "c": "extracted"}
    assert first[1].reason.endswith("holds no video; name another")
    assert [outcome.video_s for outcome in first] == [2.0, 0.0, 3.0]
    assert store.videos() == ("a", "c")
    assert store.provenance("a") == Provenance("p1", content_hash(jobs[0].path), "w1")
    assert states(in_turn(jobs, extractor, store)) == {"a": "kept", "b": "failed", "c": "kept"}
    jobs[0].path.write_text("steps 5")
    assert states(in_turn(jobs, extractor, store)) == {"a": "extracted", "b": "failed", "c": "kept"}
    assert len(store.read("a")) == 5
    extractor.preprocessing = "p2"
    assert states(in_turn(jobs, extractor, store))["c"] == "extracted"
    # A damaged entry is made anew.
    path = store.folder / "c.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    assert states(in_turn(jobs, extractor, store)) == {"a": "kept", "b": "failed", "c": "extracted"}


def test_features_that_are_not_finite_are_a_fault_of_their_file_alone(tmp_path: Path, fake: ModuleType) -> None:
    jobs = files(tmp_path / "videos", a="steps 4 nan", b="steps 4")
    store = Store(tmp_path / "store")
    first, second = in_turn(jobs, fake.FakeExtractor(), store)
    assert (first.state, second.state) == ("failed", "extracted")
    assert "a.mp4: step 3 (1.5 s) of fake holds nan" in first.reason
    assert store.videos() == ("b",)


def test_a_store_of_other_features_is_no_fault_of_a_file(tmp_path: Path, fake: ModuleType) -> None:
    jobs = files(tmp_path / "videos", a="steps 4")
    store = Store(tmp_path / "store")
    in_turn(jobs, fake.FakeExtractor(), store)
    other = fake.FakeExtractor()
    other.name = "other"
    with pytest.raises(InputError, match=r"of other .* the rest of the folder of fake"):
        in_turn(files(tmp_path / "videos", b="steps 4"), other, Store(tmp_path / "store"))


def test_files_and_folders_are_named(tmp_path: Path) -> None:
    files(tmp_path / "a", x="steps 1", y="steps 1")
    (tmp_path / "a" / "notes.txt").write_text("no video")
    (tmp_path / "a" / "deep").mkdir()
    (tmp_path / "a" / "deep" / "z.MOV").write_text("steps 1")
    assert [job.video for job in jobs_of([tmp_path / "a"])] == ["z", "x", "y"]
    assert [job.video for job in jobs_of([tmp_path / "a"], "name")] == ["z.MOV", "x.mp4", "y.mp4"]
    assert [job.video for job in jobs_of([tmp_path / "a"], "path")] == ["deep/z.MOV", "x.mp4", "y.mp4"]
    assert [job.video for job in jobs_of([tmp_path / "gone.mp4", tmp_path / "a" / "x.mp4"])] == ["gone", "x"]
    files(tmp_path / "b", x="steps 1")
    with pytest.raises(InputError, match=r"a/x\.mp4 and .*b/x\.mp4 would both be called 'x'"):
        jobs_of([tmp_path / "a", tmp_path / "b"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no video in this folder"):
        jobs_of([tmp_path / "empty"])


def test_a_worker_that_dies_is_replaced_and_a_file_that_kills_is_given_up(tmp_path: Path, fake: ModuleType) -> None:
    jobs = files(
        tmp_path / "videos", a="steps 2", b="die once", c="nonsense", d="steps 3", e="steps 4", f="steps 5", g="die"
    )
    extraction = fake.FakeExtraction("fake", tmp_path / "log", tmp_path / "store")
    # One worker, so that each file dies by itself: of two that are under way nobody knows which was at fault.
    outcomes = list(extract_by_workers(jobs, extraction, 1))
    expected = dict.fromkeys("abdef", "extracted")
    found = states(outcomes)
    # What was written by a worker that then died is found there by the next.
    assert {video: state for video, state in found.items() if state != "kept"}.items() <= {
        **expected,
        "c": "failed",
        "g": "failed",
    }.items()
    assert set(found) == set("abcdefg")
    assert "the process that read it died" in next(o.reason for o in outcomes if o.job.video == "g")
    assert Store(tmp_path / "store").videos() == tuple("abdef")


def test_a_fault_that_is_no_files_stops_the_workers(tmp_path: Path, fake: ModuleType) -> None:
    jobs = files(tmp_path / "videos", a="steps 2", b="steps 3")
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot write"):
        list(extract_by_workers(jobs, fake.FakeExtraction("fake", None, tmp_path / "store"), 2))
