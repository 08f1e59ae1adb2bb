"""The picture: every file upright, at the moment, and as a clip where the browser cannot play the file."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from asst.library.index import index
from asst.video import frames, probe

Ask = Callable[[Page, str], None]
Pixels = npt.NDArray[np.uint8]


def test_a_file_that_the_browser_cannot_play_is_shown_as_a_clip(
    page: Page, here: Any, tmp_path: Path, fake: ModuleType, ask: Ask
) -> None:
    stored = fake.make_video(tmp_path / "old.mp4", "bbbbbbggg")
    assert [done.state for done in index([stored], here.library, fake.FakeEngine())] == ["indexed"]
    ask(page, "green")
    page.click("[aria-label^='old.mp4']")
    expect(page.locator("#instead")).to_contain_text("old.mp4")
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    page.click("#play")
    page.wait_for_function("() => parseFloat(document.querySelector('.playhead').style.left) > 0")


def test_a_file_of_which_the_browser_knows_the_sound_alone_is_shown_as_a_clip(
    page: Page, here: Any, make: Callable[..., Path], fake: ModuleType
) -> None:
    stored = make("heard.mp4", codec="mpeg4", beep_s=(0.5, 1.0))
    assert [done.state for done in index([stored], here.library, fake.FakeEngine())] == ["indexed"]
    page.goto(here.address)
    page.click("[aria-label^='heard.mp4']")
    expect(page.locator("#instead")).to_contain_text("heard.mp4")
    page.wait_for_function("() => document.querySelector('video').videoWidth > 0")


def write(path: Path, pictures: list[Pixels], first: int = 0, turned: tuple[int, bool] = (0, False)) -> Path:
    """A video that browsers play, of two pictures a second from the ``first`` half second on."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=2)
        stream.height, stream.width, _ = pictures[0].shape
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(90 * turned[0], hflip=turned[1])
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = first + number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def corners(pixels: Pixels) -> str:
    """The colours of the corners, row by row."""
    height, width, _ = pixels.shape
    inside = [pixels[y, x].astype(int) for y in (height // 4, -height // 4) for x in (width // 4, -width // 4)]
    return "".join("rgb"[int(one.argmax())] if one.max() > 100 else "k" for one in inside)


def shown(page: Page) -> Pixels:
    """What the player has on the screen, without its controls and what is beside the picture."""
    page.wait_for_function(
        "() => { const v = document.querySelector('video'); return v.readyState > 1 && !v.seeking; }"
    )
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    width, height = page.evaluate(
        "() => { const v = document.querySelector('video'); return [v.videoWidth, v.videoHeight]; }"
    )
    seen = Image.open(io.BytesIO(page.locator("#player").screenshot())).convert("RGB")
    scale = min(seen.width / width, seen.height / height)
    left, top = (seen.width - width * scale) / 2, (seen.height - height * scale) / 2
    return np.asarray(seen.crop((round(left), round(top), round(seen.width - left), round(seen.height - top))))


def test_all_eight_orientations_are_played_upright(
    page: Page, here: Any, tmp_path: Path, fake: ModuleType, ask: Ask
) -> None:
    quarters = np.zeros((96, 128, 3), dtype=np.uint8)
    quarters[:48, :64, 0] = quarters[:48, 64:, 1] = quarters[48:, :64, 2] = 255
    turned = [
        write(tmp_path / f"{turns}{mirrored}.mp4", [quarters] * 2, turned=(turns, mirrored))
        for turns, mirrored in product(range(4), (False, True))
    ]
    assert {done.state for done in index(turned, here.library, fake.FakeEngine())} == {"indexed"}
    page.reload()
    upright = set()
    for path in turned:
        (video,) = here.library.tables.videos(path=str(path))
        page.click(f".card:has-text('{path.name}')")
        page.wait_for_function("id => document.querySelector('video').currentSrc.includes(id)", arg=video.content)
        decoded = corners(next(frames(path)).pixels[0])
        assert corners(shown(page)) == decoded, path.name
        upright.add(decoded)
    assert len(upright) == 8


def test_a_file_whose_clock_is_ahead_is_played_at_the_moment(
    page: Page, here: Any, tmp_path: Path, fake: ModuleType, ask: Ask
) -> None:
    colours = np.zeros((20, 64, 64, 3), dtype=np.uint8)
    for number, colour in enumerate("rrrrrrrrbbbbrrrrrrrr"):
        colours[number, ..., "rgb".index(colour)] = 255
    path = write(tmp_path / "late.mp4", list(colours), first=6)
    assert probe(path).start_s == pytest.approx(3.0)
    assert [done.state for done in index([path], here.library, fake.FakeEngine())] == ["indexed"]
    ask(page, "blue")
    page.click("[aria-label^='late.mp4']")
    expect(page.locator("#start")).to_have_value("0:04.000")
    expect(page.locator("#end")).to_have_value("0:06.000")
    assert corners(shown(page)) == "bbbb"
    page.click("#play")
    page.wait_for_function("() => document.querySelector('video').paused === false")
    assert corners(shown(page)) == "bbbb"
    page.wait_for_function("() => document.querySelector('video').paused === true")
    assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(9.0, abs=0.5)
