"""Who may see the library from elsewhere: whoever has the token that was printed, which a cookie then stands for."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from urllib.parse import urlsplit

from fastapi import Request, Response

from asst.errors import InputError
from asst.web.errors import Problem

OPEN_PATHS = frozenset(("/", "/api/access"))
"""What anyone may ask for, and with it the page's own scripts: none of it says anything of the library."""

_LEAST = 16
_COOKIE = "asst-token"
_KEPT_S = 90 * 24 * 3600


def new_token() -> str:
    """One that nobody can guess."""
    return secrets.token_urlsafe(24)


class Access:
    """Knows a token when it sees it, and keeps its hash alone; ``secure`` has cookies sent over TLS alone.

    Raises an `InputError` for a token that could be guessed.
    """

    def __init__(self, token: str, *, secure: bool = False) -> None:
        if len(token) < _LEAST:
            raise InputError(f"a token of {len(token)} characters can be guessed; give one of {_LEAST} or more")
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
