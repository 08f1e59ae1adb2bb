"""What is asked and found: the list, the words of it, the address, and searches that are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from asst.moments import confidence, format_time

Ask = Callable[[Page, str], None]


@pytest.fixture
def unsure(fake: ModuleType) -> Any:
    """A model whose scores are probabilities, and low for what comes late."""

    class Unsure(fake.FakeEngine):  # type: ignore[misc, name-defined]
        def _ranking(self, *given: Any) -> Any:
            ranking = super()._ranking(*given)
            scores = [own.score if own.start_s < 1 else 0.4 if own.start_s < 3 else 0.1 for own in ranking.moments]
            moments = [
                replace(own, score=score, confidence=confidence(score))
                for own, score in zip(ranking.moments, scores, strict=True)
            ]
            return replace(ranking, moments=tuple(sorted(moments, key=lambda own: -own.score)))

    return Unsure()


def test_a_moment_its_words_its_player_and_its_address(page: Page, ask: Ask) -> None:
    ask(page, "green light")
    expect(page.locator("#note")).to_have_text("1 found")
    expect(page.locator(".group .name")).to_have_text("light.mp4")
    page.click(".card")
    expect(page.locator("#start")).to_have_value("0:02.000")
    expect(page.locator("#end")).to_have_value("0:04.000")
    expect(page.locator(".curve")).to_have_count(1)
    page.wait_for_function("() => Math.abs(document.querySelector('video').currentTime - 2) < 0.2")
    # Of words only those are shown that were looked at unevenly; "light" is none.
    expect(page.locator(".word")).to_have_text([re.compile("^green 0:0[23]")])
    page.hover(".word >> nth=0")
    expect(page.locator(".looks.on")).to_have_count(1)
    assert "green: looked at most at 0:0" in (page.get_attribute(".word >> nth=0", "aria-label") or "")
    page.hover("#title")
    expect(page.locator(".looks.on")).to_have_count(0)
    # The count of seconds goes with the picture.
    before = page.inner_text("#now")
    page.click("#play")
    page.wait_for_function("() => document.querySelector('video').paused === false")
    page.wait_for_function("before => document.querySelector('#now').textContent !== before", arg=before)
    page.wait_for_function("() => document.querySelector('video').paused === true")
    assert 3.4 < page.evaluate("document.querySelector('video').currentTime") < 4.6
    assert "q=green+light" in page.url
    assert "t=2.000-4.000" in page.url
    page.reload()
    expect(page.locator("#title")).to_have_text("light.mp4")
    expect(page.locator("#query")).to_have_value("green light")
    expect(page.locator("#start")).to_have_value("0:02.000")
    expect(page.locator(".card[aria-current]")).to_have_count(1)
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()
    assert page.url.endswith("/?q=green+light")
    assert page.title() == "green light: asst"
    page.go_forward()
    expect(page.locator("#title")).to_have_text("light.mp4")
    page.goto(re.sub("t=.*", "t=100-200", page.url))
    expect(page.locator("#start")).to_have_value("0:00.000")


def test_the_address_follows_every_moment_that_is_opened(page: Page, ask: Ask) -> None:
    ask(page, "red light")
    expect(page.locator("#note")).to_have_text("2 found")
    page.click(".card >> nth=0")
    expect(page.locator("#place")).to_have_text("1 of 2")
    first = page.url
    # The other moment lies under the timeline, not over it.
    graph, other = (page.locator(where).bounding_box() for where in (".graph", ".other"))
    assert graph is not None
    assert other is not None
    assert other["y"] >= graph["y"] + graph["height"]
    page.click(".other")
    expect(page.locator("#place")).to_have_text("2 of 2")
    assert page.url != first
    expect(page.locator(".card >> nth=1")).to_have_attribute("aria-current", "true")
    page.click("#previous")
    expect(page.locator("#place")).to_have_text("1 of 2")
    assert page.url == first
    page.go_back()
    page.reload()
    expect(page.locator("#place")).to_have_text("2 of 2")
    expect(page.locator(".card >> nth=1")).to_have_attribute("aria-current", "true")


def test_sure_first_and_weaker_folded(
    serve: Callable[..., Any], visit: Callable[..., Page], ask: Ask, unsure: Any
) -> None:
    page = visit(serve(unsure))
    ask(page, "red light")
    expect(page.locator("#note")).to_have_text("1 found, 1 weaker")
    expect(page.locator(".badge")).to_have_text(["Sure"])
    assert (page.get_attribute(".badge", "title") or "").startswith("Score 0.8")
    expect(page.locator(".moment")).to_have_count(1)
    page.click("text=Show 1 weaker")
    expect(page.locator(".badge")).to_have_text(["Sure", "Weak"])
    page.click(".card >> nth=1")
    expect(page.locator("#rated")).to_have_text("Weak 0.10")
    page.reload()
    # A link to a weak one unfolds the rest.
    expect(page.locator(".card >> nth=1")).to_have_attribute("aria-current", "true")
    page.click("text=Hide weaker")
    expect(page.locator(".moment")).to_have_count(1)
    page.select_option("#sort", "time")
    expect(page.locator(".moment")).to_have_count(1)


def test_the_word_and_the_number_of_a_score_agree(page: Page, here: Any) -> None:
    page.goto(here.address)
    said = page.evaluate(
        """async () => {
            const score = await import("/static/score.js");
            score.setScale({ sure: 0.75, likely: 0.5 });
            return [0.4999, 0.7451, 0.5].map(score.inWords);
        }"""
    )
    assert said == ["weak, score 0.49", "likely, score 0.74", "likely, score 0.50"]


def test_more_is_offered_only_where_it_would_be_seen(
    serve: Callable[..., Any], visit: Callable[..., Page], ask: Ask, unsure: Any
) -> None:
    def repeated(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        found["moments"] += found["moments"][-1:] * 58
        route.fulfill(response=answer, json=found)

    page = visit(serve(unsure))
    page.route("**/api/search", repeated)
    ask(page, "red light")
    expect(page.locator("#note")).to_have_text("1 found, 59 weaker")
    expect(page.locator("#more")).to_be_hidden()
    page.click("#weaker")
    expect(page.locator("#more")).to_be_visible()


def test_nothing_found_and_what_is_not_there_are_said(page: Page, here: Any, ask: Ask) -> None:
    page.click(".card >> nth=1")
    page.click("#only")
    ask(page, "green")
    expect(page.locator("#note")).to_have_text(re.compile(r"^Nothing found\."))
    expect(page.locator(".card")).to_have_count(0)
    page.click("#scope")
    expect(page.locator("#note")).to_have_text("1 found")
    page.fill("#filter", "SEA")
    expect(page.locator("#note")).to_have_text(re.compile(r"^Nothing found\."))
    assert "f=SEA" in page.url
    page.goto(f"{here.address}?q=green&v={'0' * 64}")
    expect(page.locator("#fault")).to_have_text(re.compile("leads to a video that is not here"))
    expect(page.locator("#note")).to_have_text("1 found")
    assert "v=" not in page.url
    here.faults[:] = [fault for fault in here.faults if "404" not in fault]


def test_a_list_of_videos_that_comes_late_does_not_hide_what_was_found(page: Page, ask: Ask) -> None:
    held: list[Route] = []
    page.click(".card >> nth=1")
    page.route("**/api/videos?*", lambda route: held.append(route))
    page.click("#only")
    ask(page, "green")
    note = page.locator("#note")
    expect(note).to_have_text(re.compile(r"^Nothing found\."))
    with page.expect_response("**/api/videos?*"):
        held[0].continue_()
    page.wait_for_timeout(200)
    expect(note).to_have_text(re.compile(r"^Nothing found\."))
    expect(page.locator("#heading")).to_have_text(re.compile("^Moments of"))


def test_searches_are_kept_in_the_browser(page: Page, here: Any, ask: Ask) -> None:
    for query in ("red light", "green light"):
        ask(page, query)
    page.click("#save")
    expect(page.locator("#save")).to_have_text("Saved")
    ask(page, "blue")
    page.click("#home")
    expect(page.locator("#searches a")).to_have_text(["★ green light", "blue", "red light"])
    page.click("[aria-label='Forget the search blue']")
    page.click("#searches a >> nth=0")
    expect(page.locator("#note")).to_have_text("1 found")
    expect(page.locator("#save")).to_have_attribute("aria-pressed", "true")


def test_a_time_reads_the_same_here_and_on_the_command_line(page: Page) -> None:
    seconds = [0.0, 0.04, 0.05, 1.15, 1.25, 1.35, 59.94, 59.95, 3599.96, 3723.25, 7384.449]
    shown = page.evaluate(
        "async all => (await import('/static/clock.js')).clock && all.map((await import('/static/clock.js')).clock)",
        seconds,
    )
    assert shown == [format_time(own) for own in seconds]
    read = "async text => (await import('/static/clock.js')).read(text, {first_frame: 0, rate: 25, drop_frame: false})"
    times = {"12.4": 12.4, "1:02.5": 62.5, "1:02:03,25": 3723.25, "00:01:02:12": 62.48, "1:xx": None, "": None}
    assert {text: page.evaluate(read, text) for text in times} == pytest.approx(times)


def test_moments_of_an_earlier_sentence_are_never_taken_for_those_of_the_next(page: Page, here: Any, ask: Ask) -> None:
    held: list[Route] = []
    ask(page, "green light")
    page.route("**/api/search", lambda route: held.append(route))
    page.fill("#query", "blue")
    page.press("#query", "Enter")
    page.wait_for_selector("body.asking")
    page.click(".card")
    expect(page.locator("#said")).to_contain_text("it shows “green light”")
    held[0].abort()
    expect(page.locator("#fault")).to_contain_text("is asst serve still running?")
    expect(page.locator(".card")).to_have_count(0)
    here.faults.clear()
