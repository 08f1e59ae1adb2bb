"""The application: routes, the page, and what holds for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, select_autoescape

from asst._version import __version__
from asst.features.video_files import VIDEO_EXTENSIONS
from asst.library.engine import Engine
from asst.library.library import Library
from asst.web import correcting, errors, safety, searching, uploads, videos
from asst.web.answers import AccessBody, StatusAnswer, UploadLimits
from asst.web.errors import Problem, documented
from asst.web.safety import Access
from asst.web.served import Limits, Served, ServedHere

_HERE = Path(str(files("asst.web")))
router = APIRouter()


def create_app(
    library: Library,
    load: Callable[[], Engine] | None = None,
    limits: Limits | None = None,
    hosts: frozenset[str] | None = safety.LOOPBACK,
    wanted: Sequence[Path] = (),
    access: Access | None = None,
) -> FastAPI:
    """The page and the JSON of a library, as an ASGI application.

    ``load`` makes the model, in a thread, when the application starts; else it is the library's own. ``hosts`` are the
    names by which the server may be called, None takes any. ``wanted`` are files to index first. ``access`` knows the
    token that is asked for, None asks for none.
    """

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        with uploads.looked_after(library) as left:
            app.state.served = served = Served(library, load or (lambda: library.engine), limits or Limits())
            for path in (*left, *wanted):
                served.jobs.add(path, path.name, 0.0, always=True)
            try:
                yield
            finally:
                served.close()

    app = FastAPI(
        title="asst",
        version=__version__,
        description="The moments of a library of videos that sentences describe.",
        lifespan=living,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    errors.install(app)
    safety.install(app, hosts, access)
    app.state.access = access
    for part in (router, videos.router, searching.router, uploads.router, correcting.router):
        app.include_router(part)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    return app


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request, token: str = "") -> Response:
    """The page; a link with a token goes on to the address without it."""
    access: Access | None = request.app.state.access
    if token and (access is None or access.opens(token)):
        answer = RedirectResponse(f"/?{request.url.remove_query_params('token').query}", 303)
        if access is not None:
            access.admit(request, answer, token)
        return answer
    environment = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=select_autoescape())
    return HTMLResponse(environment.get_template("index.html").render(version=__version__))


@router.post("/api/access", status_code=204, response_class=Response, responses=documented(), tags=["status"])
def enter(request: Request, body: AccessBody) -> Response:
    """Takes the token, which the browser then keeps as a cookie."""
    access: Access | None = request.app.state.access
    answer = Response(status_code=204)
    if access is not None:
        if not access.opens(body.token):
            raise Problem(401, "no_token", "this is not the token; copy it from the link that the server printed")
        access.admit(request, answer, body.token)
    return answer


@router.get("/api/status", responses=documented(), tags=["status"])
def status(served: ServedHere) -> StatusAnswer:
    """What is served."""
    by_content = {video.content: video.duration_s for video in served.library.tables.videos()}
    limits, endings = served.limits, sorted(VIDEO_EXTENSIONS)
    return StatusAnswer(
        version=__version__,
        model=served.library.identity.model,
        ready=served.ready,
        videos=len(by_content),
        hours=round(sum(by_content.values()) / 3600, 6),
        upload=UploadLimits(bytes_most=limits.upload_bytes, seconds_most=limits.upload_s, endings=endings),
    )
