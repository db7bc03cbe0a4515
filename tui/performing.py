"""How the actions of the registry are done. Loaded with the first action: the rows do not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tui.actions import Action, owner_of, split
from tui.daemon import Daemon
from tui.feed import Post
from tui.messages import Acted
from tui.model.format import printable
from wsmgr.client import ClientError, operations, plugin_operations
from wsmgr.client.operation import Operation
from wsmgr.wire.alert import Alert
from wsmgr.wire.owner import Owner
from wsmgr.wire.plugin import PluginResult
from wsmgr.wire.workspace import Workspace

WAIT_S = 15.0
"""How long the daemon is asked to wait for the new state, so that the toast can tell it."""

AT_ONCE = 4
"""So many actions of a bulk are under way at once: the daemon starts two containers a time anyway."""

Perform = Callable[[Daemon, str, str], Awaitable[object]]
"""Does it: on which daemon, to which id, with which choice. Raises `wsmgr.client.ClientError`."""


def _one(build: Callable[[str, str], Operation[Any]]) -> Perform:
    """An action that is one call."""

    async def perform(daemon: Daemon, target: str, choice: str) -> object:
        return await daemon.call(build(target, choice))

    return perform


PERFORM: Mapping[str, Perform] = {
    "start": _one(lambda id_, _: operations.start(id_, wait=WAIT_S)),
    "resume": _one(lambda id_, _: operations.resume(id_, wait=WAIT_S)),
    "touch": _one(lambda id_, _: operations.touch(id_)),
    "stop": _one(lambda id_, _: operations.stop(id_, wait=WAIT_S)),
    "restart": _one(lambda id_, _: operations.restart(id_, wait=WAIT_S)),
    "pause": _one(lambda id_, _: operations.pause(id_, wait=WAIT_S)),
    "recover": _one(lambda id_, _: operations.recover(id_, wait=WAIT_S)),
    # What else was chosen for the owner stays.
    "plan": _one(lambda id_, plan: operations.patch_owner(owner_of(id_), {"plan": plan})),
    "remove": _one(lambda id_, _: operations.delete_workspace(id_, wait=WAIT_S)),
    "acknowledge": _one(lambda id_, _: operations.acknowledge(int(id_))),
    "rollback": _one(lambda id_, version: plugin_operations.rollback(*split(id_), version=version)),
}
"""By the names of the registry."""


async def act(daemon: Daemon, action: Action, targets: Sequence[str], choice: str, post: Post) -> None:
    """Do it to each target."""
    turns = asyncio.Semaphore(AT_ONCE)
    done: list[tuple[str, str]] = []
    failed: list[tuple[str, str]] = []

    async def one(target: str) -> None:
        async with turns:
            try:
                done.append((target, sentence_of(await PERFORM[action.name](daemon, target, choice))))
            except ClientError as error:
                failed.append((target, error.sentence))

    await asyncio.gather(*(one(target) for target in targets))
    post(Acted(action.name, sorted(done), sorted(failed)))


def sentence_of(result: object) -> str:
    """What the daemon's answer to an action says."""
    match result:
        case Workspace():
            return f"{result.status}: {printable(result.reason)}"
        case Alert():
            return f"acknowledged by {result.acknowledged_by or 'you'}: {printable(result.sentence)}"
        case Owner():
            return f"{result.key} has the plan {result.plan or '-'} now."
        case PluginResult():
            return f"{result.slug} is at version {result.version[:12]} now."
        case _:
            return "done."
