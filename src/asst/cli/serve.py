"""``asst serve``: the page of a library."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from asst.cli.device import DeviceOption
from asst.cli.index import ModelOption, engine_for
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
        Path, typer.Option("--library", metavar="PATH", help="The folder of the library; made if it is not there.")
    ] = Path("asst-library"),
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; any other than this machine's own is open to all.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 takes a free one.")] = 8000,
    model: ModelOption = None,
    browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    device: DeviceOption = None,
) -> None:
    """Serve the page of a library: search, look, correct and cut. Ctrl-C ends it.

    There is no password: whoever can reach the address can see the library and add to it.
    """
    from asst.cli.asking import uncollected

    with uncollected():
        import uvicorn

        from asst.library.library import Library
        from asst.web.app import create_app
        from asst.web.listening import listening, said
        from asst.web.safety import LOOPBACK

        engine = engine_for(library, model)
    kept = Library.made(library, engine.identity)
    wanted = _files(videos or [])
    hosts = LOOPBACK if host in LOOPBACK else None
    app = create_app(kept, lambda: engine, hosts=hosts, wanted=wanted)
    with listening(host, port) as socket:
        address = said(socket)
        typer.echo(f"{library} at {address} (Ctrl-C ends it)", err=True)
        if hosts is None:
            typer.echo("anyone who can reach this address can see this library and add to it", err=True)
        if browser:
            typer.launch(address)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, server_header=False)
        # Ctrl-C is how it ends, and no fault.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[socket])
    typer.echo("ended", err=True)


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
