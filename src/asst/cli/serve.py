"""``asst serve``: the page of a library."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from asst.cli.device import DeviceOption
from asst.cli.index import LIBRARY, ModelOption, engine_for
from asst.errors import InputError
from asst.local import local_path


def serve(
    videos: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[VIDEO]...", help="Videos, and folders of them, to bring into the library.", show_default=False
        ),
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            metavar="PATH",
            help="The folder of the library; made for videos that are named.",
            show_default=str(LIBRARY),
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Where to listen; any other than this machine's own asks for a token."),
    ] = "127.0.0.1",
    public_url: Annotated[
        str | None,
        typer.Option(
            "--public-url",
            metavar="URL",
            help="Where a proxy with TLS shows the page, as https://videos.example.org; asks for a token.",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="ASST_TOKEN",
            metavar="TOKEN",
            help="The token that is asked for; else a new one at each start.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 takes a free one.")] = 8000,
    model: ModelOption = None,
    browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    device: DeviceOption = None,
) -> None:
    """Serve the page of a library: search, look, correct and cut. Ctrl-C ends it.

    On this machine's own address it asks for nothing; on any other, for the token in the link that it prints.
    """
    from asst.cli.asking import uncollected

    with uncollected():
        import uvicorn

        from asst.library.library import Library
        from asst.web.access import Access, new_token
        from asst.web.app import create_app
        from asst.web.listening import listening, public_host, said
        from asst.web.safety import LOOPBACK

        wanted = _files(videos or [])
        folder = _folder(library, named=bool(wanted))
        engine = engine_for(folder, model)
    named = frozenset() if public_url is None else frozenset([public_host(public_url)])
    hosts = LOOPBACK | named if host in LOOPBACK else None
    if token is None and (named or hosts is None):
        token = new_token()
    access = None if token is None else Access(token, secure=(public_url or "").startswith("https:"))
    kept = Library.made(folder, engine.identity)
    app = create_app(kept, lambda: engine, hosts=hosts, wanted=wanted, access=access)
    with listening(host, port) as socket:
        address = said(socket) if public_url is None else f"{public_url.rstrip('/')}/"
        if token is not None:
            address += f"?token={quote(token, safe='')}"
        typer.echo(f"{folder} at {address} (Ctrl-C ends it)", err=True)
        if browser:
            typer.launch(address)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, server_header=False)
        # Ctrl-C is how it ends, and no fault.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[socket])
    typer.echo("ended", err=True)


def _folder(given: Path | None, *, named: bool) -> Path:
    """The library's folder.

    Raises:
        InputError: for one that was named and is not there, unless videos are named that it is made of.
    """
    if given is None or named or local_path(given, "a library").exists():
        return given or LIBRARY
    raise InputError(f"no library in {given}; make one: asst index FILES... --library {given}")


def _files(videos: list[Path]) -> list[Path]:
    """The files to index.

    Raises:
        InputError: for one that is not there, or a folder without a video.
    """
    from asst.library.index import listed

    for path in videos:
        if not local_path(path, "a video").exists():
            raise InputError(f"{path}: no such file; name a video or a folder of them")
    return listed(videos)
