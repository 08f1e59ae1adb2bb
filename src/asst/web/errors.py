"""One shape for all that goes wrong: ``{"error": {"code": ..., "message": ..., "field": ...}}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from asst.atomic import is_refusal, write_error
from asst.errors import InputError, WriteError
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from starlette.responses import Response

_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "not_a_video"}


class ErrorDetail(BaseModel):
    """What is wrong.

    Attributes:
        code: for programs.
        message: for people, one line.
        field: of the request, where one is at fault.
    """

    code: str
    message: str
    field: str | None = None


class ErrorAnswer(BaseModel):
    """The body of every answer that is an error."""

    error: ErrorDetail


class Problem(Exception):  # noqa: N818  it is an answer
    """An answer that is an error.

    Args:
        status: of HTTP.
        code: for programs.
        message: for people.
        field: of the request, where one is at fault.
        retry_s: when to ask again.
    """

    def __init__(
        self, status: int, code: str, message: str, *, field: str | None = None, retry_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.retry_s = retry_s

    def response(self) -> JSONResponse:
        """As HTTP."""
        headers = {} if self.retry_s is None else {"Retry-After": str(self.retry_s)}
        detail = {"code": self.code, "message": printable(self.message), "field": self.field}
        return JSONResponse({"error": detail}, self.status, headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation says of its errors; 400, 422, 503 and 507 can be the answer to any."""
    return {status: {"model": ErrorAnswer} for status in (400, *statuses, 422, 503, 507)}


def not_found(what: str) -> Problem:
    """There is no such thing."""
    return Problem(404, "not_found", what)


def install(app: FastAPI) -> None:
    """Makes every error of an application one of the shape."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(InputError)
    async def bad_input(_: Request, error: InputError) -> Response:
        return Problem(422, "bad_input", str(error)).response()

    @app.exception_handler(WriteError)
    async def unwritable(_: Request, error: WriteError) -> Response:
        # Where the library is, is not told.
        return Problem(507, "unwritable", f"the server cannot write: {error.reason}").response()

    @app.exception_handler(OSError)
    async def refused(request: Request, error: OSError) -> Response:
        if not is_refusal(error):
            raise error
        return await unwritable(request, write_error("", error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"][1:]]
        field = ".".join(place) or None
        message = f"{field or 'the request'}: {first['msg'].removeprefix('Value error, ')}"
        return Problem(422, "invalid", message, field=field).response()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        message = f"nothing at {request.url.path}" if error.status_code == 404 else str(error.detail)
        answer = Problem(error.status_code, _CODES.get(error.status_code, "error"), message).response()
        answer.headers.update(error.headers or {})
        return answer
