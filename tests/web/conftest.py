"""A served library of coloured videos, and one way to wait for its jobs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from asst.library.index import index
from asst.library.library import Library
from asst.web.app import create_app
from asst.web.served import Limits


@pytest.fixture(scope="package")
def fake() -> Iterator[ModuleType]:
    """The module of fakes of the library's tests."""
    folder = str(Path(__file__).parents[1] / "library")
    sys.path.insert(0, folder)
    yield import_module("fake_engine")
    sys.path.remove(folder)
    sys.modules.pop("fake_engine", None)


@pytest.fixture
def library(tmp_path: Path, fake: ModuleType) -> Library:
    """Two videos: red, then green; and blue all through."""
    made = Library.made(tmp_path / "library", fake.FakeEngine().identity)
    files = [
        fake.make_video(tmp_path / "videos" / name, colours)
        for name, colours in (("traffic light.mp4", "rrrrggggrr"), ("sea.mp4", "bbbbbb"))
    ]
    assert [done.state for done in index(files, made, fake.FakeEngine())] == ["indexed", "indexed"]
    return made


@pytest.fixture
def served(library: Library, fake: ModuleType) -> Iterator[Callable[..., TestClient]]:
    """Makes clients of the library's application, with other limits or another engine where they are given."""
    clients: list[TestClient] = []

    def client(limits: Limits | None = None, engine: Any = None) -> TestClient:
        app: FastAPI = create_app(library, lambda: engine or fake.FakeEngine(), limits)
        made = TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)
        clients.append(made.__enter__())
        return made

    yield client
    for made in clients:
        made.__exit__(None, None, None)


@pytest.fixture
def client(served: Callable[..., TestClient]) -> TestClient:
    """The client of the usual application."""
    return served()


@pytest.fixture
def videos() -> Callable[[TestClient], dict[str, str]]:
    """The id of each video by its name."""
    return lambda client: {video["name"]: video["id"] for video in client.get("/api/videos").json()["videos"]}


@pytest.fixture
def finished() -> Callable[[TestClient, str], dict[str, object]]:
    """A job when it has ended."""

    def wait(client: TestClient, job: str) -> dict[str, object]:
        for _ in range(400):
            answer: dict[str, object] = client.get(f"/api/jobs/{job}").json()
            if answer["state"] in ("done", "failed", "cancelled"):
                return answer
            time.sleep(0.025)
        raise AssertionError(f"the job did not end: {answer}")

    return wait
