"""Which pictures each step sees, from files of every kind and from memory, and that streaming changes nothing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from asst.errors import InputError
from asst.features.networks.frame_network import Branch, FrameNetwork, windows
from asst.features.resampling import FrameSize, centre
from asst.video import Frames, frames, probe

Pixels = npt.NDArray[np.uint8]


class Levels(nn.Module):
    """In place of a network: the mean grey of each picture that it is given."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Shape ``(batch, pictures, height, width, 3)`` to ``(batch, pictures)``."""
        return pixels.float().mean((2, 3, 4))


def levels_of(sees: range, **settings: object) -> Branch:
    def prepare(pictures: Sequence[Pixels]) -> Pixels:
        return np.stack([centre(picture, 8, 8) for picture in pictures])

    return Branch(Levels(), len(sees), sees, prepare, settings, "w")


def extractor_of(*sees: range, batch: int = 8) -> FrameNetwork:
    return FrameNetwork("levels", [levels_of(some) for some in sees], FrameSize(short_side=16), batch)


def grey_at(time_s: float) -> int:
    """The grey level that made videos show from this time on: it rises by 8 every eighth of a second, then wraps."""
    return 20 + 8 * (int(time_s * 8 + 1e-6) % 24)


def written(path: Path, times_s: Sequence[Fraction], start_s: int = 0, turned: bool = False) -> Path:
    """A file whose picture at each of these times is of one grey."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25, options={"crf": "5", "threads": "1", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if turned:
            stream.set_display_rotation(-90)
        for time_s in times_s:
            picture = np.full((48, 64, 3), grey_at(float(time_s)), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = int((time_s + start_s) * 1000), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def steady(seconds: float, rate: int) -> list[Fraction]:
    return [Fraction(k, rate) for k in range(int(seconds * rate))]


# Long and short pauses between pictures, as phones and screen recorders write them.
UNEVEN = [Fraction(ms, 1000) for ms in (0, 10, 130, 140, 375, 500, 505, 760, 1130, 1250, 1375, 1630, 2000, 2130, 2260)]

FILES: dict[str, dict[str, Any]] = {
    "steady.mp4": {"times_s": steady(3, 24)},
    "fast.mp4": {"times_s": steady(3, 50)},
    "slow.mp4": {"times_s": steady(3, 8)},
    "uneven.mp4": {"times_s": UNEVEN},
    "late.mkv": {"times_s": steady(3, 25), "start_s": 7},
    "turned.mp4": {"times_s": steady(3, 25), "turned": True},
}


@pytest.mark.parametrize("name", FILES)
def test_a_step_of_any_file_shows_its_middle(name: str, tmp_path: Path, one_thread: None) -> None:
    path = written(tmp_path / name, **FILES[name])
    features = extractor_of(range(3, 4)).extract(path)
    starts = [float(time_s) for time_s in FILES[name]["times_s"]]
    duration_s = probe(path).duration_s
    assert len(features) == np.ceil(duration_s * 4 - 1e-5)
    assert (features.start_s, features.step_s, features.extractor) == (0.0, 0.25, "levels")
    # Past the end of a last step that is cut short its last picture stands.
    middles = np.minimum(features.times_s, duration_s - 1e-3)
    shown = [grey_at(max(start for start in starts if start <= time_s + 1e-6)) for time_s in middles]
    np.testing.assert_allclose(features.vectors[:, 0], shown, atol=2.5)


def test_a_damaged_file_keeps_its_clock(tmp_path: Path, caplog: pytest.LogCaptureFixture, one_thread: None) -> None:
    path = written(tmp_path / "v.mkv", steady(6, 24))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 150] = bytes(150)
    path.write_bytes(content)
    features = extractor_of(range(3, 4)).extract(path)
    expected = np.array([grey_at(time_s) for time_s in features.times_s])
    right = np.abs(features.vectors[:, 0] - expected) < 3
    assert len(features) == 24
    assert right[:6].all()
    assert not right.all()
    assert right[-2:].all()


def test_a_file_cut_short_gives_what_it_holds(tmp_path: Path, one_thread: None) -> None:
    path = written(tmp_path / "v.mkv", steady(6, 24))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    features = extractor_of(range(3, 4)).extract(path)
    assert 4 < len(features) < 20
    np.testing.assert_allclose(features.vectors[:-1, 0], [grey_at(t) for t in features.times_s[:-1]], atol=2.5)


@pytest.mark.parametrize("content", [b"", b"no video"])
def test_a_file_without_pictures_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(content)
    with pytest.raises(InputError, match=r"v\.mp4"):
        extractor_of(range(3, 4)).extract(tmp_path / "v.mp4")


def test_a_window_is_what_is_shown_around_the_middle(tmp_path: Path, one_thread: None) -> None:
    path = written(tmp_path / "v.mp4", steady(2, 24))
    features = extractor_of(range(-5, 11), range(6), range(3, 4)).extract(path)
    assert features.vectors.shape == (8, 16 + 6 + 1)
    ticks = np.array([[6 * step + tick for tick in (*range(-5, 11), *range(6), 3)] for step in range(8)])
    shown = np.vectorize(grey_at)(np.clip(ticks, 0, 47) / 24)
    np.testing.assert_allclose(features.vectors, shown, atol=2.5)


@pytest.mark.parametrize("seen", [range(1), range(3), range(-2, 1), range(-5, 11), range(1, 2)])
@pytest.mark.parametrize("stride", [1, 2, 6])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 7, 30])
def test_windows_of_a_stream_are_those_of_a_list(seen: range, stride: int, count: int) -> None:
    pictures = [np.full((1, 1, 3), k, np.uint8) for k in range(count)]
    found = [[int(picture[0, 0, 0]) for picture in window] for window in windows(iter(pictures), seen, stride)]
    assert found == [[min(max(first + tick, 0), count - 1) for tick in seen] for first in range(0, count, stride)]


def in_memory(count: int, rate: int = 24) -> Frames:
    pixels = np.stack([np.full((20, 30, 3), 5 * k % 256, np.uint8) for k in range(count)])
    return Frames(pixels, np.arange(count) / rate)


@pytest.mark.parametrize("sizes", [[1] * 40, [3, 17, 20], [39, 1]])
@pytest.mark.parametrize("batch", [1, 3, 8])
def test_how_frames_are_batched_does_not_matter(sizes: list[int], batch: int, one_thread: None) -> None:
    whole = in_memory(40)
    sees = [range(-5, 11), range(3, 4)]
    expected = extractor_of(*sees, batch=100).extract_frames([whole]).vectors
    parts = [
        Frames(whole.pixels[start:end], whole.times_s[start:end]) for start, end in pairwise(np.cumsum([0, *sizes]))
    ]
    found = extractor_of(*sees, batch=batch).extract_frames(parts).vectors
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("rate", [4, 10, 24, 30])
def test_frames_in_memory_give_as_many_steps_as_a_file(rate: int, tmp_path: Path, one_thread: None) -> None:
    path = written(tmp_path / "v.mp4", steady(2.3, rate))
    extractor = extractor_of(range(6), range(3, 4))
    from_file, from_memory = extractor.extract(path), extractor.extract_frames(frames(path))
    np.testing.assert_allclose(from_file.vectors, from_memory.vectors, atol=1)


def test_pictures_may_change_their_size(one_thread: None) -> None:
    wide, tall = np.full((4, 20, 60, 3), 50, np.uint8), np.full((8, 60, 20, 3), 90, np.uint8)
    batches = [Frames(wide, np.arange(4) / 24), Frames(tall, np.arange(4, 12) / 24)]
    assert extractor_of(range(6)).extract_frames(batches).vectors.tolist() == [[50] * 4 + [90] * 2, [90] * 6]


def test_no_frame_is_refused() -> None:
    for none in ([], [Frames(np.zeros((0, 8, 8, 3), np.uint8), np.zeros(0))]):
        with pytest.raises(InputError, match=r"^no frame to look at; give at least one$"):
            extractor_of(range(3, 4)).extract_frames(none)


def test_progress_goes_to_the_end(street: Path, one_thread: None) -> None:
    told: list[tuple[float, float]] = []
    extractor_of(range(3, 4)).extract(street, progress=lambda done_s, all_s: told.append((done_s, all_s)))
    assert [done_s for done_s, _ in told] == sorted(done_s for done_s, _ in told)
    assert told[-1][0] == told[-1][1] == probe(street).duration_s


def test_memory_does_not_grow_with_length(one_thread: None) -> None:
    def stream(count: int) -> Iterator[Frames]:
        for k in range(count):
            yield Frames(np.full((1, 64, 64, 3), k % 256, np.uint8), np.array([k / 24]))

    def most(count: int) -> int:
        tracemalloc.start()
        extractor_of(range(-5, 11)).extract_frames(stream(count))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    most(50)
    assert most(2000) < most(400) + 500_000


def test_all_that_decides_the_numbers_is_in_the_hash() -> None:
    size = FrameSize(short_side=16)
    hashes = {
        FrameNetwork("a", branches, some).preprocessing
        for branches, some in (
            ([levels_of(range(3, 4))], size),
            ([levels_of(range(6))], size),
            ([levels_of(range(3, 4), mean=1)], size),
            ([levels_of(range(3, 4)), levels_of(range(3, 4))], size),
            ([levels_of(range(3, 4))], FrameSize(short_side=32)),
            ([levels_of(range(3, 4))], FrameSize(short_side=16, grows=False)),
            ([levels_of(range(3, 4))], FrameSize(exact=(16, 16))),
        )
    }
    assert len(hashes) == 7
    again = FrameNetwork("b", [levels_of(range(3, 4))], size, batch=2)
    assert again.preprocessing in hashes
    assert FrameNetwork("c", [levels_of(range(1)), levels_of(range(1))], size).weights == "w+w"


@pytest.mark.parametrize(
    ("size", "of_street", "of_small"),
    [
        (FrameSize(exact=(20, 44)), [20, 44], [20, 44]),
        (FrameSize(short_side=40), [40, 94], [40, 60]),
        (FrameSize(short_side=40, grows=False), [40, 94], [20, 30]),
    ],
)
def test_pictures_are_brought_to_their_size(
    size: FrameSize, of_street: list[int], of_small: list[int], street: Path, one_thread: None
) -> None:
    class Shape(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return torch.tensor(pixels.shape[1:3]).float().expand(len(pixels), 2)

    def first(pictures: Sequence[Pixels]) -> Pixels:
        return pictures[0]

    extractor = FrameNetwork("shape", [Branch(Shape(), 2, range(1), first, {}, "")], size)
    assert extractor.extract(street).vectors[0].tolist() == of_street
    assert extractor.extract_frames([in_memory(1)]).vectors[0].tolist() == of_small
