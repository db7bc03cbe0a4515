"""One call on one unit: sends it, brings the version that is missing, and names what went wrong."""

from __future__ import annotations

from dataclasses import replace

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.configuration import Configuration
from wsmgr.control.entry import Entry
from wsmgr.control.flight import Flight, cancelled_by_caller
from wsmgr.control.plugins import Plugins
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.request import Request
from wsmgr.control.unit import Unit
from wsmgr.core.ids import owner_of
from wsmgr.core.masking import Mask
from wsmgr.core.outcome import Emitted, Failure, FailureType, LogEntry, Outcome
from wsmgr.core.plugin_settings import NO_SETTINGS, PluginSettings
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import (
    Call,
    Channel,
    ChannelClosed,
    ChannelTimeout,
    Listener,
    ProtocolViolation,
    RuntimeBusy,
    UnknownVersion,
)
from wsmgr.ports.clock import Clock

ATTEMPTS = 4
"""How often a call that provably never started is tried again before it is told so."""

CAUSE_WAIT_S = 2.0
"""How long a call whose workspace went away waits for the engine to say why."""


class Calls:
    """Stateless but for its collaborators."""

    def __init__(
        self,
        channel: Channel,
        plugins: Plugins,
        configuration: Configuration,
        reconciler: Reconciler,
        clock: Clock,
        audit: Audit,
    ) -> None:
        self._channel = channel
        self._plugins = plugins
        self._configuration = configuration
        self._reconciler = reconciler
        self._clock = clock
        self._audit = audit

    async def make(self, flight: Flight, entry: Entry, unit: Unit, call: Call) -> Outcome | None:
        """The outcome, or None when the runtime is gone and provably never got the call."""
        request = flight.request
        for _ in range(ATTEMPTS):
            endpoint = unit.endpoint
            if endpoint is None:
                return None
            # Asked for anew by each attempt: once a change of them was answered, no call starts with the old ones.
            settings = await self._settings(request)
            if settings.revision != call.revision:
                call = replace(call, revision=settings.revision)
            try:
                flight.endpoint = endpoint
                listener = _masked(flight.listener, settings.mask)
                return settings.mask.outcome(_said_by_us(flight, await self._channel.execute(endpoint, call, listener)))
            except UnknownVersion:
                refused = await self._sync(request, entry, unit, endpoint, call, settings)
                if refused is not None:
                    return _failed(refused.type, refused.message, stack=refused.stack)
            except RuntimeBusy:
                self._suspect(entry, unit, endpoint, None)
                return None
            except ChannelClosed as error:
                self._suspect(entry, unit, endpoint, None)
                return await self._ended(unit, endpoint, error) if error.sent else None
            except ChannelTimeout:
                self._suspect(entry, unit, endpoint, "It hung: it took a call and gave no answer in time.")
                text = f"The plugin ran longer than {call.timeout_s:g} s and its runtime stopped answering."
                return _failed(FailureType.TIMEOUT, text, duration_ms=call.timeout_s * 1000)
            except ProtocolViolation as error:
                await self._violated(entry, unit, endpoint, error)
                return _failed(FailureType.CRASH, f"The workspace gave an answer that is not allowed: {error}")
        return None

    async def _settings(self, request: Request) -> PluginSettings:
        """Code that a call brings with it is not the plugin whose name it bears, and gets nothing of that one's."""
        if request.inline is not None:
            return NO_SETTINGS
        return await self._configuration.of(owner_of(request.workspace), request.slug)

    async def _sync(
        self, request: Request, entry: Entry, unit: Unit, endpoint: Endpoint, call: Call, settings: PluginSettings
    ) -> Failure | None:
        """Bring the version that the call wants; a Failure when it does not load there."""
        source = request.inline
        if source is None:
            source = await self._plugins.source(owner_of(request.workspace), request.slug, call.version)
        try:
            refused = await self._plugins.push(unit, source, settings)
        except ChannelClosed:
            self._suspect(entry, unit, endpoint, None)
        except ChannelTimeout:
            self._suspect(entry, unit, endpoint, "It hung: it took a plugin and gave no answer in time.")
        except ProtocolViolation as error:
            await self._violated(entry, unit, endpoint, error)
        else:
            # A runtime that is being ended breaks loads off; only one that goes on serving says something of the code.
            return refused if unit.endpoint == endpoint else None
        return None

    async def _violated(self, entry: Entry, unit: Unit, endpoint: Endpoint, error: ProtocolViolation) -> None:
        """Somebody in the workspace tries something: it is replaced, and the audit trail says why."""
        self._suspect(entry, unit, endpoint, f"It broke the protocol: {error}")
        await self._audit.say(DAEMON, "workspace.protocol_violation", str(error), entry.record.id)

    def _suspect(self, entry: Entry, unit: Unit, endpoint: Endpoint, condemned: str | None) -> None:
        if unit.suspect(endpoint, condemned):
            self._channel.forget(endpoint)
        self._reconciler.nudge(entry, unit, look=True)

    async def _ended(self, unit: Unit, endpoint: Endpoint, error: ChannelClosed) -> Outcome:
        """The runtime went away under a call: say why, when the engine can tell soon."""
        failures = unit.restarts
        until = self._clock.monotonic() + CAUSE_WAIT_S
        while unit.endpoint is None and unit.restarts == failures and self._clock.monotonic() < until:
            await unit.change(0.1)
        if unit.endpoint == endpoint or unit.restarts == failures:
            return _failed(FailureType.LOST, f"The workspace went away after the plugin had started: {error}")
        if unit.last_exit is not None and unit.last_exit.oom_killed:
            return _failed(FailureType.OUT_OF_MEMORY, "The workspace ran out of memory and was killed.")
        return _failed(FailureType.CRASH, f"The workspace ended while the plugin ran. {unit.last_failure}")


def _said_by_us(flight: Flight, outcome: Outcome) -> Outcome:
    """The runtime cancels calls when it is asked to for their caller, and when it is told to stop."""
    if outcome.failure is None or outcome.failure.type is not FailureType.CANCELLED:
        return outcome
    if flight.cancelled:
        return replace(outcome, failure=cancelled_by_caller())
    why = "The workspace was stopped or restarted while the plugin ran."
    return replace(outcome, failure=Failure(FailureType.CANCELLED, why))


def _failed(kind: FailureType, message: str, *, duration_ms: float = 0.0, stack: str | None = None) -> Outcome:
    return Outcome(None, Failure(kind, message, stack), (), logs_truncated=False, duration_ms=duration_ms)


def _masked(listener: Listener | None, mask: Mask) -> Listener | None:
    """What is heard while a plugin runs is masked as its outcome is: what it prints, and not what it gives."""
    if listener is None or not mask:
        return listener
    hear = listener

    async def masked(piece: LogEntry | Emitted) -> None:
        await hear(replace(piece, message=mask.text(piece.message)) if isinstance(piece, LogEntry) else piece)

    return masked
