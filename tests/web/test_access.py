"""A server that others can reach: who has no token learns nothing, and who has it is let in once for all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from types import ModuleType

import pytest
from fastapi.testclient import TestClient

from asst.library.library import Library
from asst.web.app import create_app
from asst.web.safety import Access

TOKEN = secrets.token_urlsafe(24)


@pytest.fixture(params=[False, True], ids=["plain", "behind TLS"])
def stranger(library: Library, fake: ModuleType, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """Somebody without the token."""
    app = create_app(library, fake.FakeEngine, hosts=None, access=Access(TOKEN, secure=request.param))
    base = "https://videos.example.org" if request.param else "http://box:8000"
    with TestClient(app, base_url=base) as client:
        yield client


def test_without_the_token_nothing_of_the_library_is_said(stranger: TestClient) -> None:
    videos = [
        ("GET", "/api/videos"),
        ("GET", "/api/status"),
        ("GET", "/api/openapi.json"),
        ("POST", "/api/search"),
        ("GET", "/api/nothing"),
        ("GET", "/api/access/../videos"),
        ("GET", "//api/videos"),
    ]
    for method, path in videos:
        answer = stranger.request(method, path, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "no_token"), path
    for given in ({"authorization": f"Bearer {TOKEN[:-1]}"}, {"authorization": "Bearer "}, {"cookie": "asst-token=x"}):
        assert stranger.get("/api/videos", headers=given).status_code == 401
    # The page itself is there for all, as it asks for the token.
    assert stranger.get("/").status_code == 200
    assert stranger.get("/static/main.js").status_code == 200
    wrong = stranger.post("/api/access", json={"token": "x" * 32})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    assert "set-cookie" not in stranger.get("/", params={"token": "x" * 32}).headers


@pytest.mark.parametrize("way", ["link", "form"])
def test_the_token_is_given_once(stranger: TestClient, way: str) -> None:
    if way == "link":
        answer = stranger.get("/", params={"q": "red", "token": TOKEN}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?q=red")
    else:
        answer = stranger.post("/api/access", json={"token": TOKEN})
        assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    secure = str(stranger.base_url).startswith("https")
    assert ("Secure" in cookie) is secure
    assert cookie.startswith("asst-token=" if secure else "asst-token-8000=")
    assert stranger.get("/api/videos").json()["total"] == 2


def test_a_program_gives_it_with_each_request(stranger: TestClient) -> None:
    assert stranger.get("/api/videos", headers={"authorization": f"Bearer {TOKEN}"}).json()["total"] == 2
    assert stranger.get("/api/videos").status_code == 401
