"""What must hold while nothing is broken: a rest in which nothing runs, and the exam at the end of a soak."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.soak import draw, gauge, promises
from tests.soak.acts import Call, How, Place
from tests.soak.authors import Author
from tests.soak.callers import Caller
from tests.soak.keepers import holding
from tests.soak.stage import Stage
from wsmgr.client import ApiError, AsyncClient

SERVED_WITHIN_S = 60.0
REACHED_WITHIN_S = 60.0
STOPPED_WITHIN_S = 30.0
SETTLES_S = 2.0


class Exam:
    """Everything here happens in a calm."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._ledger = stage.ledger
        self._examiner = Caller(stage, 99)

    async def prepare(self, authors: list[Author]) -> None:
        """Plans, and a first version of what is always there."""
        async with self._stage.client() as client:
            for owner, plan in draw.PLANS.items():
                await client.put_owner(owner, plan=plan)
            for author in authors:
                await author.first(client)

    async def rest(self) -> gauge.Reading | None:
        """Have everybody served, stop every workspace, and see what the daemon holds then; None when it has ended."""
        async with self._stage.client() as client:
            await asyncio.gather(*(self._is_served(client, place) for place in draw.CALLED))
            wishes = await promises.of_wishes(client, self._ledger.desired, "In a calm")
            self._note(wishes)
            await asyncio.gather(*(self._stop(client, place) for place in draw.EVERY))
            await self._reach(self._all_gone, STOPPED_WITHIN_S, "Every workspace was stopped")
        return await asyncio.to_thread(gauge.settled, self._stage.daemon.pid, SETTLES_S)

    async def sit(self) -> None:
        """Everybody is served again; what is wanted outlives a kill -9 at once after it was said; all promises hold."""
        async with self._stage.client() as client:
            await asyncio.gather(*(self._is_served(client, place) for place in draw.CALLED))
            endings = draw.endings(draw.random_of(self._stage.seed, "endings"))
            await asyncio.gather(*(client.put_workspace(w, wish) for w, wish in endings.items()))  # type: ignore[arg-type]
            self._stage.daemon_goes()
            await asyncio.to_thread(self._stage.daemon.kill)
        await self._stage.start_daemon()
        async with self._stage.client() as client:
            wishes = {workspace: {wish} for workspace, wish in endings.items()}
            self._note(await promises.of_wishes(client, wishes, "After a kill -9"))
            await self._reach(
                lambda: self._as_wanted(client, endings), REACHED_WITHIN_S, "Everything came to be as it is wanted"
            )
            self._note(await promises.audit(client, self._ledger, self._stage.witness))
            self._note(await promises.of_rest(client))

    async def _stop(self, client: AsyncClient, place: Place) -> None:
        try:
            await client.stop(place.workspace, wait=STOPPED_WITHIN_S)
        except ApiError as error:
            if error.code != "not_found":
                raise
            return
        if place in draw.STILL:
            self._ledger.desired[place.workspace] = {"STOPPED"}

    async def _is_served(self, client: AsyncClient, place: Place) -> None:
        """A call succeeds, at once or after what an operator would do about ERROR."""
        call = Call(place, How.OK, draw.STORED, ms=0, named=True, twice=False, pause_s=0.0)
        deadline = asyncio.get_running_loop().time() + SERVED_WITHIN_S
        while not await self._examiner.succeeds(client, call):
            if asyncio.get_running_loop().time() > deadline:
                shown = await client.workspace(place.workspace)
                self._ledger.violation(
                    f"{place.workspace} served no call within {SERVED_WITHIN_S:.0f} s of peace: it is {shown.status}, "
                    f"{shown.reason}"
                )
                return

    async def _all_gone(self) -> str | None:
        left = await asyncio.to_thread(self._stage.daemon.containers)
        told = "; ".join(f"{one['Names']} {one['State']} {one['Labels']}" for one in left)
        return f"{len(left)} containers are there: {told}" if left else None

    async def _as_wanted(self, client: AsyncClient, wanted: dict[str, str]) -> str | None:
        shown = {one.id: one for one in await client.admin_workspaces()}
        late = [name for name, wish in wanted.items() if name not in shown or holding(shown[name].status) != wish]
        running = {one["Labels"]["wsmgr.workspace"] for one in await asyncio.to_thread(self._stage.daemon.containers)}
        wrong = running ^ {workspace for workspace, wish in wanted.items() if wish == "RUNNING"}
        if not late and not wrong:
            return None
        return f"{late} are not as they are wanted, and of {sorted(wrong)} podman says otherwise"

    async def _reach(self, look: Callable[[], Awaitable[str | None]], seconds: float, what: str) -> None:
        """Look until nothing is the matter, for so many seconds at the most."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (why := await look()) is not None:
            if asyncio.get_running_loop().time() > deadline:
                self._ledger.violation(f"{what} must hold within {seconds:.0f} s, and {why}.")
                return
            await asyncio.sleep(0.3)

    def _note(self, wrong: list[str]) -> None:
        for sentence in wrong:
            self._ledger.violation(sentence)
