"""That the page can be used: on a phone, in light and dark, and without eyes or a mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

Ask = Callable[[Page, str], None]

AXE = Path(__file__).with_name("axe") / "axe.min.js"
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong: rules and the elements that break them."""
    page.evaluate("Promise.all(document.getAnimations().map(a => a.finished))")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
    return [f"{own['id']}: {node['html'][:120]}" for own in found for node in own["nodes"]]


def test_axe_finds_nothing_wide_dark_and_on_a_phone(page: Page, ask: Ask) -> None:
    assert violations(page) == []
    ask(page, "red light")
    page.hover(".moment >> nth=0")
    page.check(".pick input >> nth=0")
    page.click("#save")
    assert violations(page) == []
    page.click(".card >> nth=0")
    page.wait_for_selector(".word")
    page.click("#right")
    expect(page.locator("#undo")).to_be_visible()
    page.click("#picked")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.set_viewport_size(PHONE["viewport"])
    assert violations(page) == []
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    assert violations(page) == []


def test_the_name_of_a_file_is_seen_beside_that_of_its_folder_however_long(page: Page, ask: Ask) -> None:
    def lengthened(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        for moment in found["moments"]:
            moment["video"]["folder"] = "a summer in the mountains " * 4
        route.fulfill(response=answer, json=found)

    page.route("**/api/search", lengthened)
    ask(page, "red light")
    page.click(".card >> nth=0")
    assert page.eval_on_selector(".group .name", "own => own.scrollWidth <= own.clientWidth")
    right = "own => own.getBoundingClientRect().right"
    assert page.eval_on_selector(".group .quiet", right) <= page.eval_on_selector(".group .bar", right)


def test_a_result_that_is_tapped_on_a_phone_is_in_view(here: Any, visit: Callable[..., Page], ask: Ask) -> None:
    page = visit(here, **PHONE | {"viewport": {"width": 360, "height": 420}})
    page.wait_for_selector(".card")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    length, button = (page.locator(f"{what} >> nth=0").bounding_box() for what in (".videos .when", ".remove"))
    assert length is not None
    assert button is not None
    assert length["y"] + length["height"] <= button["y"]
    ask(page, "red light")
    last = page.locator(".card >> nth=1")
    last.scroll_into_view_if_needed()
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    last.tap()
    expect(page.locator("#place")).to_have_text("2 of 2")
    top, bottom = page.evaluate(
        "() => { const box = document.querySelector('video').getBoundingClientRect(); return [box.top, box.bottom]; }"
    )
    assert top >= page.evaluate("document.querySelector('header').getBoundingClientRect().bottom")
    assert bottom <= 420
    expect(page.locator("#results")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # Fingers drag as mice do.
    page.tap("#next", force=True)
    page.tap("#close")
    expect(last).to_be_visible()
    expect(last).to_be_focused()
