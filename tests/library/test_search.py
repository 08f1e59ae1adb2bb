"""Two stages against the model's own answers."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from asst.errors import InputError
from asst.features.stores.native import Provenance, write_file
from asst.features.values import Features
from asst.library import search as searching
from asst.library.index import index
from asst.library.library import Library
from asst.library.matrix import matrix_of
from asst.library.search import search
from asst.library.tables import Video
from asst.localizer import Localizer
from asst.models.zeroshot.proposals import VideoContext, cuts_and_proposals
from asst.moments import Answer, Moment, by_video, iou

QUERIES = ("red", "green", "blue")


def filled(folder: Path, fake: ModuleType, vectors: list[np.ndarray]) -> Library:
    """A library of features without files."""
    engine = fake.FakeEngine()
    library = Library.made(folder, engine.identity)
    for number, rows in enumerate(vectors):
        content = f"{number:032x}"
        features = Features(rows.astype(np.float32), 0.0, 0.5, "colours")
        library.features.write(content, features, Provenance("p1", content, "w1"))
        windows = engine.windows(features)
        group = "even" if number % 2 == 0 else "odd"
        video = Video(f"/{group}/{number}.mp4", content, features.end_s, 32, 32, 1, len(windows))
        library.add(video, windows)
    return library


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that needs many videos makes their library."""
    return tmp_path_factory.mktemp("many") / "library"


@pytest.fixture
def many(made_once: Path, tmp_path: Path, fake: ModuleType) -> Library:
    if not made_once.exists():
        draw = np.random.default_rng(7)
        lengths = draw.integers(3, 300, size=24)
        filled(made_once, fake, [np.repeat(draw.random((n, 3)), 4, axis=0) for n in lengths])
    shutil.copytree(made_once, tmp_path / "library")
    return Library(tmp_path / "library")


def test_a_library_of_one_video_answers_as_the_localizer_does(tmp_path: Path, fake: ModuleType) -> None:
    path = fake.make_video(tmp_path / "v.mp4", "rrrrgggbbrrgr")
    engine = fake.FakeEngine()
    library = Library.made(tmp_path / "library", engine.identity)
    assert [done.state for done in index([path], library, engine)] == ["indexed"]
    for query in QUERIES:
        (answer,) = Localizer(engine).answer(path, [query], top=3)
        found = search(library, engine, query, top=3)
        assert found.moments == answer.moments
        assert found.best_score == answer.best_score


