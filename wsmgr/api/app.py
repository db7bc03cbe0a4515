"""Puts the API together."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp

from wsmgr import __version__
from wsmgr.api.execute import ExecuteRoute
from wsmgr.api.gate import Gate
from wsmgr.api.identity import People, Tokens
from wsmgr.api.live import LiveFleet
from wsmgr.api.problems import MEDIA_TYPE, TITLES, problem, problem_of
from wsmgr.api.routes import (
    admin,
    alerts,
    events,
    executions,
    fleet,
    open,  # noqa: A004  # a module, named for its routes
    owners,
    plugins,
    secrets,
    settings,
    usage,
    volumes,
    workspaces,
)
from wsmgr.control.daemon import Daemon
from wsmgr.core.errors import WsmgrError

PATH_SHOWN = 200
"""Characters of a path that go into a sentence."""
_ROUTERS = (
    executions.router,
    workspaces.router,
    plugins.router,
    settings.router,
    secrets.router,
    admin.router,
    owners.router,
    events.router,
    fleet.router,
    alerts.router,
    usage.router,
    volumes.router,
    open.router,
)


def build(daemon: Daemon, people: People, tokens: Tokens) -> ASGIApp:
    """The ASGI application of a daemon."""
    # Handed over as they are: routers that are included have all their routes built anew with the first request.
    routes = [route for router in _ROUTERS for route in router.routes]
    app = FastAPI(
        title="wsmgr", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False, routes=list(routes)
    )
    app.state.daemon = daemon
    app.state.live = LiveFleet(daemon)
    app.state.routes = routes
    app.add_exception_handler(WsmgrError, _on_wsmgr_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    return Gate(app, ExecuteRoute(daemon), people, tokens)


async def _on_wsmgr_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, WsmgrError)  # noqa: S101  # registered for this type alone
    status, body, headers = problem_of(error)
    return Response(body, status, headers={name.decode(): value.decode() for name, value in headers})


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this type alone
    mistakes = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    first = mistakes[0]
    detail = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    if first["type"] == "model_attributes_type" and "json" not in request.headers.get("content-type", ""):
        detail = "The body is read only with the header Content-Type: application/json."
    body = problem(422, "invalid_request", detail, extra={"errors": mistakes})
    return Response(body, 422, media_type=MEDIA_TYPE)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this type alone
    title = TITLES.get(error.status_code, "Error")
    detail, place = str(error.detail), request.url.path[:PATH_SHOWN]
    headers = dict(error.headers or {})
    if error.status_code == 404:
        detail = f"There is nothing at {place}; /openapi.json lists what there is."
    elif error.status_code == 405:
        headers["allow"] = ", ".join(_allowed(request))
        detail = f"{place} answers to {headers['allow']}."
    body = problem(error.status_code, title.lower().replace(" ", "_"), detail)
    return Response(body, error.status_code, headers=headers, media_type=MEDIA_TYPE)


def _allowed(request: Request) -> list[str]:
    """The methods of all routes with this path; the framework names those of the first one alone."""
    methods: set[str] = set()
    for route in request.app.state.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods)
