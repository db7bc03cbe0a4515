"""Start, background loops, and the end of a daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from wsmgr.control.adoption import Adoption
from wsmgr.control.alerts import Alerts
from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.callbacks import Callbacks
from wsmgr.control.configuring import Configuring
from wsmgr.control.delivery import Delivery
from wsmgr.control.engines import Engines
from wsmgr.control.executions import Executions
from wsmgr.control.feed import Feed
from wsmgr.control.fleet import Fleet
from wsmgr.control.fullness import Fullness
from wsmgr.control.health import Health
from wsmgr.control.holding import Holding
from wsmgr.control.idle import Idle
from wsmgr.control.plans import Plans
from wsmgr.control.queue import Queue
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.retention import Retention
from wsmgr.control.tasks import end_all
from wsmgr.control.usage import Usage
from wsmgr.control.validation import Validation
from wsmgr.control.wishes import Wishes
from wsmgr.control.workspaces import Workspaces
from wsmgr.core.errors import StoreUnavailable, WsmgrError
from wsmgr.ports.channel import Channel
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between two runs of each background loop."""

    resync_s: float
    health_s: float
    sample_s: float


class Lifecycle:
    """Owns the background tasks. `start` once, then `stop` (and `hurry` where that is cancelled), then `close`."""

    def __init__(
        self,
        *,
        store: Store,
        configuring: Configuring,
        engines: Engines,
        channel: Channel,
        plans: Plans,
        fleet: Fleet,
        reconciler: Reconciler,
        adoption: Adoption,
        executions: Executions,
        queue: Queue,
        callbacks: Callbacks,
        workspaces: Workspaces,
        health: Health,
        holding: Holding,
        wishes: Wishes,
        idle: Idle,
        clock: Clock,
        audit: Audit,
        rhythm: Rhythm,
        feed: Feed,
        alerts: Alerts,
        retention: Retention,
        usage: Usage,
        fullness: Fullness,
        delivery: Delivery | None,
        validation: Validation,
    ) -> None:
        self._store = store
        self._configuring = configuring
        self._engines = engines
        self._channel = channel
        self._plans = plans
        self._fleet = fleet
        self._reconciler = reconciler
        self._adoption = adoption
        self._executions = executions
        self._queue = queue
        self._callbacks = callbacks
        self._workspaces = workspaces
        self._clock = clock
        self._audit = audit
        self._health = health
        self._holding = holding
        self._wishes = wishes
        self._idle = idle
        self._rhythm = rhythm
        self._feed = feed
        self._alerts = alerts
        self._delivery = delivery
        self._retention = retention
        self._usage = usage
        self._fullness = fullness
        self._validation = validation
        self._dropped = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Read the plans, open the store, tell what a crash lost, adopt what runs. Raises InvalidPlans,
        StoreUnavailable, SecretsUnavailable."""
        await self._plans.load()
        await self._store.open()
        await self._configuring.open()
        lost = await self._store.lose_running()
        await self._fleet.load()
        await self._queue.load()
        await self._usage.open()
        await self._engines.open()
        await self._fullness.sweep()
        adopted = await self._adoption.sweep()
        await self._audit.say(
            DAEMON,
            "daemon.started",
            f"{len(self._fleet)} workspaces known, {adopted} adopted, {lost} calls lost by the last daemon.",
        )
        await self._adoption.start_wanted()
        self._tasks = [
            asyncio.create_task(self._engines.watch(), name="engines"),
            asyncio.create_task(self._every(self._rhythm.resync_s, self._resync), name="resync"),
            asyncio.create_task(self._every(self._rhythm.health_s, self._health.sweep), name="health"),
            asyncio.create_task(self._every(self._rhythm.health_s, self._holding.sweep), name="holding"),
            asyncio.create_task(self._every(self._rhythm.sample_s, self._fullness.sweep), name="fullness"),
            asyncio.create_task(self._every(1.0, self._idle.sweep), name="idle"),
            asyncio.create_task(self._alerts.watch(), name="alerts"),
            asyncio.create_task(self._every(5.0, self._write_behind), name="write behind"),
            asyncio.create_task(self._retention.run(), name="retention"),
            asyncio.create_task(self._usage.run(), name="usage"),
            asyncio.create_task(self._queue.run(), name="queue"),
            asyncio.create_task(self._callbacks.run(), name="callbacks"),
        ]
        if self._delivery is not None:
            self._tasks.append(asyncio.create_task(self._delivery.run(), name="delivery"))

    async def stop(self, deadline_s: float, *, keep: bool) -> None:
        """Refuse calls, let those in flight end, stop all workspaces (unless `keep`). Bounded in time. What else is
        under way can still be answered, until `close`."""
        await self._queue.stop()
        self._executions.refuse()
        drained = await self._executions.drain(deadline_s / 2)
        if not drained:
            log.warning("calls were still in flight at the deadline", inflight=self._executions.inflight)
        await self._usage.last_look()
        left = 0 if keep else await self._workspaces.stop_all(deadline_s / 2)
        if left:
            log.warning("workspaces were still there at the deadline", left=left)
        await self._queue.close()
        await self._end_loops()
        await self._wishes.close()
        kept = "Workspaces were left running for the next daemon." if keep else "All workspaces were stopped."
        await self._audit.say(DAEMON, "daemon.stopped", f"{left} workspaces are left." if left else kept)
        # Before the server ends: it waits for answers that have no end.
        self._feed.close()
        try:
            await self._fleet.flush()
        except StoreUnavailable as error:
            log.error("last activity not stored", why=error.sentence)

    async def hurry(self) -> None:
        """After a `stop` that was cancelled: begin nothing more, and end the streams of events."""
        await self._end_loops()
        self._feed.close()

    async def close(self) -> None:
        """Let go of everything. The server has ended before: whoever is answered finds what was done for him kept."""
        if self._delivery is not None:
            await self._delivery.close()
        await self._queue.close()
        await self._callbacks.close()
        await self._usage.close()
        await self._validation.close()
        await self._channel.close()
        await self._engines.close()
        await self._store.close()

    async def _end_loops(self) -> None:
        await end_all(self._tasks)
        await self._reconciler.close()

    async def _write_behind(self) -> None:
        await self._fleet.flush()
        dropped, self._dropped = self._store.dropped_notes - self._dropped, self._store.dropped_notes
        if dropped:
            log.error("execution records were dropped: the database does not keep up", dropped=dropped)

    async def _resync(self) -> None:
        await self._adoption.sweep()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        took = 0.0
        while True:
            # What the work takes is part of its period, so that one slow workspace does not put off the next sweep.
            await self._clock.sleep(max(seconds - took, seconds / 10))
            began = self._clock.monotonic()
            try:
                await work()
            except WsmgrError as error:
                log.warning("background work not done", work=getattr(work, "__qualname__", ""), why=error.sentence)
            except Exception:
                # A background loop that ended would be missed only much later; the defect is logged and it goes on.
                log.exception("background work failed", work=getattr(work, "__qualname__", str(work)))
            took = self._clock.monotonic() - began
