"""A daemon for tests of the terminal UI: what `tui.daemon.Daemon` promises, on a table of workspaces.

Answers go through JSON and the operation's own reader, as those of a real daemon do. It can be told to refuse, to hang,
to be gone, and to come back.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel

from tests.client import canned
from tests.tui import scenes
from wsmgr.client import ApiError, ClientError, DaemonUnreachable
from wsmgr.client.operation import Operation
from wsmgr.wire.alert import Alert, AlertPage
from wsmgr.wire.capability import Capability, CapabilityPage
from wsmgr.wire.event import Event, EventPage
from wsmgr.wire.execution import Execution, ExecutionPage
from wsmgr.wire.fleet import FleetCaller, FleetChanges, FleetHost, FleetPulse, FleetSnapshot, FleetUpdate
from wsmgr.wire.names import Status
from wsmgr.wire.owner import Owner
from wsmgr.wire.plan import Plan, PlanPage
from wsmgr.wire.plugin import PluginResult, PluginVersionPage
from wsmgr.wire.problem import Problem
from wsmgr.wire.usage import Usage
from wsmgr.wire.workspace import LogPage, Workspace

T = TypeVar("T")
GONE = DaemonUnreachable("No daemon is running: the socket /run/wsmgr/api.sock does not exist.")
_AFTER: dict[str, tuple[Status, str]] = {
    "start": ("RUNNING", "Running."),
    "stop": ("STOPPED", "Stopped; the next call starts it."),
    "restart": ("RUNNING", "Running."),
    "pause": ("PAUSED", "Paused."),
    "resume": ("RUNNING", "Running."),
    "touch": ("RUNNING", "Running."),
    "recover": ("RUNNING", "Running."),
}


@dataclass(frozen=True)
class Call:
    """One operation as it was asked for."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class FakeDaemon:
    """`live` answers; `lose` breaks every connection with an error until `heal`. `answers` replaces single answers.
    `busy`: so many calls are being answered; `held_is_quiet` leaves those out that a test holds back."""

    workspaces: dict[str, Workspace] = field(default_factory=dict)
    host: FleetHost = field(default_factory=canned.fleet_host)
    caller: FleetCaller = field(default_factory=lambda: FleetCaller(actor="uid:0", role="admin"))
    alerts: list[Alert] = field(default_factory=lambda: [canned.alert(7)])
    events: list[Event] = field(default_factory=lambda: scenes.events(30))
    matrix: list[Capability] = field(default_factory=scenes.matrix)
    executions: list[Execution] = field(default_factory=lambda: scenes.executions(3))
    logs: list[str] = field(default_factory=lambda: [f"line {number}" for number in range(5)])
    usage: Callable[[str], Usage] = field(default=scenes.usage)
    calls: list[Call] = field(default_factory=list)
    failures: dict[str, ClientError] = field(default_factory=dict)
    answers: dict[str, BaseModel] = field(default_factory=dict)
    closed: bool = False
    silent: bool = False
    busy: int = 0
    held_is_quiet: bool = False
    _lost: ClientError | None = None
    _listeners: list[asyncio.Queue[FleetUpdate | ClientError]] = field(default_factory=list)
    _held: dict[str, asyncio.Event] = field(default_factory=dict)

    # ---- what a test does --------------------------------------------------------------------------------------------

    def put(self, *workspaces: Workspace) -> None:
        """Workspaces came or changed."""
        self.workspaces |= {one.id: one for one in workspaces}
        self._tell(FleetChanges(workspaces=list(workspaces), host=None))

    def drop(self, *keys: str) -> None:
        """Workspaces are gone."""
        for key in keys:
            del self.workspaces[key]
        self._tell(FleetChanges(gone=list(keys)))

    def pulse(self) -> None:
        """Nothing is new."""
        self._tell(FleetPulse())

    def lose(self, error: ClientError = GONE) -> None:
        """No connection from now on."""
        self._lost = error
        for queue in self._listeners:
            queue.put_nowait(error)

    def heal(self) -> None:
        """Connections succeed again."""
        self._lost = None

    def refuse(self, call: str, detail: str, status: int = 409, code: str = "conflict") -> None:
        """Refuse a call, named `POST /api/…`."""
        self.failures[call] = refused(status, code, detail)

    def hold(self, call: str) -> asyncio.Event:
        """Answer a call only when the event is set."""
        return self._held.setdefault(call, asyncio.Event())

    def asked(self, method: str = "POST") -> list[str]:
        """The paths that were asked for by a method."""
        return [call.path for call in self.calls if call.method == method]

    # ---- what the UI does --------------------------------------------------------------------------------------------

    async def call(self, operation: Operation[T], /) -> T:
        """Answer one operation."""
        call = Call(operation.method, operation.path, dict(operation.query), operation.body)
        self.calls.append(call)
        self.busy += 1
        try:
            return await self._respond(operation, call)
        finally:
            self.busy -= 1

    async def _respond(self, operation: Operation[T], call: Call) -> T:
        if held := self._held.get(str(call)):
            self.busy -= self.held_is_quiet
            await held.wait()
            self.busy += self.held_is_quiet
        if self._lost is not None:
            raise self._lost
        if failure := self.failures.get(str(call)):
            raise failure
        answer = self.answers.get(str(call)) or self.answer(call)
        return operation.read(b"" if answer is None else answer.model_dump_json().encode())

    async def fleet(self) -> AsyncIterator[FleetUpdate]:
        """A snapshot, then what the test does."""
        if self._lost is not None:
            raise self._lost
        queue: asyncio.Queue[FleetUpdate | ClientError] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            yield through_json(self.caller)
            if not self.silent:
                yield through_json(FleetSnapshot(workspaces=list(self.workspaces.values()), host=self.host))
            while True:
                update = await queue.get()
                if isinstance(update, ClientError):
                    raise update
                yield update
        finally:
            self._listeners.remove(queue)

    async def follow(self, *, after: int | None = None) -> AsyncIterator[Event]:
        """The events after an id; then nothing more happens."""
        for event in reversed(self.events):
            if after is None or event.id > after:
                yield event

    async def close(self) -> None:
        """Close the connections."""
        self.closed = True

    @property
    def listening(self) -> int:
        """How many live views there are."""
        return len(self._listeners)

    def _tell(self, update: FleetUpdate) -> None:
        for queue in self._listeners:
            queue.put_nowait(through_json(update))

    def answer(self, call: Call) -> BaseModel | None:
        """What there is to say to a call. Raises ApiError."""
        for pattern, answer in _ANSWERS:
            if match := re.fullmatch(pattern, str(call)):
                return answer(self, call, *match.groups())
        raise refused(404, "not_found", f"There is no {call.path}.")

    def _verb(self, call: Call, key: str, verb: str) -> Workspace:
        del call
        if key not in self.workspaces:
            raise refused(404, "not_found", f"There is no workspace {key}.")
        status, reason = _AFTER[verb]
        done = self.workspaces[key].model_copy(update={"status": status, "reason": reason})
        self.put(done)
        return done

    def _delete(self, call: Call, key: str) -> None:
        del call
        if key in self.workspaces:
            self.drop(key)

    def _ack(self, call: Call, number: str) -> Alert:
        del call
        known = canned.alert(int(number), by="uid:0")
        self.alerts = [known if one.id == known.id else one for one in self.alerts]
        return known

    def _audit(self, call: Call, *_: str) -> EventPage:
        limit, before = int(call.query.get("limit", 100)), call.query.get("before")
        found = [one for one in self.events if before is None or one.id < int(before)][:limit]
        return EventPage(items=found, next=str(found[-1].id) if len(found) == limit else None)

    def _executions(self, call: Call, *_: str) -> ExecutionPage:
        limit, before = int(call.query.get("limit", 100)), call.query.get("before")
        first = next((at + 1 for at, one in enumerate(self.executions) if one.id == before), 0)
        found = self.executions[first : first + limit]
        more = first + limit < len(self.executions)
        return ExecutionPage(items=found, next=found[-1].id if more else None)


