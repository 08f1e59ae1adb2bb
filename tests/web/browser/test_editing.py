"""The ends of a moment: dragged, set, typed and stepped; what is said of it; what is kept of that."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from asst.library.corrections import Correction, Corrections
from asst.outputs.editors.edits import drops, frame_number
from asst.video import probe
from asst.web import videos

Ask = Callable[[Page, str], None]


def kept(here: Any) -> list[Correction]:
    return Corrections(here.library).all()


def drag(page: Page, end: str, to: float, *, let_go: bool = True) -> None:
    """Drags an end to a share of the timeline."""
    handle, inner = (page.locator(where).bounding_box() for where in (f"[data-end={end}]", ".inner"))
    assert handle is not None
    assert inner is not None
    y = handle["y"] + handle["height"] / 2
    page.mouse.move(handle["x"] + handle["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(inner["x"] + inner["width"] * to, y, steps=4)
    if let_go:
        page.mouse.up()


def set_end(page: Page, end: str, text: str) -> None:
    """Types an end."""
    page.fill(f"#{end}", text)
    page.press(f"#{end}", "Enter")


def shows(page: Page, at_s: float) -> None:
    """Waits until the picture of an instant is shown."""
    page.wait_for_function(
        "at => { const v = document.querySelector('video'); return !v.seeking && Math.abs(v.currentTime - at) < 0.3; }",
        arg=at_s,
    )


def test_an_end_is_dragged_kept_and_taken_back(page: Page, here: Any, ask: Ask) -> None:
    ask(page, "green light")
    page.click(".card")
    page.wait_for_selector(".word")
    shows(page, 2)
    score = float(page.inner_text("#rated").split()[-1])
    drag(page, "end", 0.9, let_go=False)
    # The picture follows, to the last one that is inside; the score is that of the new ends.
    shows(page, 4.25)
    assert float(page.inner_text("#rated").split()[-1]) < score - 0.1
    page.mouse.up()
    expect(page.locator("#said")).to_have_text("Kept: your ends, as right.")
    expect(page.locator("#end")).to_have_value("0:04.500")
    assert "t=2.000-4.500" in page.url
    expect(page.locator(".card .when")).to_have_text("0:02.0 to 0:04.5")
    expect(page.locator(".card .state")).to_have_text("Your ends")
    (own,) = kept(here)
    assert (own.verdict, own.query, own.start_s, own.end_s) == ("span", "green light", 2.0, 4.5)
    assert own.proposed is not None
    assert own.proposed[:2] == (2.0, 4.0)
    # Whoever asks again gets the user's ends, surest of all.
    page.reload()
    expect(page.locator("#end")).to_have_value("0:04.500")
    expect(page.locator(".card[aria-current] .when")).to_have_text("0:02.0 to 0:04.5")
    assert page.inner_text("#rated").split()[-1] == "1.00"
    page.click("#undo")
    expect(page.locator("#end")).to_have_value("0:04.000")
    expect(page.locator(".card .when")).to_have_text("0:02.0 to 0:04.0")
    expect(page.locator("#undo")).to_be_hidden()
    assert kept(here) == []
    # Wrong pressed at once after the end was moved: nothing of it stays as right.
    page.focus("[data-end=end]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("w")
    expect(page.locator(".card .state")).to_have_text("Wrong")
    expect(page.locator("#end")).to_have_value("0:04.000")
    drag(page, "start", 0.5)
    page.keyboard.press("w")
    page.wait_for_timeout(900)
    expect(page.locator("#wrong")).to_have_attribute("aria-pressed", "true")
    assert [(own.verdict, own.start_s, own.end_s) for own in kept(here)] == [("wrong", 2.0, 4.0)]
    assert page.request.get(f"{here.address}api/corrections.jsonl").text() == ""


def test_everything_with_the_keyboard_alone(page: Page, here: Any) -> None:
    press = page.keyboard.press
    press("/")
    page.keyboard.type("red")
    press("Enter")
    expect(page.locator("#note")).to_have_text("2 found")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"):
        press(key)
    expect(page.locator(".card >> nth=0")).to_be_focused()
    press("x")
    expect(page.locator("#picked")).to_have_text("1 moment of 1 video, 0:02.0")
    press("Enter")
    # From a result to its ends there is no step between.
    expect(page.locator("[data-end=start]")).to_be_focused()
    expect(page.locator(".curve")).to_have_count(1)
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    press("Space")
    page.wait_for_function("() => document.querySelector('video').paused === false")
    press("Space")
    page.wait_for_function("() => document.querySelector('video').paused === true")
    press("ArrowRight")
    press("ArrowRight")
    expect(page.locator("#start")).to_have_value("0:01.000")
    expect(page.locator("#said")).to_have_text("Kept: your ends, as right.")
    press("Tab")
    expect(page.locator("[data-end=end]")).to_be_focused()
    press("ArrowLeft")
    expect(page.locator("#end")).to_have_value("0:01.500")
    press("u")
    expect(page.locator("#start")).to_have_value("0:00.000")
    press("r")
    expect(page.locator("#right")).to_have_attribute("aria-pressed", "true")
    # Pictures one by one, ends at them, faster and slower.
    page.focus("#title")
    page.evaluate("document.querySelector('video').currentTime = 0.1")
    press("ArrowRight")
    shows(page, 0.75)
    press("i")
    expect(page.locator("#start")).to_have_value("0:00.500")
    press("Shift+ArrowRight")
    shows(page, 1.75)
    press("o")
    expect(page.locator("#end")).to_have_value("0:02.000")
    press("l")
    press("l")
    expect(page.locator("#speed")).to_have_text("2\N{MULTIPLICATION SIGN}")
    assert page.evaluate("document.querySelector('video').playbackRate") == 2
    press("k")
    page.wait_for_function("() => document.querySelector('video').paused === true")
    page.evaluate("document.querySelector('video').currentTime = 4")
    press("j")
    page.wait_for_function("() => document.querySelector('video').currentTime < 3.8")
    press("k")
    page.wait_for_function("() => !document.querySelector('video').seeking")
    stopped = page.inner_text("#now")
    expect(page.locator("#speed")).to_have_text("")
    press("+")
    assert float(page.evaluate("parseFloat(document.querySelector('.inner').style.width)")) == pytest.approx(200)
    press("-")
    assert page.inner_text("#now") == stopped
    with page.expect_download():
        press("c")
    press("?")
    expect(page.locator("#help")).to_be_visible()
    press("Escape")
    press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator(".card >> nth=0")).to_be_focused()
    assert [own.verdict for own in kept(here)] == ["span"]


def test_a_time_code_is_read_and_written_as_an_edl_counts(page: Page, here: Any) -> None:
    page.goto(here.address)
    rates = [Fraction(25), Fraction(30), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)]
    texts = ["00:00:03:01", "01:00:00:00", "00:01:00;02", "01:09:59;23", "00:10:00;00", "00:00:01:30", "00:00:01:60"]
    first = 90_000
    both = """asked => import('/static/clock.js').then(({read, code}) => asked.map(([text, count]) => {
        const at_s = read(text, count);
        return [at_s, at_s === null ? "" : code(Math.round(at_s * count.rate), count)];
    }))"""
    drop = [";" in text and drops(rate) for text, rate in product(texts, rates)]
    counts = [
        {"first_frame": first, "rate": float(rate), "drop_frame": own}
        for (_, rate), own in zip(product(texts, rates), drop, strict=True)
    ]
    asked = [[text, count] for (text, _), count in zip(product(texts, rates), counts, strict=True)]
    for (text, rate), own, (at_s, again) in zip(product(texts, rates), drop, page.evaluate(both, asked), strict=True):
        number = frame_number(text, rate)
        assert at_s == (None if number is None else pytest.approx(float((number - first) / rate), abs=1e-6)), (
            text,
            rate,
        )
        # Another text for a number that is left out.
        assert (frame_number(again, rate), ";" in again) == (number, own and number is not None), (text, rate)


def test_ends_are_typed_and_the_moment_is_played_again_and_again(page: Page, ask: Ask) -> None:
    ask(page, "green light")
    page.click(".card")
    expect(page.locator("#end")).to_have_value("0:04.000")
    set_end(page, "end", "00:00:03:12")
    expect(page.locator("#end")).to_have_value("0:03.500")
    expect(page.locator("#length")).to_have_text("1.500 s")
    set_end(page, "start", "soon")
    expect(page.locator("#fault")).to_contain_text("“soon” is no time")
    expect(page.locator("#start")).to_have_value("0:02.000")
    page.fill("#start", "0:03")
    page.press("#start", "Tab")
    expect(page.locator("#start")).to_have_value("0:03.000")
    expect(page.locator("#fault")).to_be_hidden()
    # A moment that would be turned round is moved as a whole; what is outside the video is no time of it.
    set_end(page, "start", "0:04.5")
    expect(page.locator("#end")).to_have_value("0:05.000")
    set_end(page, "end", "0:02")
    expect(page.locator("#start")).to_have_value("0:01.500")
    for end, text in (("start", "0:05"), ("end", "0:06"), ("end", "0:00")):
        set_end(page, end, text)
        expect(page.locator("#fault")).to_contain_text(f"“{text}” is no time of this video")
    set_end(page, "end", "0:03.5")
    expect(page.locator("#fault")).to_be_hidden()
    expect(page.locator("#length")).to_have_text("2.000 s")
    page.check("#loop")
    page.click("#play")
    jumps = page.evaluate(
        """() => new Promise(done => {
            const video = document.querySelector('video');
            let [last, jumps] = [0, 0];
            const look = () => {
                if (video.currentTime < last - 0.2 && ++jumps === 2) done(jumps);
                last = video.currentTime;
                requestAnimationFrame(look);
            };
            look();
        })"""
    )
    assert jumps == 2
    page.click("#toggle")
    page.wait_for_function("() => document.querySelector('video').paused === true")


def test_a_time_code_that_is_typed_at_once_waits_for_the_frame_rate(page: Page, ask: Ask) -> None:
    held: list[Route] = []
    page.route(re.compile(r"/api/videos/[^/?]+$"), lambda route: held.append(route))
    ask(page, "green light")
    page.click(".card")
    set_end(page, "end", "00:00:03:12")
    # The first is asked for when the moment is opened.
    page.wait_for_timeout(200)
    held[0].continue_()
    expect(page.locator("#end")).to_have_value("0:03.500")


def test_a_files_own_time_code_is_shown_and_typed(page: Page, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "probe", lambda path: replace(probe(path), time_code="10:00:00:00"))
    ask(page, "green light")
    page.click(".card")
    # Of a video of two pictures a second a timeline counts 24.
    expect(page.locator("#codes")).to_have_text("10:00:02:00 to 10:00:04:00")
    expect(page.locator("#code")).to_have_text("10:00:02:00")
    set_end(page, "end", "10:00:03:12")
    expect(page.locator("#end")).to_have_value("0:03.500")
    expect(page.locator("#codes")).to_have_text("10:00:02:00 to 10:00:03:12")
    set_end(page, "end", "00:00:03:00")
    expect(page.locator("#fault")).to_contain_text("or a time code, 10:00:00:00 to 10:00:05:00")
    expect(page.locator("#end")).to_have_value("0:03.500")


def test_what_another_tab_took_back_is_taken_back_and_said_anew(page: Page, here: Any, ask: Ask) -> None:
    ask(page, "blue")
    page.click(".card")
    page.click("#right")
    expect(page.locator("#said")).to_have_text("Kept: this is right.")
    (own,) = kept(here)
    page.request.delete(f"{here.address}api/corrections/{own.id}")
    page.click("#undo")
    expect(page.locator("#undo")).to_be_hidden()
    expect(page.locator("#fault")).to_be_hidden()
    # The console says that what is to be forgotten was not there.
    assert all("404" in fault for fault in here.faults)
    here.faults.clear()


def test_nothing_of_the_timeline_lies_outside_it(page: Page, ask: Ask) -> None:
    ask(page, "red light")
    page.click(".card")
    page.wait_for_selector(".curve")
    page.wait_for_function("() => document.querySelector('.film img').complete")
    for by in (1, 2, 4):
        if by > 1:
            page.click("[aria-label='Closer (+)']")
        # What can be seen of a line is what its box shares with the boxes that cut it off.
        outside = page.evaluate(
            """() => {
                const bounds = document.querySelector('#detail').getBoundingClientRect();
                return [...document.querySelectorAll('.curve, .under, .threshold, .film img, .other')].filter(e => {
                    let box = e.getBoundingClientRect(), [left, right] = [box.left, box.right];
                    for (let at = e.parentElement; at.id !== 'detail'; at = at.parentElement) {
                        if (getComputedStyle(at).overflowX === 'visible') continue;
                        box = at.getBoundingClientRect();
                        [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
                    }
                    return left < right && (left < bounds.left - 10 || right > bounds.right + 10);
                }).map(e => e.getAttribute('class'));
            }"""
        )
        assert outside == []
    assert page.locator(".film img").count() == 8
    # The curve ends with the pictures; what is beside them is for the handles.
    shown = page.evaluate(
        """() => {
            const { right } = document.querySelector('.window').getBoundingClientRect();
            const { top } = document.querySelector('.graph').getBoundingClientRect();
            return [4, 14].map(by => document.elementFromPoint(right - by, top + 28).closest('.scrub') !== null);
        }"""
    )
    assert shown == [False, True]
    page.click("[aria-label='The whole video']")
    expect(page.locator(".film img")).to_have_count(1)
    handle = page.locator("[data-end=start]").bounding_box()
    assert handle is not None
    at = [handle["x"] + 2, handle["y"] + handle["height"] / 2]
    assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).dataset.end", at) == "start"
    assert "counts as found" in page.inner_text(".legend")
    # A press on the timeline leads there.
    inner = page.locator(".inner").bounding_box()
    assert inner is not None
    page.mouse.click(inner["x"] + inner["width"] * 0.9, inner["y"] + 20)
    shows(page, 4.5)
