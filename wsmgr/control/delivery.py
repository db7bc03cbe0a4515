"""Tells the receiver of notices of every alert that was raised or resolved, however long that takes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.feed import Feed, Signal, Subscription
from wsmgr.core.alert import Notice
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.ports.clock import Clock
from wsmgr.ports.notifier import NotDelivered, Notifier
from wsmgr.ports.store import AlertStore

log = structlog.get_logger(__name__)

BACKOFF_S = (1.0, 5.0, 30.0, 120.0)
"""The pauses after the first failures; the last one is that after all further ones."""
GIVE_UP_S = 3600.0
"""So long a notice is tried."""
PAST_S = 3 * GIVE_UP_S
"""What was over for so long when it is first tried is not told any more."""
AT_ONCE = 4
"""So many causes are told of at the same time."""
WAITING = 1000
"""So many notices are in memory; what else waits is in the database."""
EVERY_S = 60.0


@dataclass(slots=True)
class _Attempts:
    """What was tried for one notice: how often it failed, since when, and when it is due again (monotonic)."""

    first: float
    due: float
    failures: int = 0


class Delivery:
    """What is to be told is read from the alerts themselves, so that a restart of the daemon loses none of it. The
    notices of one cause are told in order; a receiver that is slow or dead delays nothing else."""

    def __init__(self, notifier: Notifier, store: AlertStore, clock: Clock, audit: Audit, feed: Feed) -> None:
        self._notifier = notifier
        self._store = store
        self._clock = clock
        self._audit = audit
        self._feed = feed
        self._attempts: dict[str, _Attempts] = {}

    async def run(self) -> None:
        """Deliver for ever; cancel it to end."""
        while True:
            with self._feed.subscribe(own=True) as live:
                ended = None
                while ended is None:
                    ended = await self._wait(live, await self._round_if_possible())
                if ended is Signal.CLOSED:
                    return

    async def close(self) -> None:
        """Let go of connections."""
        await self._notifier.close()

    async def _round_if_possible(self) -> float:
        try:
            return await self._round()
        except StoreUnavailable as error:
            log.error("notices not read", why=error.sentence)
        except Exception:
            # Alerts must be told in spite of a defect; the next round tries again.
            log.exception("delivery failed")
        return BACKOFF_S[1]

    async def _round(self) -> float:
        """Try what is due; seconds until something is due again."""
        since = self._clock.now() - timedelta(seconds=PAST_S)
        pending = await self._store.untold(since, WAITING)
        known = {notice.id for notice in pending}
        self._attempts = {key: value for key, value in self._attempts.items() if key in known}
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._tell_in_order(notices, gate) for notices in _by_cause(pending)))
        dues = [attempts.due for attempts in self._attempts.values()]
        return max(0.0, min(dues, default=self._clock.monotonic() + EVERY_S) - self._clock.monotonic())

    async def _tell_in_order(self, notices: Sequence[Notice], gate: asyncio.Semaphore) -> None:
        async with gate:
            for notice in notices:
                if not await self._is_settled(notice):
                    return

    async def _is_settled(self, notice: Notice) -> bool:
        """Tell it, if it is due. True when it was delivered or is given up, so that the next of its cause may come."""
        now = self._clock.monotonic()
        attempts = self._attempts.setdefault(notice.id, _Attempts(now, now))
        if now < attempts.due:
            return False
        try:
            await self._notifier.deliver(notice)
        except NotDelivered as error:
            if not self._has_given_up(attempts):
                log.warning("notice not delivered", alert=notice.alert.id, stage=notice.stage.value, why=str(error))
                return False
            await self._audit.say(DAEMON, "alert.not_delivered", str(error), notice.alert.workspace)
        await self._store.told(notice, self._clock.now())
        self._attempts.pop(notice.id, None)
        return True

    def _has_given_up(self, attempts: _Attempts) -> bool:
        """Count a failure; when it is due again, unless it was tried for too long."""
        now = self._clock.monotonic()
        attempts.due = now + BACKOFF_S[min(attempts.failures, len(BACKOFF_S) - 1)]
        attempts.failures += 1
        return attempts.due - attempts.first > GIVE_UP_S

    async def _wait(self, live: Subscription, seconds: float) -> Signal | None:
        """Until something is due, or an alert was raised or resolved; what else happens is passed over."""
        until = self._clock.monotonic() + seconds
        while True:
            heard = await live.next(max(0.0, until - self._clock.monotonic()))
            if heard is Signal.SILENCE:
                return None
            if isinstance(heard, Signal):
                return heard
            if _is_news(heard):
                return None


def _is_news(event: Event) -> bool:
    return event.action in {"alert.raised", "alert.resolved"}


def _by_cause(pending: Iterable[Notice]) -> list[list[Notice]]:
    found: dict[str, list[Notice]] = {}
    for notice in pending:
        found.setdefault(notice.alert.cause, []).append(notice)
    return list(found.values())
