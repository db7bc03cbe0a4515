"""One asked-for run of one plugin: what was asked, checked, and how to answer it exactly once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping

from workspace_runtime.connection import Connection
from workspace_runtime.http_error import HttpError
from workspace_runtime.settings import Settings

TYPE_CHECKING = False  # `typing` takes milliseconds to import, and is for checkers alone
if TYPE_CHECKING:
    from workspace_runtime.plugins import Plugin
    from workspace_runtime.worker import Worker

_TIMEOUT_DEFAULT_MS = 30_000
_TIMEOUT_MOST_MS = 24 * 3600_000
_OUTPUT_MOST_BYTES = 256 * 1024 * 1024
_LOGS_MOST_BYTES = 2**53 - 1
_ID_MOST = 256
_anonymous = itertools.count(1)


class Execution:
    """`body` is the request as it came: the plugin's process parses it again, so that nothing is copied into a message.
    `worker` is the process that runs it, once there is one."""

    def __init__(
        self, asked: Mapping[str, object], body: bytes, plugin: Plugin, settings: Settings, reply: Connection
    ) -> None:
        given = asked.get("executionId")
        name = f"anonymous-{next(_anonymous)}" if given is None else given
        if not isinstance(name, str) or not 0 < len(name) <= _ID_MOST:
            raise _bad(f'"executionId" must be a string of 1 to {_ID_MOST} characters.')
        self.id = name
        limits = _object(asked, "limits")
        _object(asked, "context")
        self.timeout_ms = _number(asked, "timeoutMs", _TIMEOUT_DEFAULT_MS, 1, _TIMEOUT_MOST_MS)
        self.output_bytes = int(_number(limits, "outputBytes", settings.output_bytes, 1, _OUTPUT_MOST_BYTES))
        self.log_bytes = int(_number(limits, "logBytes", settings.log_bytes, 0, _LOGS_MOST_BYTES))
        stream = asked.get("stream")
        if stream is not None and not isinstance(stream, bool):
            raise _bad('"stream" must be true or false.')
        self.stream = stream is True
        self.body = body
        self.plugin = plugin
        self.reply = reply
        self.worker: Worker | None = None
        self.settled = False
        self.duration_ms = 0.0
        self.order = 0
        self.refusals = 0
        self.on_settled: Callable[[], None] | None = None

    def tell(self, kind: bytes, value: bytes) -> None:
        """A log entry or an emitted value, told at once to who wants a stream."""
        if self.stream:
            self.reply.stream_line(b'{"%s":%s}' % (kind, value))

    def settle(
        self, output: bytes, error: Mapping[str, object] | None, logs: bytes, truncated: bool, duration_ms: float
    ) -> None:
        """Answer the caller. `output` and `logs` are JSON text."""
        self.settled = True
        self.duration_ms = duration_ms
        if self.on_settled is not None:
            self.on_settled()
        result = b'{"success":%s,"output":%s,"error":%s,"logs":[%s],"logsTruncated":%s,"durationMs":%s}' % (
            b"true" if error is None else b"false",
            output,
            b"null" if error is None else json.dumps(error).encode(),
            logs,
            b"true" if truncated else b"false",
            repr(duration_ms).encode(),
        )
        if self.stream:
            self.reply.stream_line(b'{"result":%s}' % result)
            self.reply.stream_end()
        else:
            self.reply.answer(200, result)


def _object(asked: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = asked.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _bad(f'"{name}" must be an object.')
    return value


def _number(asked: Mapping[str, object], name: str, fallback: float, least: float, most: float) -> float:
    value = asked.get(name)
    if value is None:
        return fallback
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise _bad(f'"{name}" must be a number from {least:g} to {most:g}.')
    return value


def _bad(message: str) -> HttpError:
    return HttpError(400, "bad_request", message)
