"""The page of a server that asks for its token."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from asst.web.safety import Access


def test_the_page_asks_for_the_token_once(serve: Callable[..., Any], visit: Callable[..., Page]) -> None:
    token = secrets.token_urlsafe(24)
    here = serve(access=Access(token))
    page = visit(here, "?q=green+light")
    expect(page.locator("#access")).to_be_visible()
    page.keyboard.press("Escape")
    page.fill("#token", "x" * 32)
    page.press("#token", "Enter")
    expect(page.locator("#access-fault")).to_contain_text("this is not the token")
    page.fill("#token", token)
    page.press("#token", "Enter")
    expect(page.locator("#access")).to_be_hidden()
    expect(page.locator("#note")).to_have_text("1 found")
    page.reload()
    expect(page.locator("#note")).to_have_text("1 found")
    linked = visit(here, f"?token={token}&q=blue")
    expect(linked.locator("#note")).to_have_text("1 found")
    assert "token" not in linked.url
    # The browser itself writes refused requests on the console.
    here.faults[:] = [fault for fault in here.faults if "401" not in fault]
