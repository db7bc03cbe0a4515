"""Control groups in memory that tests program: hosts without them, limits that are refused, freezes that never end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

from wsmgr.core.cgroup import Ceilings, Counters
from wsmgr.core.workspace import Running
from wsmgr.ports.cgroup import Group, GroupGone, GroupRefused

_LOOK_S = 0.005


@dataclass
class FakeGroup:
    """What the kernel knows of one group. Tests may set everything.

    `stuck`: it never stands still. `refuses`: names of Ceilings' fields that the kernel does not take. `reclaims`: what
    a reclaim does to the counters.
    """

    ceilings: Ceilings
    counters: Counters
    frozen: bool = False
    gone: bool = False
    stuck: bool = False
    refuses: set[str] = field(default_factory=set)
    reclaims: Callable[[Counters], Counters] = lambda counters: counters


class FakeCgroups:
    """Behaves as the port says.

    `absent`: the host has no usable groups, nothing is found. `latency_s`: what every asynchronous call takes.
    `asked` records the asynchronous calls in order as (method, handle), `written` what reached the kernel as (handle,
    file, value). A group belongs to an incarnation of a container: when that has ended its group is gone, and the next
    one gets another. `kills` is what the kernel has counted in all groups that ever were.
    """

    def __init__(
        self,
        *,
        absent: bool = False,
        latency_s: float = 0.0,
        ceilings: Callable[[Running], Ceilings] = lambda _running: Ceilings(),
        counters: Callable[[Running], Counters] = lambda _running: Counters(),
    ) -> None:
        self.absent = absent
        self.latency_s = latency_s
        self.asked: list[tuple[str, str]] = []
        self.written: list[tuple[str, str, object]] = []
        self.closed = False
        self.kills: int | None = 0
        self._ceilings = ceilings
        self._counters = counters
        self._groups: dict[str, FakeGroup] = {}
        self._held: dict[str, asyncio.Event] = {}

    # --- what tests program -------------------------------------------------------------------------------------

    def program(self, ceilings: Callable[[Running], Ceilings]) -> None:
        """What groups are held to that come to be from here on."""
        self._ceilings = ceilings

    def behind(self, running: Running) -> FakeGroup:
        """The group of an incarnation, made on first use, also before anybody has found it."""
        path = _path(running)
        if path not in self._groups:
            self._groups[path] = FakeGroup(self._ceilings(running), self._counters(running))
        return self._groups[path]

    @contextmanager
    def held(self, method: str) -> Iterator[None]:
        """Inside the block asynchronous calls of `method` wait before they do anything; they go on at its end."""
        gate = self._held[method] = asyncio.Event()
        try:
            yield
        finally:
            del self._held[method]
            gate.set()

    # --- the port -----------------------------------------------------------------------------------------------

    async def find(self, running: Running, timeout_s: float) -> Group | None:
        """The incarnation's group, unless the host has none or it is gone."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._called("find", running.handle)
        except TimeoutError:
            return None
        if self.absent or self.behind(running).gone:
            return None
        return Group(_path(running), running.handle)

    def ceilings(self, group: Group) -> Ceilings:
        """As they were made or written."""
        return self._live(group).ceilings

    def counters(self, group: Group) -> Counters:
        """As set."""
        return self._live(group).counters

    def kills_around(self, group: Group) -> int | None:
        """As set."""
        del group
        return self.kills

    def frozen(self, group: Group) -> bool:
        """Whether it was asked to."""
        return self._live(group).frozen

    async def apply(self, group: Group, ceilings: Ceilings, timeout_s: float) -> Ceilings:
        """Takes what it does not refuse."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._called("apply", group.handle)
        except TimeoutError:
            raise GroupRefused(f"The kernel did not set the limits within {timeout_s:g} s.") from None
        live = self._live(group)
        given = {one.name: getattr(ceilings, one.name) for one in fields(Ceilings)}
        taken = {name: value for name, value in given.items() if value is not None and name not in live.refuses}
        live.ceilings = replace(live.ceilings, **taken)
        self.written += [(group.handle, name, value) for name, value in taken.items()]
        refused = [name for name, value in given.items() if value is not None and name in live.refuses]
        if refused:
            raise GroupRefused(" ".join(f"The kernel did not take {given[name]} as {name}." for name in refused))
        return live.ceilings

    async def freeze(self, group: Group, timeout_s: float) -> None:
        """Never ends for a group that is stuck, nor while it is held."""
        try:
            async with asyncio.timeout(timeout_s):
                self._live(group).frozen = True
                self.written.append((group.handle, "freeze", 1))
                await self._called("freeze", group.handle)
                await self._until_still(group)
        except TimeoutError:
            self._undo(group)
            raise GroupRefused(f"Not every process stood still within {timeout_s:g} s.") from None
        except BaseException:
            self._undo(group)
            raise

    async def thaw(self, group: Group, timeout_s: float) -> None:
        """At once, unless it is slow or held."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._called("thaw", group.handle)
        except TimeoutError:
            raise GroupRefused(f"The group still stands still {timeout_s:g} s after it was thawed.") from None
        if self._live(group).frozen:
            self._undo(group)

    async def reclaim(self, group: Group, timeout_s: float) -> None:
        """Changes the counters as the group says."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._called("reclaim", group.handle)
        except TimeoutError:
            return
        live = self._live(group)
        live.counters = live.reclaims(live.counters)

    def close(self) -> None:
        """Only noted."""
        self.closed = True

    # --- inside -------------------------------------------------------------------------------------------------

    def _live(self, group: Group) -> FakeGroup:
        known = self._groups[group.path]
        if known.gone:
            raise GroupGone(f"The control group {group.path} does not exist any more.")
        return known

    def _undo(self, group: Group) -> None:
        self._groups[group.path].frozen = False
        self.written.append((group.handle, "freeze", 0))

    async def _until_still(self, group: Group) -> None:
        while self._live(group).stuck:  # noqa: ASYNC110 (tests set it like any other field)
            await asyncio.sleep(_LOOK_S)

    async def _called(self, method: str, handle: str) -> None:
        self.asked.append((method, handle))
        # A real one never answers within one step of the loop.
        await asyncio.sleep(self.latency_s)
        gate = self._held.get(method)
        if gate is not None:
            await gate.wait()


def _path(running: Running) -> str:
    return f"/{running.handle}/{running.endpoint.instance}"
