"""The page as a user drives it, in a browser: nothing fetched from elsewhere, and nothing on the console."""

from __future__ import annotations

import io
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from asst.cli.demo import DEMO_VIDEO
from asst.library.index import index
from asst.library.library import Library
from asst.video import cut, frames, probe
from asst.web.app import create_app
from asst.web.listening import listening, said

Pixels = npt.NDArray[np.uint8]
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@dataclass
class Seen:
    """What a browser should not have seen."""

    address: str
    library: Library
    faults: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def here(tmp_path: Path, fake: ModuleType) -> Iterator[Seen]:
    """A server of a library with two videos of colours."""
    engine = fake.FakeEngine()
    library = Library.made(tmp_path / "library", engine.identity)
    for name, colours in (("light.mp4", "rrrrggggrr"), ("sea.mp4", "bbbbbb")):
        # As browsers play it.
        stored = fake.make_video(tmp_path / "stored" / name, colours)
        cut(stored, 0, len(colours) / 2, tmp_path / name)
        assert [done.state for done in index([tmp_path / name], library, engine)] == ["indexed"]
    with listening("127.0.0.1", 0) as socket:
        server = uvicorn.Server(uvicorn.Config(create_app(library, lambda: engine), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        yield Seen(said(socket), library)
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(browser: Browser, here: Seen) -> Iterator[Page]:
    """A page of its own on the server; at the end nothing may have gone wrong."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(8000)
    opened.on("console", lambda message: here.faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: here.faults.append(str(error)))
    opened.on(
        "request",
        lambda request: (
            None if request.url.startswith((here.address, "blob:", "data:")) else here.faults.append(request.url)
        ),
    )
    opened.goto(here.address)
    opened.wait_for_selector(".card")
    yield opened
    context.close()
    assert here.faults == []


def ask(page: Page, query: str) -> None:
    page.fill("#query", query)
    page.press("#query", "Enter")
    page.wait_for_selector("body:not(.asking)")
    page.wait_for_function("() => document.querySelector('#note').textContent !== 'Looking…'")


def at_s(page: Page) -> float:
    found: float = page.evaluate("document.querySelector('video').currentTime")
    return found


def test_a_video_is_dropped_indexed_and_found(page: Page, here: Seen) -> None:
    expect(page.locator(".card .name")).to_have_text(["light.mp4", "sea.mp4"])
    page.set_input_files("#files", DEMO_VIDEO)
    expect(page.locator(".job")).to_contain_text("bikes.mp4")
    expect(page.locator(".job .state")).to_have_text("in the library", timeout=20000)
    expect(page.locator(".card .name")).to_have_text(["bikes.mp4", "light.mp4", "sea.mp4"])
    page.click(".card >> nth=0")
    expect(page.locator("#title")).to_have_text("bikes.mp4")
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    assert len(here.library.tables.videos()) == 3


def test_what_is_no_video_is_refused_in_words(page: Page, tmp_path: Path, here: Seen) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    page.set_input_files("#files", tmp_path / "notes.mp4")
    expect(page.locator(".job.failed .state")).to_contain_text("notes.mp4")
    page.click("text=Dismiss")
    expect(page.locator("#jobs")).to_be_hidden()
    # The browser itself writes the refused request on the console.
    here.faults[:] = [fault for fault in here.faults if "415" not in fault]


def test_search_words_player_and_address(page: Page) -> None:
    ask(page, "green light")
    expect(page.locator("#note")).to_have_text("1 moment")
    page.click(".card")
    expect(page.locator("#span")).to_contain_text("0:02.0 to 0:04.0")
    expect(page.locator(".curve")).to_have_count(1)
    page.wait_for_function("() => Math.abs(document.querySelector('video').currentTime - 2) < 0.2")
    expect(page.locator(".word")).to_have_text(["green", "light"])
    page.hover(".row >> nth=0")
    expect(page.locator(".looks")).to_have_count(1)
    assert "looked at most at 0:02" in (page.get_attribute(".word >> nth=0", "aria-label") or "")
    page.hover("#title")
    expect(page.locator(".looks")).to_have_count(0)
    page.click("#play")
    page.wait_for_function("() => document.querySelector('video').paused === false")
    page.wait_for_function("() => document.querySelector('video').paused === true")
    assert 1.9 < at_s(page) < 4.6
    assert "q=green+light" in page.url
    page.reload()
    expect(page.locator("#title")).to_have_text("light.mp4")
    expect(page.locator("#query")).to_have_value("green light")
    expect(page.locator("#span")).to_contain_text("0:02.0 to 0:04.0")
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()


def test_a_file_that_the_browser_cannot_play_is_shown_as_a_clip(page: Page, here: Seen, tmp_path: Path) -> None:
    fake = import_module("fake_engine")
    stored = fake.make_video(tmp_path / "old.mp4", "bbbbbbggg")
    assert [done.state for done in index([stored], here.library, fake.FakeEngine())] == ["indexed"]
    ask(page, "green")
    page.click("[aria-label^='old.mp4']")
    expect(page.locator("#instead")).to_contain_text("old.mp4")
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    page.click("#play")
    page.wait_for_function("() => document.querySelector('.playhead').getAttribute('x1') > 0")


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
    page.evaluate("document.querySelector('video').controls = false")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    width, height = page.evaluate(
        "() => { const v = document.querySelector('video'); return [v.videoWidth, v.videoHeight]; }"
    )
    seen = Image.open(io.BytesIO(page.locator("#player").screenshot())).convert("RGB")
    scale = min(seen.width / width, seen.height / height)
    left, top = (seen.width - width * scale) / 2, (seen.height - height * scale) / 2
    return np.asarray(seen.crop((round(left), round(top), round(seen.width - left), round(seen.height - top))))


def test_all_eight_orientations_are_played_upright(page: Page, here: Seen, tmp_path: Path) -> None:
    fake = import_module("fake_engine")
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


def test_a_file_whose_clock_is_ahead_is_played_at_the_moment(page: Page, here: Seen, tmp_path: Path) -> None:
    fake = import_module("fake_engine")
    colours = np.zeros((20, 64, 64, 3), dtype=np.uint8)
    for number, colour in enumerate("rrrrrrrrbbbbrrrrrrrr"):
        colours[number, ..., "rgb".index(colour)] = 255
    path = write(tmp_path / "late.mp4", list(colours), first=6)
    assert probe(path).start_s == pytest.approx(3.0)
    assert [done.state for done in index([path], here.library, fake.FakeEngine())] == ["indexed"]
    ask(page, "blue")
    page.click(".card:has-text('late.mp4')")
    expect(page.locator("#span")).to_contain_text("0:04.0 to 0:06.0")
    assert corners(shown(page)) == "bbbb"
    page.click("#play")
    page.wait_for_function("() => document.querySelector('video').paused === false")
    assert corners(shown(page)) == "bbbb"
    page.wait_for_function("() => document.querySelector('video').paused === true")
    assert at_s(page) == pytest.approx(9.0, abs=0.5)


def test_nothing_found_is_said_with_the_score(page: Page) -> None:
    page.click(".card >> nth=1")
    page.click("#only")
    ask(page, "green")
    expect(page.locator("#note")).to_have_text(re.compile(r"^Nothing found\."))
    expect(page.locator(".card")).to_have_count(0)
    page.click("#scope")
    expect(page.locator("#note")).to_have_text("1 moment")


def test_an_end_is_dragged_saved_and_taken_back(page: Page, here: Seen) -> None:
    ask(page, "green light")
    page.click(".card")
    end = page.locator("[data-end=end]")
    expect(end).to_have_attribute("aria-valuenow", "4.0")
    page.wait_for_selector(".word")
    box = page.locator("#timeline svg").bounding_box()
    assert box is not None
    y = box["y"] + 50
    page.mouse.move(box["x"] + box["width"] * 0.8, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, y, steps=4)
    page.mouse.up()
    expect(page.locator("#undo")).to_have_text("Undo new ends")
    expect(page.locator("#span")).to_contain_text("0:02.0 to 0:04.5")
    (kept,) = corrections(here)
    assert (kept.verdict, kept.query, kept.start_s) == ("span", "green light", 2.0)
    assert kept.end_s == pytest.approx(4.5, abs=0.05)
    assert kept.proposed is not None
    assert kept.proposed[:2] == (2.0, 4.0)
    page.reload()
    expect(page.locator("#span")).to_contain_text("0:02.0 to 0:04.5")
    page.click("#undo")
    expect(page.locator("#span")).to_contain_text("0:02.0 to 0:04.0")
    expect(page.locator("#undo")).to_be_hidden()
    assert corrections(here) == []


def corrections(here: Seen):  # type: ignore[no-untyped-def]
    from asst.library.corrections import Corrections

    return Corrections(here.library).all()


@pytest.mark.parametrize("fast", [False, True])
def test_a_clip_is_saved(page: Page, tmp_path: Path, fast: bool) -> None:
    ask(page, "green light")
    page.click(".card")
    expect(page.locator("#span")).to_contain_text("0:02.0")
    if fast:
        page.check("#fast")
    with page.expect_download() as coming:
        page.click("#clip")
    assert coming.value.suggested_filename == "light 0m02.00s-0m04.00s.mp4"
    coming.value.save_as(tmp_path / "clip.mp4")
    assert probe(tmp_path / "clip.mp4").duration_s >= 1.9


def test_everything_with_the_keyboard_alone(page: Page, here: Seen) -> None:
    page.keyboard.press("/")
    page.keyboard.type("red")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_have_text("2 moments")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".card >> nth=0")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator(".curve")).to_have_count(1)
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video').paused === false")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video').paused === true")
    page.keyboard.press("r")
    expect(page.locator("#right")).to_have_attribute("aria-pressed", "true")
    page.focus("[data-end=start]")
    before = float(page.get_attribute("[data-end=start]", "aria-valuenow") or "")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-end=start]")).to_have_attribute("aria-valuenow", f"{before + 0.2:.1f}")
    expect(page.locator("[data-end=start]")).to_be_focused()
    expect(page.locator("#undo")).to_have_text("Undo new ends")
    with page.expect_download():
        page.keyboard.press("c")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator(".card >> nth=0")).to_be_focused()


def test_every_control_has_a_name(page: Page) -> None:
    ask(page, "green light")
    page.click(".card")
    page.wait_for_selector(".word")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, a, input, [role=slider], canvas:not([aria-hidden])')]
            .filter(e => !e.hidden && e.offsetParent !== null)
            .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))
            .map(e => e.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize("width", [360, 768])
def test_it_fits_a_narrow_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ask(page, "green light")
        page.click(".card")
        page.wait_for_selector(".word")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Page, scheme: str) -> None:
    """A contrast of 4.5 at least, as WCAG's AA asks for text."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    ask(page, "green light")
    page.click(".card")
    page.wait_for_selector(".word")
    page.wait_for_timeout(300)
    weak = page.evaluate(
        """() => {
            const channels = (text) => text.match(/[\\d.]+/g).map(Number);
            const light = (c) => c.slice(0, 3).map(v => v / 255)
                .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
            const ground = (e) => {
                for (let at = e; at; at = at.parentElement) {
                    const c = channels(getComputedStyle(at).backgroundColor);
                    if (c.length < 4 || c[3] > 0.5) return c;
                }
                return [255, 255, 255];
            };
            return [...document.querySelectorAll('h1, h2, h3, p, span, button, a, dd, dt')]
                .filter(e => e.offsetParent !== null && e.childNodes.length && e.textContent.trim() && !e.disabled)
                .map(e => {
                    const [a, b] = [light(channels(getComputedStyle(e).color)), light(ground(e))];
                    return [e.textContent.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
                })
                .filter(([, contrast]) => contrast < 4.5);
        }"""
    )
    assert weak == []
