"""The socket that the server listens on, made before it starts so that a taken port is told of in one line."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from asst.errors import InputError


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
