"""``asst serve`` as a process: it says where it is, answers, and ends with Ctrl-C."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from asst.cli.app import app
from asst.cli.asking import DEMO_VIDEO
from asst.library.library import Library

COMMAND = [sys.executable, "-c", "from asst.cli import main; main()", "serve"]


def asked(address: str, path: str, body: object = None) -> dict[str, object]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def test_a_named_video_is_indexed_and_found(tmp_path: Path) -> None:
    library = tmp_path / "lib"
    started = subprocess.Popen(
        [*COMMAND, str(DEMO_VIDEO), "--library", str(library), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        # A suite that was started in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert started.stderr is not None
        line = started.stderr.readline()
        assert line.startswith(f"{library} at http://127.0.0.1:")
        address = line.split()[2].rstrip("/")
        for _ in range(200):
            if asked(address, "/api/videos")["total"] == 1:
                break
            time.sleep(0.1)
        found = asked(address, "/api/search", {"query": "a taxi sign on top of a car"})
        assert found["found"] is True
    finally:
        started.send_signal(signal.SIGINT)
        said = started.communicate(timeout=30)[1]
    assert started.returncode == 0
    assert "Traceback" not in said
    assert said.rstrip().endswith("ended")


@pytest.fixture
def engine(fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that knows three colours is the default one."""
    monkeypatch.setattr("asst.library.engine.engine_of", fake.engine_of)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("given", "address"),
    [
        (["--host", "0.0.0.0"], f"http://{socket.gethostname()}:"),
        (["--public-url", "https://videos.example.org/"], "https://videos.example.org/?token="),
    ],
)
def test_others_are_asked_for_the_token_that_is_printed(
    given: list[str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[FastAPI] = []
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: served.append(server.config.app))
    library = Library.made(tmp_path / "lib")
    answer = CliRunner().invoke(app, ["serve", "--library", str(library.folder), "--port", "0", *given])
    assert answer.exit_code == 0, answer.stderr
    link = answer.stderr.split()[2]
    assert link.startswith(address)
    token = link.partition("?token=")[2]
    assert len(token) >= 32
    host = urlsplit(link).hostname
    with TestClient(served[0], base_url=f"http://{host}") as client:
        assert client.get("/api/status").status_code == 401
        assert client.get("/api/status", headers={"authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.usefixtures("engine")
def test_a_library_that_is_not_there_is_not_made_by_a_slip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slip = tmp_path / "libary"
    answer = CliRunner().invoke(app, ["serve", "--library", str(slip)])
    assert answer.exit_code == 2
    assert f"no library in {slip}; make one: asst index FILES... --library {slip}" in answer.stderr
    assert not slip.exists()
    monkeypatch.setenv("ASST_TOKEN", "easy")
    Library.made(tmp_path / "lib")
    short = CliRunner().invoke(app, ["serve", "--library", str(tmp_path / "lib"), "--host", "0.0.0.0"])
    assert short.exit_code == 2
    assert "a token of 4 characters can be guessed" in short.stderr


@pytest.mark.usefixtures("engine")
def test_a_taken_port_and_a_missing_video_are_one_line(tmp_path: Path) -> None:
    Library.made(tmp_path / "lib")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = CliRunner().invoke(app, ["serve", "--library", str(tmp_path / "lib"), "--port", port])
    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"asst: cannot listen on 127.0.0.1:{port} (")
    gone = CliRunner().invoke(app, ["serve", str(tmp_path / "gone.mp4"), "--library", str(tmp_path / "lib")])
    assert gone.exit_code == 2
    assert "gone.mp4: no such file" in gone.stderr


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_what_is_not_installed_is_named(missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    answer = CliRunner().invoke(app, ["serve", "--library", str(tmp_path)])
    assert answer.exit_code == 2
    said = f"asst serve needs {missing}, not installed here; run: pip install 'asst-video[web]'"
    assert said in answer.stderr
