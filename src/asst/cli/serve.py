"""``asst serve``: the page of a library."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from asst.cli import options
from asst.cli.asking import engine_for, uncollected
from asst.cli.options import LIBRARY, argument, option
from asst.errors import InputError
from asst.local import local_path


@dataclass(frozen=True)
class _Address:
    """Where the page is, and who may see it, as options."""

    host: Annotated[
        str, option("--host ADDRESS", "Where to listen; any other than this machine's own asks for a token.")
    ] = "127.0.0.1"
    public_url: Annotated[
        str | None,
        option(
            "--public-url URL",
            "Where a proxy with TLS shows the page, as https://videos.example.org; asks for a token.",
        ),
    ] = None
    token: Annotated[
        str | None,
        option("--token TOKEN", "The token that is asked for; else a new one at each start.", envvar="ASST_TOKEN"),
    ] = None
    port: Annotated[int, option("--port N", "0 takes a free one.", min=0, max=65535)] = 8000

    def guarded(self) -> tuple[frozenset[str] | None, str | None]:
        """The names that the server may be called by, None for any, and the token that it asks for, if it does."""
        from asst.web.safety import LOOPBACK

        named = frozenset() if self.public_url is None else frozenset([public_host(self.public_url)])
        hosts = LOOPBACK | named if self.host in LOOPBACK else None
        asks = self.token is None and (named or hosts is None)
        return hosts, secrets.token_urlsafe(24) if asks else self.token


def serve(
    videos: Annotated[
        list[Path] | None, argument("VIDEO...", "Videos, and folders of them, to bring into the library.")
    ] = None,
    library: Annotated[
        Path | None,
        option(
            "--library PATH", "The folder of the library; made for videos that are named.", show_default=str(LIBRARY)
        ),
    ] = None,
    *,
    at: _Address,
    model: options.LibraryModel = None,
    browser: Annotated[bool, option("--open", "Open the page in the browser.")] = False,
    device: options.Device = None,
) -> None:
    """Serve the page of a library: search, look, correct and cut. Ctrl-C ends it.

    On this machine's own address it asks for nothing; on any other, for the token in the link that it prints.
    """
    with uncollected():
        import uvicorn

        from asst.library.library import Library
        from asst.web.app import create_app
        from asst.web.safety import Access

        wanted = _files(videos or [])
        folder = _folder(library, named=bool(wanted))
        engine = engine_for(folder, model)
    hosts, token = at.guarded()
    public = None if at.public_url is None else f"{at.public_url.rstrip('/')}/"
    access = None if token is None else Access(token, secure=(public or "").startswith("https:"))
    app = create_app(Library.made(folder, engine.identity), lambda: engine, hosts=hosts, wanted=wanted, access=access)
    # Bound before it starts, so that a taken port is told of in one line.
    with listening(at.host, at.port) as bound:
        address = (public or said(bound)) + ("" if token is None else f"?token={quote(token, safe='')}")
        typer.echo(f"{folder} at {address} (Ctrl-C ends it)", err=True)
        if browser:
            typer.launch(address)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, server_header=False)
        # Ctrl-C is how it ends, and no fault.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[bound])
    typer.echo("ended", err=True)


def _folder(given: Path | None, *, named: bool) -> Path:
    """The library's folder."""
    if given is None or named or local_path(given, "a library").exists():
        return given or LIBRARY
    raise InputError(f"no library in {given}; make one: asst index FILES... --library {given}")


def _files(videos: list[Path]) -> list[Path]:
    """The files to index."""
    from asst.library.index import listed

    for path in videos:
        if not local_path(path, "a video").exists():
            raise InputError(f"{path}: no such file; name a video or a folder of them")
    return listed(videos)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to an address or name of this machine, and to a port, or 0 for a free one.

    Raises an `InputError` if it is taken, or none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        # So that whoever is told the address can call at once, and waits for the server.
        made.listen()
    except OSError as error:
        raise InputError(f"cannot listen on {host}:{port} ({error.strerror or error}); give another --port") from error
    with made:
        yield made


def said(made: socket.socket) -> str:
    """The address of the page, for people; of a server at all addresses of a machine, by the machine's name."""
    host, port = made.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def public_host(url: str) -> str:
    """The name in the address that a proxy shows the page at.

    Raises an `InputError` for what is no such address, or one with a path, as the page must be at its root.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise InputError(f"{url!r} is no address of a page at a root; write one as https://videos.example.org")
    return parts.hostname
