"""What keeps others out: the Host and Origin of requests, the token where one is asked for, the headers of answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response

from asst.web.access import Access
from asst.web.errors import Problem, answered

LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
_CHANGING = frozenset(("POST", "PUT", "PATCH", "DELETE"))
_BODY_TYPES = ("application/json", "application/octet-stream")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def install(app: FastAPI, hosts: frozenset[str] | None, access: Access | None = None) -> None:
    """Checks every request, and marks every answer.

    A page of another site can send a plain form or image request to this server and cannot read the answer; so what
    changes anything must come with a body type that no form has, or from here. With a name that it controls another
    site could make the browser think that this is its own server; so the name must be one of ours.

    Args:
        app: the application.
        hosts: names by which the server may be called; None takes any.
        access: knows the token; None asks for none.
    """

    @app.middleware("http")
    async def checked(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            _check(request, hosts)
            if access is not None:
                access.check(request)
            answer = await answered(request, go_on)
        except Problem as fault:
            answer = fault.response()
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer


def _check(request: Request, hosts: frozenset[str] | None) -> None:
    host = request.headers.get("host", "")
    if hosts is not None and _address(f"//{host}")[0] not in hosts:
        raise Problem(400, "unknown_host", f"this server is not called {host!r}; use the address that it printed")
    if request.method not in _CHANGING:
        return
    origin = request.headers.get("origin")
    if origin is not None and _address(origin)[1] != host:
        raise Problem(403, "other_origin", f"a page of {origin} may change nothing here")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind not in _BODY_TYPES:
        raise Problem(415, "body_type", f"send {' or '.join(_BODY_TYPES)}, not {kind or 'a body without a type'}")


def _address(given: str) -> tuple[str, str]:
    """The host's name, and that with its port; empty where there is none, or it is no address."""
    try:
        parts = urlsplit(given)
        return parts.hostname or "", parts.netloc
    except ValueError:
        return "", ""
