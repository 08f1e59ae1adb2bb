"""A browser on a served library of coloured videos: nothing fetched from elsewhere, and nothing on the console."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from asst.cli.serve import listening, said
from asst.library.index import index
from asst.library.library import Library
from asst.video import cut
from asst.web.app import create_app

CHROMIUM = shutil.which("chromium")
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
    """A served library, and what a browser should not have seen of it."""

    address: str
    library: Library
    faults: list[str] = field(default_factory=list)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; it ends with these tests, as no event loop can be run beside Playwright's."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes videos of colours as browsers play them, two pictures a second, each of them once."""
    folder = tmp_path_factory.mktemp("coloured")

    def made(fake: ModuleType, name: str, colours: str) -> Path:
        if not (folder / name).exists():
            cut(fake.make_video(folder / "stored" / name, colours), 0, len(colours) / 2, folder / name)
        return folder / name

    return made


@contextmanager
def serving(library: Library, engine: Any, **options: Any) -> Iterator[str]:
    """The address of a server."""
    with listening("127.0.0.1", 0) as socket:
        app = create_app(library, lambda: engine, **options)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        yield said(socket)
        server.should_exit = True
        thread.join()


@pytest.fixture
def serve(tmp_path: Path, fake: ModuleType, coloured: Callable[..., Path]) -> Iterator[Callable[..., Seen]]:
    """Serves a library of two videos: red, then green, then red again; and blue all through."""
    with ExitStack() as stack:

        def served(engine: Any = None, **options: Any) -> Seen:
            engine = engine or fake.FakeEngine()
            library = Library.made(tmp_path / "library", engine.identity)
            files = [coloured(fake, "light.mp4", "rrrrggggrr"), coloured(fake, "sea.mp4", "bbbbbb")]
            assert [done.state for done in index(files, library, engine)] == ["indexed", "indexed"]
            return Seen(stack.enter_context(serving(library, engine, **options)), library)

        yield served


@pytest.fixture
def here(serve: Callable[..., Seen]) -> Seen:
    """The usual server."""
    return serve()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a server's page in a browser of its own; at the end nothing may have gone wrong there."""
    with ExitStack() as stack:

        def opened(seen: Seen, path: str = "", **options: Any) -> Page:
            given: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}, "accept_downloads": True} | options
            context = browser.new_context(**given)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(8000)
            page.on("console", lambda message: seen.faults.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: seen.faults.append(str(error)))
            page.on("request", lambda request: _own(seen, request.url))
            page.goto(seen.address + path)
            stack.callback(lambda: pytest.fail("\n".join(seen.faults)) if seen.faults else None)
            return page

        yield opened


def _own(seen: Seen, url: str) -> None:
    if not url.startswith((seen.address, "blob:", "data:")):
        seen.faults.append(url)


@pytest.fixture
def page(visit: Callable[..., Page], here: Seen) -> Page:
    """The page of the usual server."""
    opened = visit(here)
    opened.wait_for_selector(".card")
    return opened


@pytest.fixture
def ask() -> Callable[[Page, str], None]:
    """Asks a sentence on a page, and waits for what is found."""

    def asked(page: Page, query: str) -> None:
        page.fill("#query", query)
        page.press("#query", "Enter")
        page.wait_for_selector("body:not(.asking)")
        page.wait_for_function("() => document.querySelector('#note').textContent !== 'Looking…'")

    return asked
