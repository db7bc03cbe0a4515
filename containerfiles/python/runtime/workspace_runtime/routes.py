"""What each method and path does: checks what was asked, asks the plugins or the pool, and puts the answer in words."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable

from workspace_runtime.connection import Connection
from workspace_runtime.crew import Crew
from workspace_runtime.execution import Execution
from workspace_runtime.files import Bundle
from workspace_runtime.given import given_in
from workspace_runtime.http_error import HttpError
from workspace_runtime.outcomes import LoadFailure
from workspace_runtime.plugins import Plugin, Plugins
from workspace_runtime.pool import Pool
from workspace_runtime.request import Request
from workspace_runtime.settings import Settings

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_VERSION_MOST = 256
_loads = json.JSONDecoder().decode
Route = Callable[[Connection, Request], None]
Asked = dict[str, object]


class Routes:
    """`find` gives the handler of a request."""

    def __init__(self, settings: Settings, plugins: Plugins, pool: Pool, crew: Crew) -> None:
        self._settings = settings
        self._plugins = plugins
        self._pool = pool
        self._crew = crew
        self._started = time.monotonic()
        self._exact: dict[str, dict[str, Route]] = {
            "/execute": {"POST": self._execute},
            "/health": {"GET": self._health},
            "/cancel": {"POST": self._cancel},
            "/reload": {"POST": self._reload},
            "/drain": {"POST": self._drain},
        }
        self._one_plugin: dict[str, Route] = {"PUT": self._put, "DELETE": self._delete}

    def find(self, method: str, target: str) -> Route:
        """Raises HttpError for an unknown path or method."""
        methods = self._exact.get(target) or (self._one_plugin if target.startswith("/plugins/") else None)
        if methods is None:
            raise HttpError(404, "not_found", f"There is nothing at {target[:200]}.")
        route = methods.get(method)
        if route is None:
            raise HttpError(405, "method_not_allowed", f"{target[:200]} answers to {', '.join(methods)}.")
        return route

    def gone(self, connection: Connection) -> None:
        """A client went away: nobody wants what it waits for."""
        if connection.waiting is not None:
            self._pool.cancel(connection.waiting.id)

    def _health(self, connection: Connection, _request: Request) -> None:
        pool = self._pool
        told = {
            "status": "draining" if pool.draining else "healthy",
            "uptime": round(time.monotonic() - self._started, 6),
            "runtime": "python",
            "runtimeVersion": sys.version.partition(" ")[0],
            "inflight": pool.inflight,
            "executions": pool.executions,
            "queued": pool.queued,
            "threads": self._crew.alive,
            "stuck": self._crew.leaving,
            "plugins": self._plugins.versions(),
        }
        connection.answer(200, json.dumps(told).encode())

    def _execute(self, connection: Connection, request: Request) -> None:
        if self._pool.draining:
            raise HttpError(503, "draining", "This runtime is draining and takes no new executions.")
        body = bytes(request.body)
        asked = _parsed(body)
        slug, version = asked.get("plugin"), asked.get("version")
        if not isinstance(slug, str):
            raise HttpError(400, "bad_request", '"plugin" must be a slug.')
        plugin = self._plugins.current(slug)
        if plugin is None or version not in (None, plugin.version):
            raise _unknown_version(slug, version, plugin)
        execution = Execution(asked, body, plugin, self._settings, connection)
        connection.waiting = execution
        execution.on_settled = lambda: _forget(connection)
        if not self._pool.submit(execution):
            _forget(connection)
            raise HttpError(400, "duplicate_execution", f"Execution {execution.id} is already under way.")

    def _cancel(self, connection: Connection, request: Request) -> None:
        name = _parsed(bytes(request.body)).get("executionId")
        if not isinstance(name, str):
            raise HttpError(400, "bad_request", '"executionId" must be a string.')
        connection.answer(200, b'{"cancelled":%s}' % (b"true" if self._pool.cancel(name) else b"false"))

    def _put(self, connection: Connection, request: Request) -> None:
        slug = _slug(request.target)
        asked = _parsed(bytes(request.body))
        if asked.get("language") != "python":
            raise HttpError(422, "unsupported_language", 'This runtime runs "language": "python" only.')
        version, code, bundle = asked.get("version"), asked.get("code"), asked.get("bundle")
        if not isinstance(version, str) or not 0 < len(version) <= _VERSION_MOST:
            raise HttpError(422, "invalid", f'"version" must be a string of 1 to {_VERSION_MOST} characters.')
        if bundle is None and not isinstance(code, str):
            raise HttpError(422, "invalid", '"code" must be a string, where there is no "bundle".')
        text = code if isinstance(code, str) else None
        files = None if bundle is None else Bundle.parse(bundle)
        given = given_in(asked)
        self._plugins.put(slug, version, text, files, given, lambda *told: _loaded(connection, *told))

    def _reload(self, connection: Connection, request: Request) -> None:
        slug = _parsed(bytes(request.body)).get("pluginSlug")
        if not isinstance(slug, str):
            raise HttpError(400, "bad_request", '"pluginSlug" must be a string.')
        self._plugins.reload(slug, lambda *told: _loaded(connection, *told))

    def _delete(self, connection: Connection, request: Request) -> None:
        def answer(deleted: bool) -> None:
            connection.answer(200, b'{"deleted":%s}' % (b"true" if deleted else b"false"))

        self._plugins.remove(_slug(request.target), answer)

    def _drain(self, connection: Connection, _request: Request) -> None:
        self._pool.drain(lambda: connection.answer(200, b'{"drained":true}'))


def _forget(connection: Connection) -> None:
    connection.waiting = None


def _loaded(connection: Connection, plugin: Plugin | None, failure: LoadFailure | None, load_ms: float) -> None:
    if failure is not None:
        connection.fail(HttpError(422, "LoadError", failure.message, failure.details))
    elif plugin is None:
        connection.fail(HttpError(404, "unknown_plugin", "There is no plugin of that name here."))
    else:
        told = {"slug": plugin.slug, "version": plugin.version, "loadMs": load_ms}
        connection.answer(200, json.dumps(told).encode())


def _unknown_version(slug: str, version: object, plugin: Plugin | None) -> HttpError:
    has = "no version" if plugin is None else f"version {plugin.version}"
    wanted = "" if version is None else f" and not {str(version)[:_VERSION_MOST]}"
    message = f"This runtime has {has} of {slug[:64]}{wanted}: PUT it, then call again."
    return HttpError(409, "unknown_version", message)


def _slug(target: str) -> str:
    slug = target.removeprefix("/plugins/")
    if not _SLUG.fullmatch(slug):
        raise HttpError(422, "invalid_slug", f"A plugin's slug matches {_SLUG.pattern}.")
    return slug


def _parsed(body: bytes) -> Asked:
    try:
        value = _loads(body.decode())
    except (ValueError, RecursionError):
        raise HttpError(400, "bad_request", "The body is not JSON.") from None
    if not isinstance(value, dict):
        raise HttpError(400, "bad_request", "The body must be a JSON object.")
    return value