def refused(status: int, code: str, detail: str) -> ApiError:
    """The daemon's refusal."""
    return ApiError(Problem(title=code, status=status, code=code, detail=detail))


def through_json(update: FleetUpdate) -> FleetUpdate:
    """As it comes over the wire: nothing is shared with the sender."""
    return type(update).model_validate(json.loads(update.model_dump_json()))


def daemon_with(workspaces: Iterable[Workspace], **more: Any) -> FakeDaemon:
    """A daemon that has these."""
    return FakeDaemon(workspaces={one.id: one for one in workspaces}, **more)


def _owner(_: FakeDaemon, call: Call, key: str) -> Owner:
    chosen = {"plan": "FREE", "isolation": "worker", "fallback": True} | (call.body or {})
    return Owner(key=key, overrides={}, limits=canned.LIMITS, **chosen)


def _versions(_: FakeDaemon, call: Call, key: str, slug: str) -> PluginVersionPage:
    del call, key
    old = canned.version(slug, current=False).model_copy(
        update={"version": "cd" * 32, "created_at": canned.AT - timedelta(days=1)}
    )
    return PluginVersionPage(items=[canned.version(slug), old])


_W = r"/api/workspaces/([^/]+)"
_ANSWERS: list[tuple[str, Callable[..., BaseModel | None]]] = [
    (rf"POST {_W}/(start|stop|restart|pause|resume|touch|recover)", FakeDaemon._verb),
    (rf"DELETE {_W}", FakeDaemon._delete),
    (r"POST /api/alerts/(\d+)/ack", FakeDaemon._ack),
    (r"GET /api/alerts", lambda fake, _: AlertPage(items=fake.alerts)),
    (r"GET /api/audit", FakeDaemon._audit),
    (rf"GET {_W}/events", FakeDaemon._audit),
    (
        rf"GET {_W}/executions",
        FakeDaemon._executions,
    ),
    (rf"GET {_W}/plugins", lambda _, __, ___: PluginVersionPage(items=[canned.version()])),
    (rf"GET {_W}/plugins/([^/]+)", _versions),
    (
        rf"POST {_W}/plugins/([^/]+)/rollback",
        lambda _, call, __, slug: PluginResult(
            slug=slug, version=(call.body or {}).get("version") or "cd" * 32, reloaded=True
        ),
    ),
    (rf"GET {_W}/logs", lambda fake, call, _: LogPage(items=fake.logs[-int(call.query.get("lines", 100)) :])),
    (rf"GET {_W}/usage", lambda fake, call, _: fake.usage(call.query["range"])),
    (
        r"GET /api/capabilities",
        lambda fake, _: CapabilityPage(items=fake.matrix),
    ),
    (r"GET /api/host", lambda _, __: canned.FIXED["GET", "/api/host"]),
    (
        r"GET /api/plans",
        lambda _, __: PlanPage(
            items=[Plan(name=name, limits=canned.LIMITS) for name in ("FREE", "PRO", "ENTERPRISE")],
            no_plan=canned.LIMITS,
            source="built in",
        ),
    ),
    (r"(?:GET|PATCH) /api/owners/([^/]+)", _owner),
]
