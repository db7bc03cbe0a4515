"""The client for asyncio programs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx

from wsmgr.client import executing, operations, plugin_operations
from wsmgr.client.connection import client_options, explain, is_event_stream, request_of, transport_options
from wsmgr.client.errors import ApiError, ClientError
from wsmgr.client.executing import ExecutionLines, Heard, cut_short, stream_request
from wsmgr.client.executing import refuse as refuse_call
from wsmgr.client.fleet import SILENCE_S
from wsmgr.client.live import LiveView
from wsmgr.client.method import AsyncMethod
from wsmgr.client.operation import Operation, decode
from wsmgr.client.stream import OPERATION, Stream
from wsmgr.client.target import Target, find_target
from wsmgr.wire.event import Event
from wsmgr.wire.execute import ExecuteResponse
from wsmgr.wire.fleet import FleetUpdate

T = TypeVar("T")


class AsyncClient:
    """The same as `Client`, awaited. Cancelling a call closes its connection."""

    def __init__(
        self,
        socket: Path | str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
        target: Target | None = None,
    ) -> None:
        self.target = target or find_target(socket, url=url, token=token)
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(**transport_options(self.target)), **client_options(self.target)
        )

    async def call(self, operation: Operation[T]) -> T:
        """Do one operation and return its result."""
        request = request_of(self._http, operation)
        try:
            answer = await self._http.send(request)
        except httpx.HTTPError as error:
            raise explain(error, self.target, operation) from error
        return decode(operation, answer.status_code, answer.content)

    async def follow(self, *, after: int | None = None) -> AsyncIterator[Event]:
        """Events of the whole daemon while they happen, without end: first those after the id `after`. Connects anew
        when the connection is lost, and misses nothing then; raises when the first connection fails or is refused."""
        stream = Stream(after)
        while True:
            failure: ClientError | None = None
            try:
                async with self._http.stream(**stream.request()) as answer:
                    if not stream.is_stream(answer):
                        stream.refuse(answer.status_code, await answer.aread())
                    async for line in answer.aiter_lines():
                        event = stream.line(line)
                        if event is not None:
                            yield event
            except httpx.HTTPError as error:
                failure = explain(error, self.target, OPERATION)
            except ApiError as error:
                failure = error
            await asyncio.sleep(stream.pause_after(failure))

    async def fleet(self, *, silence_s: float = SILENCE_S) -> AsyncIterator[FleetUpdate]:
        """The live view of all workspaces: a snapshot, then what changes, and a pulse each second. One connection: it
        never ends but by an error of `wsmgr.client.errors`, also when the daemon says nothing for `silence_s` seconds:
        then it hangs. Asked for again it begins with a snapshot."""
        async for update in LiveView(self.target, silence_s=silence_s).updates():
            yield update

    async def listen(self, operation: Operation[ExecuteResponse]) -> AsyncGenerator[Heard, None]:
        """Do a call, `operations.execute(…)`, and hear what its plugin prints and emits while it runs; the last that
        comes is its result. Whoever stops listening cancels the execution."""
        lines = ExecutionLines()
        try:
            async with self._http.stream(**stream_request(operation)) as answer:
                if not is_event_stream(answer):
                    refuse_call(answer.status_code, await answer.aread())
                async for line in answer.aiter_lines():
                    heard = lines.line(line)
                    if heard is not None:
                        yield heard
                    if isinstance(heard, ExecuteResponse):
                        return
        except httpx.HTTPError as error:
            raise explain(error, self.target, operation) from error
        raise cut_short()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    execute = AsyncMethod(operations.execute)
    execute_later = AsyncMethod(executing.execute_later)
    cancel = AsyncMethod(executing.cancel)
    execution = AsyncMethod(operations.execution)
    executions = AsyncMethod(operations.executions)
    workspaces = AsyncMethod(operations.workspaces)
    workspace = AsyncMethod(operations.workspace)
    put_workspace = AsyncMethod(operations.put_workspace)
    delete_workspace = AsyncMethod(operations.delete_workspace)
    start = AsyncMethod(operations.start)
    stop = AsyncMethod(operations.stop)
    restart = AsyncMethod(operations.restart)
    pause = AsyncMethod(operations.pause)
    resume = AsyncMethod(operations.resume)
    touch = AsyncMethod(operations.touch)
    recover = AsyncMethod(operations.recover)
    put_plugin = AsyncMethod(plugin_operations.put_plugin)
    put_bundle = AsyncMethod(plugin_operations.put_bundle)
    plugin_source = AsyncMethod(plugin_operations.plugin_source)
    plugins = AsyncMethod(plugin_operations.plugins)
    plugin = AsyncMethod(plugin_operations.plugin)
    delete_plugin = AsyncMethod(plugin_operations.delete_plugin)
    rollback = AsyncMethod(plugin_operations.rollback)
    plugin_config = AsyncMethod(plugin_operations.plugin_config)
    put_plugin_config = AsyncMethod(plugin_operations.put_plugin_config)
    secrets = AsyncMethod(plugin_operations.secrets)
    put_secret = AsyncMethod(plugin_operations.put_secret)
    delete_secret = AsyncMethod(plugin_operations.delete_secret)
    rotate_secrets = AsyncMethod(plugin_operations.rotate_secrets)
    workspace_logs = AsyncMethod(operations.workspace_logs)
    workspace_events = AsyncMethod(operations.workspace_events)
    audit = AsyncMethod(operations.audit)
    alerts = AsyncMethod(operations.alerts)
    acknowledge = AsyncMethod(operations.acknowledge)
    workspace_health = AsyncMethod(operations.workspace_health)
    workspace_usage = AsyncMethod(operations.workspace_usage)
    owner_usage = AsyncMethod(operations.owner_usage)
    owner = AsyncMethod(operations.owner)
    owners = AsyncMethod(operations.owners)
    put_owner = AsyncMethod(operations.put_owner)
    patch_owner = AsyncMethod(operations.patch_owner)
    plans = AsyncMethod(operations.plans)
    reload_plans = AsyncMethod(operations.reload_plans)
    capabilities = AsyncMethod(operations.capabilities)
    volumes = AsyncMethod(operations.volumes)
    delete_volume = AsyncMethod(operations.delete_volume)
    host = AsyncMethod(operations.host)
    health = AsyncMethod(operations.health)
    metrics = AsyncMethod(operations.metrics)
    admin_workspaces = AsyncMethod(operations.admin_workspaces)
