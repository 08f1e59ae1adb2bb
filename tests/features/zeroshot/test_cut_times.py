"""When cuts are, to the frame: in files of every kind, among flashes and motion, and while shots are mixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from asst.features.zeroshot.captions import CaptionExtractor
from asst.features.zeroshot.shots import CutTimes, coarse_colours, colour_jumps, turning_point
from asst.video import Frames, frames, thumbnail

Make = Callable[..., Path]
Pixels = npt.NDArray[np.uint8]
RATE = 4.0
HEIGHT, WIDTH = 96, 160


def scene(number: int) -> Pixels:
    """A picture of large coloured cells."""
    cells = np.random.default_rng(number).integers(0, 256, (6, 10, 3), dtype=np.uint8)
    return cells.repeat(16, axis=0).repeat(16, axis=1)


def jumps(path: Path) -> list[float]:
    """When colours jump in a file, as the extractors follow it."""
    cut_times = CutTimes(RATE)
    return _followed(cut_times, list(frames(path, rate=RATE, batch=16, thumbnails=cut_times.thumbnail)))


def jumps_of(pictures: Sequence[Pixels], rate: float) -> list[float]:
    """The same of pictures at a steady rate."""
    cut_times = CutTimes(RATE)
    for number, pixels in enumerate(pictures):
        cut_times.thumbnail(number / rate, thumbnail(pixels))
    ticks = np.arange(0, len(pictures) / rate, 1 / RATE)
    shown = np.stack([pictures[int(tick * rate + 1e-6)] for tick in ticks])
    return _followed(cut_times, [Frames(shown, ticks)])


def _followed(cut_times: CutTimes, batches: Sequence[Frames]) -> list[float]:
    colours = np.concatenate([coarse_colours(batch.pixels) for batch in batches])
    changes = np.abs(np.diff(colours, axis=0)).mean(axis=1).astype(np.float64)
    for known in range(0, len(changes), 16):
        cut_times.follow(changes[:known].tolist())
    cut_times.follow(changes.tolist(), to_the_end=True)
    found: list[float] = cut_times.times_s(np.array(colour_jumps(changes), dtype=np.int64) + 1).tolist()
    return found


STEADY, NTSC = Fraction(1, 25), Fraction(1001, 60000)
# Each picture lasts from one to three hundredths of a second, now and then half a second.
VARYING = np.cumsum([0, *np.random.default_rng(5).choice([1, 2, 3, 50], 119, p=[0.4, 0.3, 0.25, 0.05])]).tolist()


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("v.mp4", {"options": {"bf": "3", "sc_threshold": "0", "g": "250"}}),
        ("many-b.mp4", {"options": {"bf": "8", "b_adapt": "0", "sc_threshold": "0", "g": "250"}}),
        ("open.mkv", {"options": {"g": "12", "x264-params": "open-gop=1:scenecut=0"}}),
        ("hevc.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=error"}}),
        ("v.ts", {"options": {"g": "30"}}),
        ("v.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}),
        ("old.mpg", {"codec": "mpeg2video", "options": {"b": "4M"}}),
        ("turned.mp4", {"turned_left": 1, "turned_back": True}),
        ("sixty.mp4", {"time_base": NTSC}),
        ("varying.mp4", {"ticks": VARYING, "time_base": Fraction(1, 100)}),
        ("varying.mkv", {"ticks": VARYING, "time_base": Fraction(1, 100)}),
        ("late.mkv", {"ticks": [250 + tick for tick in range(120)]}),
    ],
)
@pytest.mark.parametrize("first", [31, 36, 40])
def test_cuts_are_where_the_new_frames_begin(make: Make, name: str, recipe: dict[str, Any], first: int) -> None:
    """The second cut lies at another place between the ticks than the first."""
    count = len(recipe.setdefault("ticks", list(range(120))))
    at = [first, first + 43]
    shown = iter([scene(1)] * at[0] + [scene(2)] * (at[1] - at[0]) + [scene(3)] * (count - at[1]))

    def stored(pixels: Pixels) -> Pixels:
        return np.rot90(next(shown), recipe.get("turned_left", 0))

    path = make(name, stored=stored, **recipe)
    times_s = [float(time_s) for batch in frames(path) for time_s in batch.times_s]
    assert jumps(path) == [pytest.approx(times_s[number], abs=1e-6) for number in at]


def test_a_flash_beside_a_cut_is_not_taken_for_it() -> None:
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    pictures = [scene(1)] * 53 + [scene(2)] * 60
    # Ticks are at pictures 50 and 57.
    for flash in (51, 54):
        assert jumps_of([white if k == flash else picture for k, picture in enumerate(pictures)], 28.0) == [53 / 28]


@pytest.mark.parametrize("rate", [24.0, 60.0])
def test_a_cut_between_pans_is_found(rate: float) -> None:
    def panned(number: int, at_s: float) -> Pixels:
        wall = np.concatenate([scene(number), scene(number + 10)], axis=1)
        return np.roll(wall, -int(16 * at_s), axis=1)[:, :WIDTH]

    pictures = [panned(1 if k < 2.6 * rate else 2, k / rate) for k in range(int(5 * rate))]
    assert jumps_of(pictures, rate) == [pytest.approx(np.ceil(2.6 * rate) / rate)]


@pytest.mark.parametrize(("first", "length"), [(40, 9), (44, 12), (50, 15)])
def test_of_a_dissolve_the_middle_counts(first: int, length: int) -> None:
    shares = np.clip((np.arange(120) - first + 1) / (length + 1), 0, 1)
    pictures = [(scene(1) * (1 - share) + scene(2) * share).astype(np.uint8) for share in shares]
    (found,) = jumps_of(pictures, 25.0)
    assert found * 25 == pytest.approx(first + length / 2, abs=1)


def test_turning_points_of_two_and_of_equal_pictures() -> None:
    assert turning_point(np.array([[0.0], [9.0]], dtype=np.float32)) == 1
    assert turning_point(np.zeros((4, 2), dtype=np.float32)) == 1


def test_pictures_of_a_long_video_are_forgotten() -> None:
    cut_times = CutTimes(RATE)
    changes: list[float] = []
    picture = thumbnail(scene(1))
    for second in range(600):
        for k in range(30):
            cut_times.thumbnail(second + k / 30, picture)
        changes += [90.0, 0.0, 0.0, 30.0]
        cut_times.follow(changes)
    assert len(cut_times._thumbnails) < 150


def test_two_times_in_one_tick_keep_their_order() -> None:
    cut_times = CutTimes(RATE)
    cut_times._times_s = {5: 1.2, 7: 1.1, 9: 2.2}
    assert cut_times.times_s(np.array([5, 7, 9])).tolist() == [1.2, 1.75, 2.2]


def test_features_have_the_exact_times_from_a_file_and_from_memory(
    extractor: CaptionExtractor, make: Make, street: Path
) -> None:
    one, two = (next(frames(street, times_s=[at_s], size=(WIDTH, HEIGHT))).pixels[0] for at_s in (0.5, 7.0))
    shown = iter([one] * 40 + [two] * 45 + [one] * 35)
    path = make("v.mp4", ticks=list(range(120)), time_base=Fraction(1001, 30000), stored=lambda pixels: next(shown))
    expected = [pytest.approx(number * 1001 / 30000, abs=1e-6) for number in (40, 85)]
    assert extractor.extract(path).cuts_s.tolist() == expected
    assert extractor.extract_frames(frames(path)).cuts_s.tolist() == expected
