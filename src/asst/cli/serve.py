"""``asst serve``: the page of a library."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from asst.cli import options
from asst.cli.asking import engine_for, uncollected
from asst.cli.options import LIBRARY, argument, option
from asst.errors import InputError
from asst.local import local_path


def serve(
    videos: Annotated[
        list[Path] | None, argument("[VIDEO]...", "Videos, and folders of them, to bring into the library.")
    ] = None,
    library: Annotated[
        Path | None,
        option(
            "--library PATH", "The folder of the library; made for videos that are named.", show_default=str(LIBRARY)
        ),
    ] = None,
    host: Annotated[
        str, option("--host ADDRESS", "Where to listen; any other than this machine's own asks for a token.")
    ] = "127.0.0.1",
    public_url: Annotated[
        str | None,
        option(
            "--public-url URL",
            "Where a proxy with TLS shows the page, as https://videos.example.org; asks for a token.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        option("--token TOKEN", "The token that is asked for; else a new one at each start.", envvar="ASST_TOKEN"),
    ] = None,
    port: Annotated[int, option("--port N", "0 takes a free one.", min=0, max=65535)] = 8000,
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
        from asst.web.listening import listening, public_host, said
        from asst.web.safety import LOOPBACK, Access

        wanted = _files(videos or [])
        folder = _folder(library, named=bool(wanted))
        engine = engine_for(folder, model)
    named = frozenset() if public_url is None else frozenset([public_host(public_url)])
    hosts = LOOPBACK | named if host in LOOPBACK else None
    if token is None and (named or hosts is None):
        token = secrets.token_urlsafe(24)
    access = None if token is None else Access(token, secure=(public_url or "").startswith("https:"))
    app = create_app(Library.made(folder, engine.identity), lambda: engine, hosts=hosts, wanted=wanted, access=access)
    with listening(host, port) as socket:
        address = said(socket) if public_url is None else f"{public_url.rstrip('/')}/"
        address += "" if token is None else f"?token={quote(token, safe='')}"
        typer.echo(f"{folder} at {address} (Ctrl-C ends it)", err=True)
        if browser:
            typer.launch(address)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, server_header=False)
        # Ctrl-C is how it ends, and no fault.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[socket])
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
