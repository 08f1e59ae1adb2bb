"""What is taken away: clips, and the moments of several videos that were selected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from asst.video import probe

Ask = Callable[[Page, str], None]


def test_moments_of_several_videos_and_searches_are_exported(page: Page, here: Any, tmp_path: Path, ask: Ask) -> None:
    ask(page, "green light")
    page.hover(".moment")
    page.check(".pick input")
    page.click(".card")
    expect(page.locator("#pick")).to_have_attribute("aria-pressed", "true")
    # A selected moment goes with its new ends.
    page.fill("#end", "3.5")
    page.press("#end", "Enter")
    expect(page.locator("#picked")).to_have_text("1 moment of 1 video, 0:01.5")
    ask(page, "blue sea")
    page.hover(".moment")
    page.check(".pick input")
    page.reload()
    expect(page.locator("#picked")).to_have_text("2 moments of 2 videos, 0:04.5")
    page.select_option("#format", "srt")
    page.click("#export")
    fault = "subtitles are of one video, and these moments lie in 2; take those of one, or write .csv or .otio"
    expect(page.locator("#fault")).to_have_text(fault)
    here.faults[:] = [fault for fault in here.faults if "422" not in fault]
    texts = {}
    for form in ("csv", "edl", "fcpxml", "otio", "mp4"):
        page.select_option("#format", form)
        with page.expect_download() as coming:
            page.click("#export")
        assert coming.value.suggested_filename == f"moments.{form}"
        coming.value.save_as(tmp_path / f"moments.{form}")
        texts[form] = (tmp_path / f"moments.{form}").read_bytes()
        expect(page.locator("#fault")).to_be_hidden()
    rows = texts["csv"].decode().splitlines()
    assert ["green light" in rows[1], "blue sea" in rows[2], len(rows)] == [True, True, 3]
    assert ",2.0,3.5," in rows[1]
    assert probe(tmp_path / "moments.mp4").duration_s == pytest.approx(4.5, abs=0.1)
    expect(page.locator("#export")).to_have_text("Export")
    page.click("#picked")
    page.click("#picked-list li >> nth=0 >> text=Remove")
    expect(page.locator("#picked")).to_have_text("1 moment of 1 video, 0:03.0")
    expect(page.locator(".pick input")).to_be_checked()
    page.click("#unpick")
    expect(page.locator("#picks")).to_be_hidden()
    expect(page.locator(".pick input")).not_to_be_checked()


def test_a_clip_is_saved(page: Page, tmp_path: Path, ask: Ask) -> None:
    ask(page, "green light")
    page.click(".card")
    expect(page.locator("#start")).to_have_value("0:02.000")
    for _ in ("exact", "fast"):
        with page.expect_download() as coming:
            page.click("#clip")
        assert coming.value.suggested_filename == "light 0m02.00s-0m04.00s.mp4"
        coming.value.save_as(tmp_path / "clip.mp4")
        assert probe(tmp_path / "clip.mp4").duration_s >= 1.9
        page.check("#fast")


def test_a_span_of_a_video_is_cut_without_a_sentence(page: Page) -> None:
    page.click(".card >> nth=0")
    expect(page.locator(".verdict")).to_be_hidden()
    page.fill("#end", "2")
    page.press("#end", "Enter")
    page.click("#pick")
    page.fill("#start", "1")
    page.press("#start", "Enter")
    expect(page.locator("#picked")).to_have_text("1 moment of 1 video, 0:01.0")
    with page.expect_download() as coming:
        page.click("#clip")
    assert coming.value.suggested_filename == "light 0m01.00s-0m02.00s.mp4"


def test_why_a_clip_cannot_be_saved_is_said(page: Page, here: Any, ask: Ask) -> None:
    ask(page, "green light")
    page.click(".card")
    page.check("#fast")
    (video,) = [one for one in here.library.tables.videos() if one.path.endswith("light.mp4")]
    path = Path(video.path)
    path.rename(path.with_suffix(".moved"))
    try:
        page.click("#clip")
        expect(page.locator("#fault")).to_contain_text("light.mp4 is no longer where it was indexed")
        expect(page.locator("#clip")).to_have_text("Save clip")
    finally:
        path.with_suffix(".moved").rename(path)
    here.faults.clear()
