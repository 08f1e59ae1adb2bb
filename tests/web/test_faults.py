"""What is no fault of whoever asks, and what a library below would say in a shape of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fastapi.testclient import TestClient

from asst.library.library import Library
from asst.library.tables import Tables
from asst.web.app import create_app

Ids = Callable[[TestClient], dict[str, str]]


@pytest.mark.parametrize("path", ["/api/videos/{video}/media", "/api/videos/{video}/strip", "/static/style.css"])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=999999999-", 416),
        ("bytes=abc", 400),
        ("bytes=", 400),
        ("bytes=9-2", 400),
        ("bytes=1-2,999999999-", 416),
        ("bytes=" + "9" * 5000 + "-", 400),
        ("items=1-2", 200),
        ("seconds=0-9, bytes=1-2", 200),
        ("nonsense", 200),
        ("", 200),
        ("BYTES=0-3", 206),
        ("bytes =0-3", 206),
    ],
)
def test_a_range_is_met_ignored_or_refused_in_the_shape(
    client: TestClient, videos: Ids, path: str, asked: str, status: int
) -> None:
    answer = client.get(path.replace("{video}", videos(client)["sea.mp4"]), headers={"range": asked})
    assert answer.status_code == status
    if status >= 400:
        assert set(answer.json()["error"]) == {"code", "message", "field"}
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    if status == 416:
        assert answer.headers["content-range"].startswith("bytes */")
    if status == 206:
        assert len(answer.content) == 4


def test_a_fault_of_ours_has_the_shape_and_the_policy(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret /path")

    monkeypatch.setattr(Tables, "videos", broken)
    answer = client.get("/api/videos")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "fault")
    assert "secret" not in answer.text
    assert "secret" in caplog.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("fault", [RuntimeError("no"), MemoryError(), ImportError("no"), SystemExit(3)])
def test_a_model_that_cannot_be_loaded_lets_nobody_wait(library: Library, fault: BaseException, videos: Ids) -> None:
    def load() -> Any:
        raise fault

    with TestClient(create_app(library, load), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        for path in ("/api/search", f"/api/videos/{videos(client)['sea.mp4']}/locate"):
            answer = client.post(path, json={"query": "blue"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (500, "no_model")
        assert client.get("/api/status").json()["ready"] is False


def test_tables_are_never_asked_on_the_thread_that_serves_all(
    client: TestClient, videos: Ids, monkeypatch: pytest.MonkeyPatch, fake: ModuleType
) -> None:
    video = videos(client)["sea.mp4"]
    loop = threading.Event()
    real, askers = Tables.videos, set()

    def asked(*words: Any, **options: Any) -> Any:
        import asyncio

        try:
            asyncio.get_running_loop()
            loop.set()
        except RuntimeError:
            askers.add(threading.current_thread().name)
        return real(*words, **options)

    monkeypatch.setattr(Tables, "videos", asked)
    span = {"start_s": 0, "end_s": 1}
    for answer in (
        client.get("/api/status"),
        client.get("/api/videos"),
        client.get(f"/api/videos/{video}"),
        client.get(f"/api/videos/{video}/media"),
        client.get(f"/api/videos/{video}/strip"),
        client.get(f"/api/videos/{video}/picture", params={"at_s": 1}),
        client.get(f"/api/videos/{video}/clip", params=span),
        client.post("/api/search", json={"query": "blue"}),
        client.post(f"/api/videos/{video}/locate", json={"query": "blue"}),
        client.get("/api/corrections"),
        client.post("/api/corrections", json={"video": video, "query": "blue", "verdict": "right", **span}),
    ):
        assert answer.status_code < 300, answer.text
    assert askers
    assert not loop.is_set()
