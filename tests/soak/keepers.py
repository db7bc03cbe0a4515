"""People who start, stop, restart and remove workspaces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from random import Random

from tests.soak import draw
from tests.soak.acts import Act, Verb
from tests.soak.stage import Stage
from wsmgr.client import ApiError, AsyncClient, ClientError
from wsmgr.wire.workspace import Workspace

GONE = "GONE"
PAUSE_S = 0.3
RESULT = {
    Verb.START: "RUNNING", Verb.RESTART: "RUNNING", Verb.RESUME: "RUNNING", Verb.RECOVER: "RUNNING",
    Verb.PUT_RUNNING: "RUNNING", Verb.STOP: "STOPPED", Verb.PUT_STOPPED: "STOPPED", Verb.DELETE: GONE,
}  # fmt: skip
"""What is wanted after each verb; the others change nothing, or what the host can decides it."""
REFUSED = frozenset({"shutting_down", "store_unavailable", "engine_unavailable", "quota_exceeded", "host_full"})
UNPAUSABLE = frozenset({"unsupported", "conflict"})
"""What a host that cannot freeze says, and what is said of a workspace that does not run."""


async def perform(client: AsyncClient, act: Act) -> Workspace | None:
    """Do it; what the daemon then says of the workspace, None when it is gone. Raises what the client raises."""
    workspace, wait_s = act.place.workspace, act.wait_s
    if act.verb is Verb.DELETE:
        await client.delete_workspace(workspace, wait=wait_s)
        return None
    if act.verb is Verb.PUT_RUNNING:
        return await client.put_workspace(workspace, "RUNNING")
    if act.verb is Verb.PUT_STOPPED:
        return await client.put_workspace(workspace, "STOPPED")
    if act.verb is Verb.TOUCH:
        return await client.touch(workspace)
    waits = {
        Verb.START: client.start,
        Verb.STOP: client.stop,
        Verb.RESTART: client.restart,
        Verb.PAUSE: client.pause,
        Verb.RESUME: client.resume,
        Verb.RECOVER: client.recover,
    }
    return await waits[act.verb](workspace, wait=wait_s)


def holding(desired: str) -> str:
    """A workspace that is wanted running may be paused by itself, where the host can: that holds it as well."""
    return "RUNNING" if desired == "PAUSED" else desired


def may_be(verb: Verb, before: set[str]) -> set[str]:
    """What may be wanted after a verb that was not acknowledged, besides what was: its result, and where it may have
    made the workspace first, STOPPED."""
    result = RESULT.get(verb)
    made = verb in {Verb.PUT_RUNNING, Verb.PUT_STOPPED} and GONE in before
    return set() if result is None else {result, *({"STOPPED"} if made else ())}


class Person:
    """Acts on workspaces, and looks at nothing but whether each answer is one that may be given."""

    def __init__(self, stage: Stage, name: str, acts: Callable[[Random], Iterator[Act]]) -> None:
        self._stage = stage
        self._ledger = stage.ledger
        self._acts = acts(draw.random_of(stage.seed, name))

    async def run(self) -> None:
        """Until the soak ends."""
        async with self._stage.client() as client:
            async for act in self._stage.each(self._acts):
                async with self._stage.acting():
                    self._ledger.tally["verbs"] += 1
                    await self._act(client, act)
                await asyncio.sleep(act.pause_s)

    async def _act(self, client: AsyncClient, act: Act) -> None:
        begun = time.monotonic()
        try:
            await perform(client, act)
        except ApiError as error:
            if not self._may_be(act, error):
                self._ledger.violation(f"{_name(act)} was refused as {error.code}: {error.detail}")
        except ClientError as error:
            if not self._stage.was_away(begun):
                self._ledger.violation(f"{_name(act)} had no answer while the daemon was there: {error}")

    def _may_be(self, act: Act, error: ApiError) -> bool:
        return error.code in REFUSED | {"not_found"} or (act.verb is Verb.PAUSE and error.code in UNPAUSABLE)


class Keeper(Person):
    """Acts on workspaces that nobody else touches, and so knows what is wanted of each."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "keeper", draw.kept_acts)

    async def _act(self, client: AsyncClient, act: Act) -> None:
        workspace, begun = act.place.workspace, time.monotonic()
        possible = self._ledger.desired.setdefault(workspace, {GONE})
        result = RESULT.get(act.verb)
        try:
            shown = await perform(client, act)
        except ApiError as error:
            absent = error.code == "not_found" and GONE in possible
            if absent:
                self._ledger.desired[workspace] = {GONE}
            elif error.code == "not_found" or not self._may_be(act, error):
                self._ledger.violation(f"{_name(act)} was refused as {error.code}: {error.detail}")
            elif result is not None:
                # What was not stored did not happen; but an answer that came too late may hide that it was.
                possible |= may_be(act.verb, possible)
        except ClientError as error:
            if not self._stage.was_away(begun):
                self._ledger.violation(f"{_name(act)} had no answer while the daemon was there: {error}")
            possible |= may_be(act.verb, possible)
        else:
            self._acknowledged(act, shown, possible)

    def _acknowledged(self, act: Act, shown: Workspace | None, possible: set[str]) -> None:
        result = RESULT.get(act.verb)
        told = GONE if shown is None else holding(str(shown.desired))
        allowed = possible if result is None else {result}
        if act.verb is not Verb.PAUSE and told not in allowed and not (told == "ABSENT" and GONE in allowed):
            self._ledger.violation(f"{_name(act)} was taken, and {told} is wanted instead of {sorted(allowed)}.")
        self._ledger.desired[act.place.workspace] = {GONE if told == "ABSENT" else told}
        if act.verb in {Verb.RESTART, Verb.RECOVER}:
            self._ledger.promised_events[act.place.workspace, f"workspace.{act.verb.value}", "Asked for."] += 1


def _name(act: Act) -> str:
    return f"{act.verb.value} of {act.place.workspace}"
