"""What keeps others out: the Host and Origin of requests, the token where one is asked for, the headers of answers.

Whoever has the token that was printed may see the library from elsewhere; a cookie then stands for it.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from hashlib import sha256
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response

from asst.errors import InputError
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


OPEN_PATHS = frozenset(("/", "/api/access"))
"""What anyone may ask for, and with it the page's own scripts: none of it says anything of the library."""

_TOKEN_LEAST = 16
_COOKIE = "asst-token"
_KEPT_S = 90 * 24 * 3600


class Access:
    """Knows a token when it sees it, and keeps its hash alone; ``secure`` has cookies sent over TLS alone.

    Raises an `InputError` for a token that could be guessed.
    """

    def __init__(self, token: str, *, secure: bool = False) -> None:
        if len(token) < _TOKEN_LEAST:
            raise InputError(f"a token of {len(token)} characters can be guessed; give one of {_TOKEN_LEAST} or more")
        self._hash = sha256(token.encode()).digest()
        self._secure = secure

    def check(self, request: Request) -> None:
        """Lets a request in with the token in its cookie or as ``Authorization: Bearer TOKEN``, or raises a 401."""
        path = request.scope["path"]
        if path in OPEN_PATHS or path.startswith("/static/"):
            return
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not (self.opens(bearer) or self.opens(request.cookies.get(_cookie(request), ""))):
            raise Problem(401, "no_token", "the token is missing or is another server's; open the link it printed")

    def opens(self, token: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(sha256(token.encode()).digest(), self._hash)

    def admit(self, request: Request, answer: Response, token: str) -> None:
        """Has the browser keep the token, out of reach of scripts and of other sites."""
        answer.set_cookie(
            _cookie(request), token, max_age=_KEPT_S, httponly=True, samesite="strict", secure=self._secure
        )


def _cookie(request: Request) -> str:
    """Its name; browsers send cookies to all ports of a host, and each may have a server of its own."""
    try:
        port = urlsplit(f"//{request.headers.get('host', '')}").port
    except ValueError:
        port = None
    return _COOKIE if port is None else f"{_COOKIE}-{port}"


def install(app: FastAPI, hosts: frozenset[str] | None, access: Access | None = None) -> None:
    """Checks every request, and marks every answer.

    A page of another site can send a plain form or image request to this server and cannot read the answer; so what
    changes anything must come with a body type that no form has, or from here. With a name that it controls another
    site could make the browser think that this is its own server; so the name must be one of ``hosts``, if there are
    any. ``access`` knows the token; None asks for none.
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
