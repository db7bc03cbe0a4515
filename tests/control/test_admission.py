"""No more of anything is let in than the plan says, whatever comes at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.fakes.channel import FakeChannel
from tests.fakes.daemon import FakeDaemon, until
from tests.fakes.engine import FakeEngine
from wsmgr.core.errors import NeverStarted, NotFound, QuotaExceeded, WsmgrError
from wsmgr.core.execution import Execution
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.limit_table import LimitValue
from wsmgr.core.limits import FREE
from wsmgr.core.owner import Owner
from wsmgr.core.workspace import HOLDING, Desired

ALICE = OwnerKey("user:alice")
NAMES = [WorkspaceId(f"user:alice~w{n}") for n in range(9)]


async def choose(system: FakeDaemon, plan: str | None = None, **overrides: LimitValue) -> None:
    """For alice."""
    await system.daemon.owners.put(Owner(ALICE, plan, overrides=overrides), "uid:0")


async def results(*calls: Awaitable[Execution]) -> tuple[list[Execution], list[WsmgrError]]:
    """Those that ran, and those that were refused."""
    ended = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in ended if isinstance(one, WsmgrError)]
    served = [one for one in ended if isinstance(one, Execution)]
    assert len(refused) + len(served) == len(ended), ended
    return served, refused


class Counting(FakeEngine):
    """`most` containers ran at once; starts and stops take a while."""

    most = 0

    async def start(self, handle: str) -> None:
        """Slowly."""
        await asyncio.sleep(0.05)
        await super().start(handle)
        self.most = max(self.most, len(self.running()))

    async def stop(self, handle: str, grace_s: float) -> None:
        """Slower."""
        await asyncio.sleep(0.3)
        await super().stop(handle, grace_s)


class Crowd(FakeDaemon):
    """On such an engine."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(state_dir)
        self.channel = FakeChannel(latency_s=0.2)
        self.engine = self.counting = Counting(Isolation.CONTAINER)
        self.daemon = self._compose()


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Crowd]:
    """Started, with the plugin `echo` of alice stored; stopped at the end."""
    crowd = Crowd(tmp_path)
    await crowd.start()
    await crowd.put()
    yield crowd
    await crowd.stop()


async def test_a_hundred_calls_to_a_hundred_workspaces_run_in_three(crowd: Crowd) -> None:
    """The others are refused with the limit and the usage, and never become a container."""
    await choose(crowd, "PRO")
    served, refused = await results(*(crowd.execute(f"user:alice~w{n}") for n in range(100)))
    assert (len(served), len(refused), crowd.counting.most) == (3, 97, 3)
    for error in refused:
        assert isinstance(error, QuotaExceeded)
        assert error.details == {"limit": "maxConcurrentWorkspaces", "allowed": 3, "used": 3}
    assert len(await crowd.store.workspaces()) == 3


@pytest.mark.parametrize("seed", range(12))
async def test_never_more_containers_than_places(crowd: Crowd, seed: int) -> None:
    """Calls, starts, stops, restarts, removals and plans that change, in any order: at no moment do more run than the
    largest plan of that time allowed, and none is wanted beyond it."""
    await choose(crowd, maxConcurrentWorkspaces=3)
    draw = random.Random(seed)  # noqa: S311  # a seed, so that a failure comes again
    verbs = crowd.daemon.workspaces

    async def delete(workspace: WorkspaceId, actor: str) -> None:
        await verbs.delete(workspace, actor, 0)

    acts: list[Callable[[WorkspaceId], Awaitable[object]]] = [
        *[crowd.execute] * 5,
        lambda one: verbs.put(one, Desired.RUNNING, "uid:0"),
        lambda one: verbs.stop(one, "uid:0"),
        lambda one: verbs.restart(one, "uid:0"),
        lambda one: delete(one, "uid:0"),
        lambda _: choose(crowd, maxConcurrentWorkspaces=draw.choice([1, 2, 3])),
    ]

    async def act() -> None:
        try:
            await draw.choice(acts)(draw.choice(NAMES))
        except (QuotaExceeded, NotFound, NeverStarted):
            return

    running: set[asyncio.Task[None]] = set()
    for _ in range(400):
        task = asyncio.create_task(act())
        running.add(task)
        task.add_done_callback(running.discard)
        await asyncio.sleep(draw.choice([0, 0, 0, 0.05, 0.5]))
        held = [entry for entry in crowd.daemon.fleet if entry.record.desired in HOLDING]
        assert len(held) <= 3
    await asyncio.gather(*running)
    assert crowd.counting.most == 3


