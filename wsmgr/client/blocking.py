"""The client for programs that wait."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx

from wsmgr.client import executing, operations, plugin_operations
from wsmgr.client.asking import PATH as FLEET_PATH
from wsmgr.client.connection import (
    client_options,
    explain,
    is_event_stream,
    request_of,
    stream_options,
    transport_options,
)
from wsmgr.client.errors import ApiError, ClientError
from wsmgr.client.executing import ExecutionLines, Heard, cut_short, stream_request
from wsmgr.client.executing import refuse as refuse_call
from wsmgr.client.failures import silent
from wsmgr.client.fleet import OPERATION as FLEET
from wsmgr.client.fleet import SILENCE_S, FleetLines, ended, refuse
from wsmgr.client.method import Method
from wsmgr.client.operation import Operation, decode
from wsmgr.client.stream import OPERATION, Stream
from wsmgr.client.target import Target, find_target
from wsmgr.wire.event import Event
from wsmgr.wire.execute import ExecuteResponse
from wsmgr.wire.fleet import FleetUpdate

T = TypeVar("T")


class Client:
    """Talks to the daemon at `target`, or where `find_target` finds it. Every method is a row of `operations`, whose
    docstring says what it does; all raise the errors of `wsmgr.client.errors`. Safe to use from several threads."""

    def __init__(
        self,
        socket: Path | str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
        target: Target | None = None,
    ) -> None:
        self.target = target or find_target(socket, url=url, token=token)
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(**transport_options(self.target)), **client_options(self.target)
        )

    def call(self, operation: Operation[T]) -> T:
        """Do one operation and return its result."""
        request = request_of(self._http, operation)
        try:
            answer = self._http.send(request)
        except httpx.HTTPError as error:
            raise explain(error, self.target, operation) from error
        return decode(operation, answer.status_code, answer.content)

    def follow(self, *, after: int | None = None) -> Iterator[Event]:
        """Events of the whole daemon while they happen, without end: first those after the id `after`. Connects anew
        when the connection is lost, and misses nothing then; raises when the first connection fails or is refused."""
        stream = Stream(after)
        while True:
            failure: ClientError | None = None
            try:
                with self._http.stream(**stream.request()) as answer:
                    if not stream.is_stream(answer):
                        stream.refuse(answer.status_code, answer.read())
                    for line in answer.iter_lines():
                        event = stream.line(line)
                        if event is not None:
                            yield event
            except httpx.HTTPError as error:
                failure = explain(error, self.target, OPERATION)
            except ApiError as error:
                failure = error
            time.sleep(stream.pause_after(failure))

    def fleet(self, *, silence_s: float = SILENCE_S) -> Iterator[FleetUpdate]:
        """The live view of all workspaces: a snapshot, then what changes, and a pulse each second. One connection: it
        never ends but by an error of `wsmgr.client.errors`, also when the daemon says nothing for `silence_s` seconds:
        then it hangs. Asked for again it begins with a snapshot."""
        lines = FleetLines()
        try:
            with self._http.stream(**stream_options(FLEET_PATH, silence_s)) as answer:
                if not is_event_stream(answer):
                    refuse(answer.status_code, answer.read())
                for line in answer.iter_lines():
                    update = lines.line(line)
                    if update is not None:
                        yield update
        except httpx.ReadTimeout as error:
            raise silent(self.target, silence_s) from error
        except httpx.HTTPError as error:
            raise explain(error, self.target, FLEET) from error
        raise ended()

    def listen(self, operation: Operation[ExecuteResponse]) -> Generator[Heard, None, None]:
        """Do a call, `operations.execute(…)`, and hear what its plugin prints and emits while it runs; the last that
        comes is its result. Whoever stops listening cancels the execution."""
        lines = ExecutionLines()
        try:
            with self._http.stream(**stream_request(operation)) as answer:
                if not is_event_stream(answer):
                    refuse_call(answer.status_code, answer.read())
                for line in answer.iter_lines():
                    heard = lines.line(line)
                    if heard is not None:
                        yield heard
                    if isinstance(heard, ExecuteResponse):
                        return
        except httpx.HTTPError as error:
            raise explain(error, self.target, operation) from error
        raise cut_short()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    execute = Method(operations.execute)
    execute_later = Method(executing.execute_later)
    cancel = Method(executing.cancel)
    execution = Method(operations.execution)
    executions = Method(operations.executions)
    workspaces = Method(operations.workspaces)
    workspace = Method(operations.workspace)
    put_workspace = Method(operations.put_workspace)
    delete_workspace = Method(operations.delete_workspace)
    start = Method(operations.start)
    stop = Method(operations.stop)
    restart = Method(operations.restart)
    pause = Method(operations.pause)
    resume = Method(operations.resume)
    touch = Method(operations.touch)
    recover = Method(operations.recover)
    put_plugin = Method(plugin_operations.put_plugin)
    put_bundle = Method(plugin_operations.put_bundle)
    plugin_source = Method(plugin_operations.plugin_source)
    plugins = Method(plugin_operations.plugins)
    plugin = Method(plugin_operations.plugin)
    delete_plugin = Method(plugin_operations.delete_plugin)
    rollback = Method(plugin_operations.rollback)
    plugin_config = Method(plugin_operations.plugin_config)
    put_plugin_config = Method(plugin_operations.put_plugin_config)
    secrets = Method(plugin_operations.secrets)
    put_secret = Method(plugin_operations.put_secret)
    delete_secret = Method(plugin_operations.delete_secret)
    rotate_secrets = Method(plugin_operations.rotate_secrets)
    workspace_logs = Method(operations.workspace_logs)
    workspace_events = Method(operations.workspace_events)
    audit = Method(operations.audit)
    alerts = Method(operations.alerts)
    acknowledge = Method(operations.acknowledge)
    workspace_health = Method(operations.workspace_health)
    workspace_usage = Method(operations.workspace_usage)
    owner_usage = Method(operations.owner_usage)
    owner = Method(operations.owner)
    owners = Method(operations.owners)
    put_owner = Method(operations.put_owner)
    patch_owner = Method(operations.patch_owner)
    plans = Method(operations.plans)
    reload_plans = Method(operations.reload_plans)
    capabilities = Method(operations.capabilities)
    volumes = Method(operations.volumes)
    delete_volume = Method(operations.delete_volume)
    host = Method(operations.host)
    health = Method(operations.health)
    metrics = Method(operations.metrics)
    admin_workspaces = Method(operations.admin_workspaces)
