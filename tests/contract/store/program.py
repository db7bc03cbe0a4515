"""A program of its own that uses a store, for tests that kill it or run two of them: `program.py MODE URL ARGUMENT`.

It writes one line to standard output for every write that the store acknowledged.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from dataclasses import replace

from tests.contract.store.records import ALICE, NOON, event, execution, outcome, source
from wsmgr.adapters.store import SqlStore
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Desired


def acknowledge(*words: object) -> None:
    """One line, in one write, so that a kill cannot cut it off in a buffer."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def write_for_ever(store: SqlStore, task: str) -> None:
    """Begin, end, append and put, one after the other, until killed."""
    for n in itertools.count():
        name = f"{task}-{n}"
        running = execution(name)
        await store.begin(running)
        acknowledge("begin", name)
        await store.end(replace(running, state=ExecutionState.SUCCEEDED, outcome=outcome(name)))
        acknowledge("end", name)
        kept = await store.append(event(name))
        acknowledge("event", kept.id, name)
        if n % 5 == 0:
            put = await store.put_version(ALICE, source(name, f"plugin-{task}"), NOON, "uid:0")
            acknowledge("version", put.slug, put.version)


async def take_slots(store: SqlStore, count: int) -> None:
    """Ensure as many workspaces at once; the even ones are those of every such program."""
    ids = [WorkspaceId(f"user:u{n}" if n % 2 == 0 else f"user:u{n}-{os.getpid()}") for n in range(count)]
    for made in await asyncio.gather(*[store.ensure_workspace(one, Desired.RUNNING, NOON) for one in ids]):
        acknowledge(made.slot, made.id)


async def main(mode: str, url: str, argument: int) -> None:
    """`write`: with so many tasks at once. `slots`: so many workspaces."""
    store = SqlStore(url, timeout_s=30)
    # Whoever started this lets several begin at the same moment.
    acknowledge("ready")
    await asyncio.to_thread(sys.stdin.readline)
    await store.open()
    if mode == "write":
        await asyncio.gather(*[write_for_ever(store, f"t{n}") for n in range(argument)])
    else:
        await take_slots(store, argument)
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