async def test_the_next_one_starts_when_the_one_before_has_gone(crowd: Crowd) -> None:
    """Stopped is not gone yet: the place is given on when the container is."""
    await crowd.execute("user:alice~w0")
    await crowd.daemon.workspaces.stop(NAMES[0], "uid:0")
    record = await crowd.execute("user:alice~w1")
    assert record.cold_start
    assert (crowd.counting.most, crowd.engine.running()) == (1, {NAMES[1]})


async def test_an_owners_total_of_memory_bounds_its_workspaces(system: FakeDaemon) -> None:
    """Fewer than the number that the plan allows; other owners are not concerned."""
    await choose(system, "PRO", ownerMemoryMb=1100)
    await system.put("user:bob")
    served, refused = await results(*(system.execute(name) for name in NAMES))
    assert len(served) == 2
    assert {error.details["limit"] for error in refused} == {"ownerMemoryMb"}
    assert (await system.execute("user:bob")).outcome is not None


async def test_a_refusal_says_when_the_next_place_is_free(system: FakeDaemon) -> None:
    """When the owner's other workspace will have been idle for long enough."""
    await system.execute("user:alice~w0")
    await asyncio.sleep(20)
    with pytest.raises(QuotaExceeded) as refused:
        await system.execute("user:alice~w1")
    assert refused.value.retry_after == pytest.approx(40, abs=1)
    await asyncio.sleep(42)
    assert (await system.execute("user:alice~w1")).cold_start


async def test_no_workspace_is_made_for_a_call_that_cannot_run(system: FakeDaemon) -> None:
    """No place for it, or no such plugin."""
    await system.execute("user:alice~w0")
    with pytest.raises(QuotaExceeded):
        await system.execute("user:alice~w1")
    with pytest.raises(NotFound):
        await system.execute("user:carol")
    assert [record.id for record in await system.store.workspaces()] == [NAMES[0]]


async def test_many_first_calls_of_one_workspace_share_it(system: FakeDaemon) -> None:
    """They are one newcomer, and take one place."""
    served, refused = await results(*(system.execute("user:alice~w0") for _ in range(50)))
    assert (len(served), refused) == (50, [])
    assert len(system.engine.running()) == 1


async def test_what_holds_memory_already_goes_on_under_a_smaller_plan(system: FakeDaemon) -> None:
    """Nothing is stopped for it; what has stopped finds no place."""
    await choose(system, "PRO")
    for name in NAMES[:3]:
        await system.execute(name)
    await choose(system, "FREE")
    for name in NAMES[:3]:
        assert (await system.execute(name)).outcome is not None
    await system.daemon.workspaces.stop(NAMES[0], "uid:0", 10)
    with pytest.raises(QuotaExceeded, match="The owner has 2 workspaces in memory and its plan allows 1"):
        await system.execute(NAMES[0])


async def test_the_queue_is_bounded_during_a_cold_start_too(system: FakeDaemon) -> None:
    """Calls that wait for the workspace are as many as those that wait for a turn."""
    most = FREE.limits.concurrent_executions + FREE.limits.queue_length
    served, refused = await results(*(system.execute() for _ in range(most + 40)))
    assert (len(served), len(refused)) == (most, 40)
    assert {error.details["limit"] for error in refused} == {"queueLength"}
    assert system.daemon.fleet.get(WorkspaceId(ALICE)).calls == 0


async def test_calls_over_the_rate_are_refused_until_there_are_tokens(system: FakeDaemon) -> None:
    """Over all of an owner's workspaces; whoever waits as long as he is told is served."""
    await choose(system, "PRO", ratePerSecond=2, rateBurst=10)
    await system.execute("user:alice~w0")
    await system.execute("user:alice~w1")
    await asyncio.sleep(30)
    served, refused = await results(*(system.execute(NAMES[n % 2]) for n in range(25)))
    assert (len(served), len(refused)) == (10, 15)
    assert refused[0].details == {"limit": "rateBurst", "allowed": 10, "used": 10, "ratePerSecond": 2.0}
    assert refused[0].retry_after == pytest.approx(0.5, abs=0.05)
    await asyncio.sleep(0.5)
    assert (await system.execute(NAMES[0])).outcome is not None
    with pytest.raises(QuotaExceeded):
        await system.execute(NAMES[1])
    await system.put("user:bob")
    assert (await system.execute("user:bob")).outcome is not None


