"""A server that speaks the hub's protocol for folders on disk, and can be told to fail as networks do."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

REVISION = "0123456789abcdef0123456789abcdef01234567"
_LARGE = (".safetensors", ".onnx", ".onnx_data")


@dataclass
class Hub:
    """What is served, and how.

    Attributes:
        repositories: folders by ``owner/name``.
        address: of the server.
        elsewhere: the same by another name, where large files are.
        tokens: of the requests to there.
        cut: bytes after which a connection breaks, by file; once each.
        damaged: files that arrive with one byte changed.
        status: with which repositories are refused.
        gated: whether that is said to be for want of terms accepted.
        stripped: whether hashes are left out of what is stated.
        asked: requests that came, as ``METHOD path``; a range is told after.
    """

    repositories: dict[str, Path]
    address: str = ""
    elsewhere: str = ""
    tokens: list[str | None] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    status: dict[str, int] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    stripped: bool = False
    asked: list[str] = field(default_factory=list)

    def info(self, repository: str) -> dict[str, Any]:
        """The answer to ``/api/models/OWNER/NAME?blobs=true``."""
        folder = self.repositories[repository]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        siblings = [self._sibling(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files]
        return {"id": repository, "modelId": repository, "sha": REVISION, "siblings": siblings}

    def _sibling(self, name: str, content: bytes) -> dict[str, Any]:
        stated = {"rfilename": name, "size": len(content)}
        if self.stripped:
            return stated
        stated["blobId"] = blob(content)
        if name.endswith(_LARGE):
            stated["lfs"] = {"sha256": sha256(content), "size": len(content), "pointerSize": 130}
        return stated


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        wanted = self.headers.get("Range", "")
        self.hub.asked.append(f"{self.command} {self.path} {wanted}".strip())
        path = self.path.partition("?")[0]
        if (found := re.fullmatch(r"/api/models/([^/]+/[^/]+)", path)) is not None:
            self._model(found[1])
        elif (found := re.fullmatch(rf"/([^/]+/[^/]+)/resolve/{REVISION}/(.+)", path)) is not None:
            self._resolve(found[1], found[2])
        elif (found := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path)) is not None:
            self.hub.tokens.append(self.headers.get("Authorization"))
            self._send(found[1], found[2], wanted)
        else:
            self._plain(404, b"{}")

    def _model(self, repository: str) -> None:
        if (status := self.hub.status.get(repository)) is not None:
            code = {"X-Error-Code": "GatedRepo"} if repository in self.hub.gated else {}
            self._plain(status, b"{}", code)
        elif repository not in self.hub.repositories:
            self._plain(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        else:
            self._plain(200, json.dumps(self.hub.info(repository)).encode(), {"Content-Type": "application/json"})

    def _resolve(self, repository: str, name: str) -> None:
        """Large files are on another address, as the hub's are."""
        path = self.hub.repositories[repository] / name
        if not path.is_file():
            self._plain(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        content = path.read_bytes()
        stated = {"X-Repo-Commit": REVISION}
        if name.endswith(_LARGE):
            stated |= {"X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{sha256(content)}"'}
            self._plain(302, b"", {**stated, "Location": f"{self.hub.elsewhere}/cdn/{repository}/{name}"})
        elif self.command == "HEAD":
            self._plain(200, content, {**stated, "ETag": f'"{blob(content)}"'})
        else:
            self._send(repository, name, self.headers.get("Range", ""))

    def _send(self, repository: str, name: str, wanted: str) -> None:
        content = (self.hub.repositories[repository] / name).read_bytes()
        if name in self.hub.damaged:
            content = content[:-1] + bytes([content[-1] ^ 1])
        first = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        ranged = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if wanted else {}
        if self.command == "HEAD" or (most := self.hub.cut.pop(name, None)) is None:
            self._plain(206 if wanted else 200, content[first:], ranged)
            return
        self._head(200, len(content), {})
        self.wfile.write(content[:most])
        self.close_connection = True

    def _plain(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self._head(status, len(content), headers or {})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(key, value)
        self.end_headers()


@contextmanager
def serving(repositories: dict[str, Path]) -> Iterator[Hub]:
    """A hub of some repositories, for the length of the block."""
    hub = Hub(repositories)
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.address, hub.elsewhere = (
            f"http://{host}:{server.server_address[1]}" for host in ("127.0.0.1", "localhost")
        )
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