def test_the_best_score_is_that_of_the_best_moment_which_is_shown(
    tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a video fits best, and is left out for the part of it that fits too."""
    path = fake.make_video(tmp_path / "v.mp4", "rrrrgggg")
    engine = fake.FakeEngine()
    library = Library.made(tmp_path / "library", engine.identity)
    assert [done.state for done in index([path], library, engine)] == ["indexed"]
    weaker = (Moment(0.0, 4.0, 0.2, "red"), Moment(0.0, 2.0, 0.1, "red"))
    ranked = Answer("", "red", 4.0, "fake", (), weaker=weaker, threshold=0.25)
    monkeypatch.setattr(engine, "rank", lambda *_, top: [ranked])
    for answer in (*Localizer(engine).answer(path, ["red"]), search(library, engine, "red")):
        assert [moment.score for moment in answer.weaker] == [0.1]
        assert answer.best_score == 0.1


def test_a_part_that_is_not_finite_is_a_fault_and_the_others_are_scored(many: Library, fake: ModuleType) -> None:
    engine = fake.FakeEngine()
    video = many.tables.videos()[0]
    found = many.features.read(video.content)
    vectors = found.vectors.copy()
    vectors[-1] = np.nan
    path = many.features.folder / f"{video.content}.safetensors"
    write_file(path, Features(vectors, found.start_s, found.step_s, found.extractor), Provenance("p1", video.content))
    (fault,) = search(many, engine, "red", top=100_000, scored_s=math.inf).faults
    assert fault.startswith(f"{video.path}: {video.content}: step ")
    assert " of colours holds nan at number 0, which is not finite" in fault


@pytest.mark.parametrize("query", QUERIES)
def test_two_stages_find_a_part_of_what_scoring_everything_finds(many: Library, fake: ModuleType, query: str) -> None:
    engine = fake.FakeEngine()
    all_of_it = search(many, engine, query, top=100_000, scored_s=math.inf)
    assert all_of_it.parts[0] == all_of_it.parts[1] > 24
    everything = {(m.video, m.start_s, m.end_s, m.score) for m in all_of_it.ranked}
    by_hand = {
        (video.path, m.start_s, m.end_s, m.score)
        for video in many.tables.videos()
        if video.duration_s <= 180
        for m in engine.rank(many.features.read(video.content), [query], top=100_000)[0].ranked
    }
    assert by_hand <= everything
    for scored_s in (1.0, 300.0, 1200.0):
        found = search(many, engine, query, top=100_000, scored_s=scored_s)
        assert found.parts[0] < found.parts[1]
        short = {v.path for v in many.tables.videos() if v.duration_s <= 180}
        assert {(m.video, m.start_s, m.end_s, m.score) for m in found.moments if m.video in short} <= everything
        for some in (found.moments, found.weaker):
            assert list(some) == [moment for own in by_video(some).values() for moment in own]
        assert all(moment.score >= fake.THRESHOLD for moment in found.moments)
        assert all(moment.score < fake.THRESHOLD for moment in found.weaker)
    # A budget of nothing still scores the part of the best window.
    assert search(many, engine, query, scored_s=0.0).parts[0] == 1


def test_one_video_answers_as_it_does_among_all(many: Library, fake: ModuleType) -> None:
    engine = fake.FakeEngine()
    among_all = by_video(search(many, engine, "red", top=100_000, scored_s=math.inf).moments)
    for video in many.tables.videos():
        alone = search(many, engine, "red", top=100_000, contents={video.content})
        assert alone.moments == among_all.get(video.path, ())
        spans = [(moment.start_s, moment.end_s) for moment in alone.ranked]
        assert (iou(spans, spans) - np.eye(len(spans)) < 0.1).all()


def test_what_is_wanted_narrows_what_is_found(many: Library, fake: ModuleType) -> None:
    engine = fake.FakeEngine()
    odd = search(many, engine, "red", within_glob="/odd/*")
    assert odd.moments
    assert all(moment.video is not None and moment.video.startswith("/odd/") for moment in odd.moments)
    assert {moment.video for moment in search(many, engine, "red", within_glob="7.*").moments} == {"/odd/7.mp4"}
    (video,) = many.tables.videos(path="/odd/7.mp4")
    many.tables.put_video(replace(video, path="/odd/e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}.mp4"))
    many.tables.drop_video("/odd/7.mp4")
    assert search(many, engine, "red", within_glob="\N{LATIN SMALL LETTER E WITH ACUTE}t*").moments
    strict = search(many, engine, "red", min_score=0.7)
    assert all(moment.score >= 0.7 for moment in strict.moments)
    lax = search(many, engine, "red", min_score=-1.0, top=10_000, scored_s=math.inf)
    assert not lax.weaker
    assert min(moment.score for moment in lax.moments) < fake.THRESHOLD
    assert len(search(many, engine, "red", top=1).moments) == 1
    for wrong, message in (
        ({"top": 0}, "at least one"),
        ({"min_score": math.nan}, "no number"),
        (
            {"within_glob": "odd*"},
            "no video of .* fits 'odd.*' by its file name .one with a slash is compared with paths",
        ),
        ({"within_glob": "x/*"}, "no video of .* fits 'x/.*' by its path;"),
    ):
        with pytest.raises(InputError, match=message):
            search(many, engine, "red", **wrong)
    with pytest.raises(InputError, match="an empty sentence"):
        search(many, engine, " ")
    with pytest.raises(InputError, match="made with another embedding"):
        search(many, fake.FakeEngine("e2"), "red")


def test_the_array_holds_what_the_database_does(many: Library, fake: ModuleType) -> None:
    sentence, matrix = fake.FakeEngine().sentence("green"), matrix_of(many)
    rows, vectors = (np.concatenate(column) for column in zip(*many.tables.windows(), strict=True))
    expected = dict(zip(rows.tolist(), (vectors.astype(np.float64) @ sentence).tolist(), strict=True))
    assert dict(zip(matrix.rows.tolist(), matrix.products(sentence).tolist(), strict=True)) == pytest.approx(expected)
    odd = search(many, fake.FakeEngine(), "green", within_glob="/odd/*")
    assert {moment.video for moment in odd.moments} <= {v.path for v in many.tables.videos() if "/odd/" in v.path}


def test_what_is_added_and_removed_is_searched_at_once(many: Library, fake: ModuleType, tmp_path: Path) -> None:
    engine = fake.FakeEngine()
    before = search(many, engine, "blue", top=1).moments[0]
    path = fake.make_video(tmp_path / "new.mp4", "b" * 20)
    list(index([path], many, engine))
    (found,) = search(many, engine, "blue", within_glob="new.mp4").moments
    assert (found.video, found.start_s, found.end_s) == (str(path), 0.0, 10.0)
    many.remove(many.tables.videos(path=str(path)))
    with pytest.raises(InputError, match="no video of"):
        search(many, engine, "blue", within_glob="new.mp4")
    assert search(many, engine, "blue", top=1).moments[0] == before


def rows_of(library: Library) -> dict[Path, bytes]:
    return {part: part.read_bytes() for part in library.matrix.glob("*.windows")}


def test_what_is_added_is_appended_to_the_array(many: Library, fake: ModuleType, tmp_path: Path) -> None:
    engine = fake.FakeEngine()
    search(many, engine, "blue")
    before = rows_of(many)
    list(index([fake.make_video(tmp_path / "new.mp4", "b" * 20)], many, engine))
    assert search(many, engine, "blue", within_glob="new.mp4").moments
    after = rows_of(many)
    assert before.items() < after.items()
    assert len(after) == len(before) + 1


def test_an_array_of_many_parts_is_made_one_and_finds_the_same(
    many: Library, fake: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = fake.FakeEngine()
    for number in range(4):
        list(index([fake.make_video(tmp_path / f"new{number}.mp4", "rgb"[number % 3] * (8 + number))], many, engine))
        asked = search(many, engine, "blue").moments
    monkeypatch.setattr("asst.library.matrix._PARTS_MOST", 2)
    many.remove(many.tables.videos(path=str(tmp_path / "new0.mp4")))
    assert [moment.video for moment in search(many, engine, "blue").moments] == [moment.video for moment in asked]
    assert len(rows_of(many)) == 1


def test_a_part_that_another_search_has_joined_meanwhile_is_looked_for_again(
    many: Library, fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = fake.FakeEngine()
    asked = search(many, engine, "blue").moments
    given = np.fromfile
    gone: list[Path] = []

    def vanishing(path: Path, **how: Any) -> npt.NDArray[Any]:
        if not gone:
            gone.append(path)
            for part in many.matrix.iterdir():
                part.unlink()
        return given(path, **how)

    monkeypatch.setattr(np, "fromfile", vanishing)
    assert search(many, engine, "blue").moments == asked
    assert gone


def test_damaged_features_are_said_and_passed_over(many: Library, fake: ModuleType) -> None:
    engine = fake.FakeEngine()
    best = search(many, engine, "red", top=1).moments[0]
    content = many.tables.videos(path=best.video)[0].content
    (many.features.folder / f"{content}.safetensors").write_bytes(b"nothing")
    found = search(many, engine, "red")
    assert found.moments
    assert found.faults
    assert all(fault.startswith(f"{best.video}: ") for fault in found.faults)


def test_an_empty_library_says_so(tmp_path: Path, fake: ModuleType) -> None:
    library = Library.made(tmp_path / "library", fake.FakeEngine().identity)
    with pytest.raises(InputError, match=r"holds no video; index some"):
        search(library, fake.FakeEngine(), "red")


def test_a_part_begins_and_ends_with_its_shots_to_the_frame() -> None:
    """The cuts at 4.94 and 9.92 s are seen first at the ticks where the part begins and ends."""
    vectors = np.zeros((40, 3), dtype=np.float32)
    whole = Features(vectors, 0.0, 0.5, "colours", np.array([2.0, 4.94, 7.1, 9.92, 12.0]))
    cut = searching.cut_out(whole, 10, 20)
    context = VideoContext(cut, *cuts_and_proposals(cut))
    assert context.cuts.tolist() == [9]
    assert context.seconds(np.array([[0, 9], [9, 20], [1, 8]])).tolist() == [[4.94, 7.1], [7.1, 9.92], [5.25, 7.0]]