async def test_a_refused_call_costs_no_token(system: FakeDaemon) -> None:
    """Nor does it count for the queue."""
    await choose(system, ratePerSecond=0.001, rateBurst=3, queueLength=0, concurrentExecutions=1)
    await system.execute()
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        for _ in range(5):
            with pytest.raises(QuotaExceeded, match="run and 0 wait"):
                await system.execute()
    await call
    assert (await system.execute()).outcome is not None
    with pytest.raises(QuotaExceeded, match="has made 3 calls at once"):
        await system.execute()


async def test_an_owners_calls_at_once_are_bounded_over_its_workspaces(system: FakeDaemon) -> None:
    """The others wait for their turn, and are all served."""
    await choose(system, "PRO", ownerConcurrentExecutions=3)
    await system.execute(NAMES[0])
    await system.execute(NAMES[1])
    with system.channel.held("execute"):
        calls = [asyncio.create_task(system.execute(NAMES[n % 2])) for n in range(8)]
        await asyncio.sleep(1)
        assert sum(system.runtime(name).inflight for name in NAMES[:2]) == 3
    assert len(await asyncio.gather(*calls)) == 8


async def test_who_waits_too_long_for_the_owners_turn_never_started(system: FakeDaemon) -> None:
    """And gives back both turns."""
    await choose(system, "PRO", ownerConcurrentExecutions=1, queueTimeoutMs=2000)
    await system.execute(NAMES[0])
    await system.execute(NAMES[1])
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute(NAMES[0]))
        await until(lambda: system.runtime(NAMES[0]).inflight == 1)
        with pytest.raises(NeverStarted, match="behind other calls of this owner"):
            await system.execute(NAMES[1])
    await call
    assert (await system.execute(NAMES[1])).outcome is not None
    account = system.daemon.fleet.account(ALICE)
    assert (account.turns.running, account.turns.queued) == (0, 0)


async def test_a_plan_that_grows_lets_those_that_wait_run(system: FakeDaemon) -> None:
    """With the next turn that ends."""
    await choose(system, concurrentExecutions=1)
    await system.execute()
    with system.channel.held("execute"):
        calls = [asyncio.create_task(system.execute()) for _ in range(9)]
        await until(lambda: system.runtime().inflight == 1)
        await choose(system, concurrentExecutions=8)
    with system.channel.held("execute"):
        await until(lambda: system.runtime().inflight == 8)
    assert all(record.outcome for record in await asyncio.gather(*calls))


async def test_nothing_is_kept_of_owners_without_a_workspace(system: FakeDaemon) -> None:
    """However many have called."""
    for n in range(20):
        await system.put(f"user:u{n}")
        await system.execute(f"user:u{n}")
        await system.daemon.workspaces.delete(WorkspaceId(f"user:u{n}"), "uid:0", 10)
    assert system.daemon.fleet._accounts == {}


async def test_an_owner_has_no_more_plugins_than_its_plan_allows(system: FakeDaemon) -> None:
    """Also when many are put at once; a version more of one that is there is no plugin more."""
    await choose(system, maxPlugins=4)

    refusals: list[QuotaExceeded] = []

    async def put(slug: str) -> bool:
        try:
            await system.put(slug=slug)
        except QuotaExceeded as error:
            refusals.append(error)
            return False
        return True

    put_in = await asyncio.gather(*(put(f"p{n % 12}") for n in range(24)))
    assert sum(put_in) >= 3
    assert len(await system.daemon.plugins.all(ALICE)) == 4
    assert await put("echo")
    assert not await put("another")
    await system.daemon.plugins.delete(WorkspaceId(ALICE), (await system.daemon.plugins.all(ALICE))[0].slug, "uid:0")
    assert await put("another")
    assert {(error.details["limit"], error.details["used"], error.retryable) for error in refusals} == {
        ("maxPlugins", 4, False)
    }


async def test_of_each_plugin_the_newest_versions_are_kept(system: FakeDaemon) -> None:
    """As many as the plan says, the current one always among them."""
    await choose(system, pluginVersionsKept=3)
    put = [await system.put(slug="many", code=f"export default () => {n}") for n in range(6)]
    slug = (await system.daemon.plugins.all(ALICE))[1].slug
    versions = [one.version for one in await system.daemon.plugins.versions(ALICE, slug)]
    assert versions == put[:2:-1]
    await system.daemon.plugins.rollback(WorkspaceId(ALICE), slug, put[3], "uid:0")
    await system.put(slug="many", code="export default () => 7")
    left = {one.version for one in await system.daemon.plugins.versions(ALICE, slug)}
    assert {put[3]} < left
    assert len(left) == 3
