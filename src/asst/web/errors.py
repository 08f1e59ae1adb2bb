"""One shape for all that goes wrong: ``{"error": {"code": ..., "message": ..., "field": ...}}``."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from asst.atomic import is_refusal, write_error
from asst.errors import InputError, WriteError
from asst.outputs.printable import printable

_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "not_a_video",
    416: "no_such_range",
}


class ErrorDetail(BaseModel):
    """What is wrong: a code for programs, a line for people, and the field of the request, where one is at fault."""

    code: str
    message: str
    field: str | None = None


class ErrorAnswer(BaseModel):
    """The body of every answer that is an error."""

    error: ErrorDetail


class Problem(Exception):  # noqa: N818  it is an answer
    """An answer that is an error: its status of HTTP, and its detail; ``retry_s`` is when to ask again."""

    def __init__(
        self, status: int, code: str, message: str, *, field: str | None = None, retry_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.field, self.retry_s = field, retry_s

    def response(self) -> JSONResponse:
        """As HTTP."""
        headers = {} if self.retry_s is None else {"Retry-After": str(self.retry_s)}
        detail = {"code": self.code, "message": printable(self.message), "field": self.field}
        return JSONResponse({"error": detail}, self.status, headers)


def documented(*statuses: int, sends: Sequence[str] = (), about: str = "") -> dict[int | str, dict[str, Any]]:
    """What an operation says of its errors, some of which can be the answer to any, and of the types that it sends."""
    told: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorAnswer} for status in (400, 401, *statuses, 422, 500, 503, 507)
    }
    if sends:
        told[200] = {"content": {kind: {} for kind in sends}} | ({"description": about} if about else {})
    return told


def not_found(what: str) -> Problem:
    """There is no such thing."""
    return Problem(404, "not_found", what)


def install(app: FastAPI) -> None:
    """Makes every error of an application one of the shape."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(InputError)
    def bad_input(request: Request, error: InputError) -> Response:
        return Problem(422, "bad_input", request.app.state.served.without_folders(str(error))).response()

    @app.exception_handler(WriteError)
    async def unwritable(_: Request, error: WriteError) -> Response:
        # Where the library is, is not told.
        return Problem(507, "unwritable", f"the server cannot write: {error.reason}").response()

    @app.exception_handler(OSError)
    async def refused(request: Request, error: OSError) -> Response:
        if not is_refusal(error):
            return Problem(500, "storage", f"the server cannot read this ({error.strerror})").response()
        return await unwritable(request, write_error("", error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return Problem(422, "invalid", f"the body is no JSON: {first['ctx']['error']}").response()
        field = ".".join(map(str, first["loc"][1:])) or None
        message = f"{field or 'the request'}: {first['msg'].removeprefix('Value error, ')}"
        return Problem(422, "invalid", message, field=field).response()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        message = f"nothing at {request.scope['path']}" if error.status_code == 404 else str(error.detail)
        answer = Problem(error.status_code, _CODES.get(error.status_code, "error"), message).response()
        answer.headers.update(error.headers or {})
        return answer


async def answered(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """The answer to a request, in the shape where a library below gave an error another, or failed by a fault of ours.

    A range in a unit other than bytes is taken for none, as RFC 9110 asks (section 14.2).
    """
    request.scope["headers"] = [
        (name, value)
        for name, value in request.scope["headers"]
        if name != b"range" or value.partition(b"=")[0].strip().lower() == b"bytes"
    ]
    try:
        answer = await go_on(request)
    except Exception as error:
        logging.getLogger(__name__).exception("%s %s", request.method, request.scope["path"])
        return Problem(500, "fault", f"a fault of this server ({type(error).__name__}); it has said more").response()
    status = answer.status_code
    if status < 400 or answer.headers.get("content-type", "").startswith("application/json"):
        return answer
    message = f"the range {request.headers.get('range')!r} is not in this file" if status in (400, 416) else "no answer"
    shaped = Problem(status, _CODES.get(status, "error"), message).response()
    if "content-range" in answer.headers:
        shaped.headers["content-range"] = answer.headers["content-range"]
    return shaped
