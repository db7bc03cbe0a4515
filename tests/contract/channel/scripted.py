"""A correct runtime over the scripted server, whose behaviour is steered by a FakeRuntime record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.contract.channel.server import LAST_CHUNK, STREAM_HEAD, Request, RuntimeServer, Wire, answer, chunk, raw
from tests.fakes.channel import FakeRuntime, Mood, echo
from wsmgr.core.ids import ExecutionId, Slug, Version
from wsmgr.core.masking import Mask
from wsmgr.core.outcome import Emitted, Failure, FailureType, LogEntry, Outcome
from wsmgr.core.plugin import Language, PluginSource
from wsmgr.core.plugin_settings import PluginSettings, runtime_version
from wsmgr.core.secret import Secret, SecretName
from wsmgr.ports.channel import Call


def _error(failure: Failure) -> dict[str, object]:
    fields = {"type": failure.type.value, "message": failure.message, "stack": failure.stack, "name": failure.name}
    return {name: value for name, value in fields.items() if value is not None}


def _fields(outcome: Outcome) -> dict[str, object]:
    return {
        "success": outcome.failure is None,
        "output": outcome.output,
        "error": outcome.failure and _error(outcome.failure),
        "logs": [_entry(entry) for entry in outcome.logs],
        "logsTruncated": outcome.logs_truncated,
        "durationMs": outcome.duration_ms,
    }


def _entry(entry: LogEntry) -> dict[str, object]:
    return {"t": entry.t, "level": entry.level, "message": entry.message}


def _line(piece: LogEntry | Emitted | Outcome) -> bytes:
    match piece:
        case LogEntry():
            return chunk({"log": _entry(piece)})
        case Emitted():
            return chunk({"emit": piece.value})
        case Outcome():
            return chunk({"result": _fields(piece)})


def _refusal(status: int, kind: str) -> bytes:
    return answer({"error": {"type": kind, "message": "no"}}, status)


class ScriptedRuntime:
    """Routes requests as the runtime contract says, and misbehaves as its mood says."""

    def __init__(self, server: RuntimeServer) -> None:
        self.runtime = FakeRuntime()
        self.held = False
        self._server = server
        server.script = self._script

    async def until(self, holds: Callable[[FakeRuntime], bool]) -> None:
        """Wait until the record is in a state."""
        await self._server.until(lambda: holds(self.runtime))

    def kill(self) -> None:
        """Unbind and drop everything, as the death of the process does."""
        self._server.path.unlink()
        for wire in list(self._server.wires):
            wire.writer.transport.abort()

    async def _script(self, request: Request, wire: Wire) -> bytes | None:
        match self.runtime.mood:
            case Mood.ABSENT | Mood.DYING:
                return None
            case Mood.GARBLED:
                return raw(b"<html>It works!</html>")
            case Mood.SILENT:
                await wire.until_closed()
                return None
            case Mood.WELL | Mood.DRAINING:
                return await self._route(request, wire)

    async def _route(self, request: Request, wire: Wire) -> bytes | None:
        if request.path == "/health":
            return self._health()
        if request.path == "/execute":
            return await self._execute(request, wire)
        if request.path == "/cancel":
            return self._cancel(ExecutionId(str(request.json()["executionId"])))
        slug = Slug(request.path.removeprefix("/plugins/"))
        if request.method == "DELETE":
            return answer({"deleted": self.runtime.plugins.pop(slug, None) is not None})
        return self._put(slug, request)

    def _health(self) -> bytes:
        draining = self.runtime.mood is Mood.DRAINING
        held = self.runtime.settings
        plugins = {
            slug: runtime_version(one.version, held[slug].revision) for slug, one in self.runtime.plugins.items()
        }
        counts = {"inflight": self.runtime.inflight, "executions": len(self.runtime.calls)}
        status = "draining" if draining else "healthy"
        return answer({"status": status, "uptime": 1.0, "runtime": "fake", "plugins": plugins, **counts})

    def _put(self, slug: Slug, request: Request) -> bytes:
        if slug in self.runtime.refuses:
            return answer({"error": _error(self.runtime.refuses[slug])}, 422)
        asked = request.json()
        version, revision = _names(asked)
        self.runtime.plugins[slug] = PluginSource(slug, version, Language(str(asked["language"])), str(asked["code"]))
        self.runtime.settings[slug] = _settings(asked, revision)
        return answer({"slug": slug, "version": asked["version"], "loadMs": 1.0})

    def _cancel(self, execution: ExecutionId) -> bytes:
        known = execution in self.runtime.running
        if known:
            self.runtime.ended.append(execution)
            self.runtime.running[execution].set()
        return answer({"cancelled": known})

    async def _execute(self, request: Request, wire: Wire) -> bytes | None:
        if self.runtime.mood is Mood.DRAINING:
            return _refusal(503, "draining")
        asked = request.json()
        slug = Slug(str(asked["plugin"]))
        held = self.runtime.plugins.get(slug)
        if held is None or (held.version, self.runtime.settings[slug].revision) != _names(asked):
            return _refusal(409, "unknown_version")
        call = _call(asked)
        self.runtime.calls.append(call)
        said = self.runtime.says.get(call.plugin, ())
        streams = asked.get("stream") is True
        if streams:
            wire.writer.write(STREAM_HEAD + b"".join(map(_line, said)))
        if not self.held:
            outcome = self.runtime.does.get(call.plugin, echo)(call)
        elif await self._ended(call, wire):
            logs = tuple(piece for piece in said if isinstance(piece, LogEntry))
            outcome = Outcome(None, Failure(FailureType.CANCELLED, "ended"), logs, logs_truncated=False, duration_ms=1)
        else:
            return None
        return _line(outcome) + LAST_CHUNK if streams else answer(_fields(outcome))

    async def _ended(self, call: Call, wire: Wire) -> bool:
        """Hold it until it is cancelled by its id (True), or its caller goes."""
        ended = self.runtime.running[call.execution] = asyncio.Event()
        self.runtime.inflight += 1
        await self._server.tell()
        waits = {asyncio.ensure_future(ended.wait()), asyncio.ensure_future(wire.until_closed())}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        self.runtime.inflight -= 1
        del self.runtime.running[call.execution]
        if not ended.is_set():
            self.runtime.cancelled.append(call)
        return ended.is_set()


def _names(asked: dict[str, object]) -> tuple[Version, str]:
    version, _, revision = str(asked["version"]).partition(".")
    return Version(version), revision


def _settings(asked: dict[str, object], revision: str) -> PluginSettings:
    config, given = asked.get("config", {}), asked.get("secrets", {})
    assert isinstance(config, dict)
    assert isinstance(given, dict)
    secrets = {SecretName(name): Secret(value) for name, value in given.items()}
    return PluginSettings(config, secrets, revision, Mask(secrets.values()))


def _call(asked: dict[str, object]) -> Call:
    context, limits, timeout_ms = asked["context"], asked["limits"], asked["timeoutMs"]
    assert isinstance(context, dict)
    assert isinstance(limits, dict)
    assert isinstance(timeout_ms, int)
    version, revision = _names(asked)
    return Call(
        execution=ExecutionId(str(asked["executionId"])),
        plugin=Slug(str(asked["plugin"])),
        version=version,
        input=asked["input"],
        context=context,
        timeout_s=timeout_ms / 1000,
        output_bytes=limits["outputBytes"],
        log_bytes=limits["logBytes"],
        revision=revision,
    )
