"""Simulated features of described videos: words show when an annotator says, and look the same in every sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from asst.data.record import Record, Span
from asst.moments import FloatArray
from asst.simulate.features.sentences import FAMILY, DescribedVideo, SentenceSimulator
from asst.simulate.features.settings import LEVELS, MODALITIES, Level, Settings
from asst.simulate.features.words import SentenceWords, Vocabulary

SENTENCES = (
    "a red dog runs",
    "the dog is running away",
    "a red ball",
    "we see two cats",
    "a thing",
    "the cat jumps",
    "jumping",
)
SILENT = replace(LEVELS["easy"], noise=0.0, missed=0.0, confused=0.0, jitter_s=0.0)


def described(name: str, *said: tuple[str, tuple[Span, ...]], duration_s: float = 30.0) -> DescribedVideo:
    records = [
        Record(f"{name}{number}", name, "val", sentence, duration_s, spans, spans)
        for number, (sentence, spans) in enumerate(said)
    ]
    return DescribedVideo(name, duration_s, tuple(records))


OTHERS = described("others", *((sentence, ((0.0, 5.0),)) for sentence in SENTENCES))


def vectors(video: DescribedVideo, level: Level = SILENT, modality: str = "rgb") -> FloatArray:
    settings = Settings(modality=MODALITIES[modality], level=level, dimension=32, family=FAMILY)
    made: FloatArray = SentenceSimulator([video, OTHERS], settings).features(video).vectors.astype(np.float64)
    return made


def test_words_are_told_apart_by_what_is_said_with_ing() -> None:
    words = Vocabulary(SENTENCES)
    assert words.words("we first see two red dogs run") == SentenceWords(("run",), ("red", "dog"))
    assert words.words("the Cats jumped") == SentenceWords(("jump",), ("cat",))
    assert words.verbs == ("jump", "run")
    assert "thing" in words.things


def test_a_sentence_shows_at_its_time_alone_and_another_of_the_same_words_looks_alike() -> None:
    one = described("v", ("a red dog runs", ((10.0, 15.0),)), ("the cat jumps", ((0.0, 5.0),)))
    other = described("v", ("a red dog runs", ((10.0, 15.0),)), ("the cat jumps", ((20.0, 25.0),)))
    same = described("v", ("the red dogs are running", ((10.0, 15.0),)), ("the cat jumps", ((0.0, 5.0),)))
    moved = np.flatnonzero(np.abs(vectors(one) - vectors(other)).max(axis=1))
    assert set(moved) == {*range(21), *range(79, 101)}
    # How strongly a sentence shows is the same draw in both.
    assert np.abs(vectors(one) - vectors(same)).max() == 0
    assert vectors(described("w", ("a red ball", ((0.0, 5.0),)), duration_s=25.0)).shape == (100, 32)


def test_every_annotator_is_drawn_and_none_is_made_up() -> None:
    settings = Settings(modality=MODALITIES["rgb"], level=SILENT, dimension=8, family=FAMILY)
    said = (((0.0, 5.0), (0.0, 5.0), (20.0, 30.0)),)
    videos = [described(f"v{number}", *(("a red dog runs", spans) for spans in said)) for number in range(40)]
    simulator = SentenceSimulator([*videos, OTHERS], settings)
    shown = [(one.start_s, one.end_s) for video in videos for one in simulator.shown(video)]
    assert set(shown) == {(0.0, 5.0), (20.0, 30.0)}
    assert 0.15 < shown.count((20.0, 30.0)) / len(shown) < 0.5


def test_a_crowd_lends_sentences_and_a_missed_one_leaves_no_trace() -> None:
    video = described("v", ("a red dog runs", ((10.0, 15.0),)))
    settings = Settings(modality=MODALITIES["flow"], level=replace(SILENT, crowd=3), dimension=8, family=FAMILY)
    shown = SentenceSimulator([video, OTHERS], settings).shown(video)
    assert shown[0].what == "v0"
    assert {one.what for one in shown[1:]} == {record.id for record in OTHERS.records}
    missed = replace(SILENT, missed=1.0)
    assert np.ptp(vectors(video, missed), axis=0).max() == 0
    assert np.ptp(vectors(video), axis=0).max() > 0.1
