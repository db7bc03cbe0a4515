"""One workspace on one engine, as this process knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from wsmgr.core.cgroup import Ceilings
from wsmgr.core.errors import WsmgrError
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.reconcile import RestartBudget, remember_failure
from wsmgr.core.workspace import Endpoint, Exited, Observed, Phase
from wsmgr.ports.cgroup import Group


@dataclass(frozen=True, slots=True)
class Check:
    """The last health check of one instance. `failures` in a row, up to and with this one."""

    endpoint: Endpoint
    healthy: bool
    at: datetime
    failures: int


@dataclass(slots=True)
class Kernel:
    """The control group of one instance, and what is known of it. `ceilings` are what it was held to at the last look;
    `refused` the limits that the kernel did not take, `unfreezable` that it could not be frozen: neither is tried
    again on this instance. `sought`: it has no group and is to be looked for again."""

    endpoint: Endpoint
    group: Group | None
    ceilings: Ceilings | None = None
    refused: Ceilings | None = None
    unfreezable: bool = False
    sought: bool = False


@dataclass(slots=True)
class Kills:
    """The group of an instance, and how many kills around it were unexplained when it was last seen to run. `fatal`:
    whether one of those since then was its end; None while it has not ended."""

    group: Group
    unexplained: int
    fatal: bool | None = None


class Unit:
    """What is known of one workspace on one engine. Only the reconciler's worker for it writes the public fields;
    calls count themselves (`attend`) and report what they met (`suspect`).

    `belief` is the observed state where the last step proved it, None when the engine must be asked. `endpoint` is
    set while the runtime is known to answer; `awaited` is the instance whose first answer is awaited, and since when.
    `attending` counts calls in flight or waiting. `stopping` is the handle of the instance that was asked to end.
    `checked` is what the prober found last, of this instance or of one before it; `kernel` what its control group says,
    `kills` what is needed to tell after its end whether the kernel killed it;
    `forbidden` why its plan lets it not run on this host.
    """

    def __init__(self, workspace: WorkspaceId, isolation: Isolation, belief: Observed | None) -> None:
        self.workspace = workspace
        self.isolation = isolation
        self.belief = belief
        self.observed = belief
        self.endpoint: Endpoint | None = None
        self.ready_since: datetime | None = None
        self.phase = Phase.STOPPED
        self.reason = "Stopped; the next call starts it."
        self.condemned: str | None = None
        self.failures: tuple[float, ...] = ()
        self.last_failure = ""
        self.last_exit: Exited | None = None
        self.exhausted = False
        self.restarts = 0
        self.attending = 0
        self.stopping: str | None = None
        self.awaited: tuple[Endpoint, float] | None = None
        self.error: WsmgrError | None = None
        self.checked: Check | None = None
        self.kernel: Kernel | None = None
        self.kills: Kills | None = None
        self.forbidden: str | None = None
        self._waiters: dict[asyncio.Future[None], None] = {}

    @property
    def freezable(self) -> bool:
        """Whether what runs can be paused."""
        return self.kernel is not None and self.kernel.group is not None and not self.kernel.unfreezable

    @property
    def check_failures(self) -> int:
        """Health checks that failed in a row; a new instance starts at none."""
        if self.checked is None or self.endpoint not in {None, self.checked.endpoint}:
            return 0
        return self.checked.failures

    @property
    def healthy(self) -> bool | None:
        """What its last check says; a runtime that has just given its first answer is healthy. None: not running."""
        if self.endpoint is None:
            return None
        return self.checked.healthy if self.checked is not None and self.checked.endpoint == self.endpoint else True

    @property
    def last_check(self) -> datetime | None:
        """When a runtime was last asked; its first answer counts."""
        if self.checked is not None and self.endpoint in {None, self.checked.endpoint}:
            return self.checked.at
        return self.ready_since

    @contextmanager
    def attend(self) -> Iterator[None]:
        """Count a call, so that nothing that can wait stops the workspace meanwhile."""
        self.attending += 1
        try:
            yield
        finally:
            self.attending -= 1

    def suspect(self, endpoint: Endpoint, condemned: str | None) -> bool:
        """A call met trouble behind `endpoint`: no other call uses it until the reconciler has looked.

        `condemned` says why that instance must not go on. False when the unit has moved on already.
        """
        if self.endpoint != endpoint:
            return False
        self.endpoint, self.ready_since, self.condemned = None, None, condemned
        return True

    def fail(self, cause: str, now: float, budget: RestartBudget) -> None:
        """Count a failure with its one-sentence cause."""
        self.failures, self.exhausted = remember_failure(self.failures, now, budget)
        self.last_failure = cause
        self.restarts += 1

    def forgive(self) -> None:
        """Forget failures, so that starts are tried again."""
        self.failures, self.exhausted, self.last_failure, self.error = (), False, "", None

    def changed(self) -> None:
        """Wake all that wait for a change."""
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def change(self, timeout_s: float) -> None:
        """Return at the next change, or after `timeout_s`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = None
        try:
            await asyncio.wait({waiter}, timeout=timeout_s)
        finally:
            self._waiters.pop(waiter, None)
