"""Holds what the daemon says at the end against everything that it had promised."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

from tests.soak import draw, judge
from tests.soak.keepers import holding
from tests.soak.ledger import Ledger
from tests.soak.witness import Witness
from wsmgr.client import ApiError, AsyncClient
from wsmgr.wire.event import Event
from wsmgr.wire.execution import Execution

PAGE = 500
AT_ONCE = 8


async def audit(client: AsyncClient, ledger: Ledger, witness: Witness) -> list[str]:
    """What is wrong, in sentences. The daemon must be at rest."""
    return [
        *await of_executions(client, ledger, witness),
        *await of_plugins(client, ledger),
        *await of_events(client, ledger),
    ]


async def of_executions(client: AsyncClient, ledger: Ledger, witness: Witness) -> list[str]:
    """Every id ran at most once, and its record is what its caller was told."""
    runs, boots = witness.runs(), witness.boots()
    wrong = [f"The execution {name} ran {times} times." for name, times in runs.items() if times > 1]
    gate = asyncio.Semaphore(AT_ONCE)

    async def record_of(execution: str) -> Execution | None:
        async with gate:
            try:
                return await client.execution(execution)
            except ApiError as error:
                if error.code != "not_found":
                    raise
                return None

    records = await asyncio.gather(*(record_of(execution) for execution in ledger.told))
    for told, record in zip(ledger.told.values(), records, strict=True):
        watched = judge.is_watched(told.answers, boots)
        wrong += judge.of_record(told, record, runs[told.execution], watched=watched)
    return wrong


async def of_plugins(client: AsyncClient, ledger: Ledger) -> list[str]:
    """Every version that was stored and not deleted is there, and the right one is current."""
    wrong = []
    for (owner, slug), history in ledger.plugins.items():
        try:
            versions = (await client.plugin(owner, slug)).items
        except ApiError as error:
            if error.code != "not_found":
                raise
            versions = []
        current = next((version.version for version in versions if version.current), None)
        if current not in history.current():
            wrong.append(f"Of {owner}'s {slug} {current} is current, not {sorted(map(str, history.current()))}.")
        lost = history.versions.keys() - {version.version for version in versions}
        wrong += [f"The version {version[:12]} of {owner}'s {slug} was stored and is lost." for version in sorted(lost)]
    return wrong


async def of_events(client: AsyncClient, ledger: Ledger) -> list[str]:
    """Every event that was heard is kept, every one that is kept was heard, and each promised act has left one."""
    kept = [event async for event in _all_events(client)]
    by_id = {event.id: event for event in kept}
    wrong = []
    ids = [event.id for event in ledger.heard]
    if ids != sorted(set(ids)):
        wrong.append("Events were heard twice, or out of order.")
    wrong += [
        f"The event {event.id} ({event.action}) was heard and is not kept as it was."
        for event in ledger.heard
        if by_id.get(event.id) != event
    ]
    # The listener went home before the exam.
    missed = {number for number in by_id if number <= max(ids, default=0)} - set(ids)
    wrong += [f"The event {number} ({by_id[number].action}) is kept and was not heard." for number in sorted(missed)]
    there = Counter((event.workspace, event.action, event.reason) for event in kept)
    for promise, times in ledger.promised_events.items():
        if there[promise] < times:
            wrong.append(f"{promise[1]} of {promise[0]} ({promise[2]}) was acknowledged {times} times and is in the "
                         f"audit trail {there[promise]} times.")  # fmt: skip
    return wrong


async def of_wishes(client: AsyncClient, wishes: dict[str, set[str]], why: str) -> list[str]:
    """What is wanted of each workspace is what was last said."""
    wrong = []
    for workspace, possible in wishes.items():
        try:
            desired = holding(str((await client.workspace(workspace)).desired))
        except ApiError as error:
            if error.code != "not_found":
                raise
            desired = "GONE"
        if desired not in possible and not (desired == "ABSENT" and "GONE" in possible):
            wrong.append(f"{why}: {desired} is wanted of {workspace}, and {sorted(possible)} was said last.")
    return wrong


async def of_rest(client: AsyncClient) -> list[str]:
    """Nothing is the matter any more."""
    wrong = [f"An alert is open while nothing is the matter: {one.sentence}" for one in (await client.alerts()).items]
    shown = {one.id: one for one in await client.admin_workspaces()}
    wrong += [f"{place.workspace} is not known any more." for place in draw.CALLED if place.workspace not in shown]
    return wrong


async def _all_events(client: AsyncClient) -> AsyncIterator[Event]:
    before: str | None = None
    while True:
        page = await client.audit(limit=PAGE, before=before)
        for event in page.items:
            yield event
        if page.next is None:
            return
        before = page.next
