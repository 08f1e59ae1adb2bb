"""The library through the page: what comes in, is looked for, is sorted and goes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from playwright.sync_api import Page, expect

Ask = Callable[[Page, str], None]


def test_several_files_come_in_under_their_names_and_go_again(
    page: Page, here: Any, fake: ModuleType, tmp_path: Path
) -> None:
    names = page.locator(".card .name")
    expect(names).to_have_text(["light.mp4", "sea.mp4"])
    expect(page.locator("#note")).to_have_text("2 videos, 8 s")
    files = [
        fake.make_video(tmp_path / name, colours) for name, colours in (("#1 [a] 🎬.mp4", "gg"), ("b.mp4", "rrrr"))
    ]
    page.set_input_files("#files", files)
    expect(names).to_have_text(["#1 [a] 🎬.mp4", "b.mp4", "light.mp4", "sea.mp4"], timeout=20000)
    expect(page.locator("#note")).to_have_text("4 videos, 11 s")
    page.select_option("#sort", "longest")
    expect(names).to_have_text(["light.mp4", "sea.mp4", "b.mp4", "#1 [a] 🎬.mp4"])
    assert "s=longest" in page.url
    page.fill("#filter", "B.MP")
    expect(names).to_have_text(["b.mp4"])
    expect(page.locator("#note")).to_have_text("1 video, 2 s")
    for press, left in (("Keep", 4), ("Remove", 3)):
        page.hover(".videos li >> nth=0")
        page.click("[aria-label='Remove b.mp4']")
        expect(page.locator("#confirm-text")).to_contain_text("the file is deleted too")
        page.locator("#confirm").get_by_role("button", name=press).click()
        expect(page.locator("#confirm")).to_be_hidden()
        page.wait_for_timeout(100)
        assert len(here.library.tables.videos()) == left
    expect(page.locator("#note")).to_have_text("No video has this in its name.")
    page.fill("#filter", "")
    expect(names).to_have_text(["light.mp4", "sea.mp4", "#1 [a] 🎬.mp4"])
    page.click(".card >> nth=0")
    page.click("#remove")
    expect(page.locator("#confirm-text")).to_contain_text("The file itself stays")
    page.locator("#confirm").get_by_role("button", name="Remove").click()
    expect(page.locator("#detail")).to_be_hidden()
    expect(names).to_have_text(["sea.mp4", "#1 [a] 🎬.mp4"])


def test_what_is_no_video_is_refused_in_words(page: Page, tmp_path: Path, here: Any) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    page.set_input_files("#files", tmp_path / "notes.mp4")
    expect(page.locator(".job.failed .state")).to_contain_text("notes.mp4")
    page.click("text=Dismiss")
    expect(page.locator("#jobs")).to_be_hidden()
    # The browser itself writes the refused request on the console.
    here.faults[:] = [fault for fault in here.faults if "415" not in fault]


def test_how_long_indexing_still_takes_is_said(
    serve: Callable[..., Any], visit: Callable[..., Page], fake: ModuleType, tmp_path: Path
) -> None:
    go_on = threading.Event()

    class Halfway(fake.FakeExtractor):  # type: ignore[misc, name-defined]
        def extract(self, video: Path, *, progress: Callable[[float, float], None]) -> Any:
            if video.name == "slow.mp4":
                progress(1.0, 50.0)
                go_on.wait(10)
            return super().extract(video, progress=progress)

    engine = fake.FakeEngine()
    engine.extractor = Halfway()
    page = visit(serve(engine))
    page.set_input_files("#files", fake.make_video(tmp_path / "slow.mp4", "gggg"))
    expect(page.locator(".job .name")).to_have_text("slow.mp4")
    expect(page.locator(".job .state")).to_have_text(re.compile(r"^Indexing 2 %, \d+ s left$"))
    go_on.set()
    expect(page.locator(".job .state")).to_have_text("in the library")
