"""Clients that call plugins, as the main server would: with an id they ask again until they are answered."""

from __future__ import annotations

import asyncio
import itertools
import time

from tests.soak import draw, judge
from tests.soak.acts import Call, How
from tests.soak.ledger import Told
from tests.soak.plugin import BROKEN, EXPECTED, INLINE, TIMEOUT_MS, USUAL_TIMEOUT_MS, code
from tests.soak.stage import Stage
from wsmgr.client import ApiError, AsyncClient, ClientError
from wsmgr.client.errors import ConnectionLost, DaemonUnreachable
from wsmgr.wire.execute import ExecuteResponse, InlinePlugin

TRIES_FOR_S = 90.0
"""A named call is tried again for so long: longer than a daemon is ever away."""
PAUSE_S, LONGEST_PAUSE_S = 0.2, 1.5


class Caller:
    """One client with decisions of its own."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self._ledger = stage.ledger
        self._name = f"{stage.seed}-c{number}"
        self._draw = draw.random_of(stage.seed, f"caller {number}")
        self._numbers = itertools.count(1)

    async def run(self) -> None:
        """Until the soak ends."""
        async with self._stage.client() as client:
            async for call in self._stage.each(draw.calls(self._draw)):
                async with self._stage.acting():
                    await self._call(client, call)
                await asyncio.sleep(call.pause_s)

    async def succeeds(self, client: AsyncClient, call: Call) -> bool:
        """Make one call, tries and all; whether it ended well."""
        told = await self._call(client, call)
        return bool(told.answers) and told.answers[-1].success

    async def _call(self, client: AsyncClient, call: Call) -> Told:
        execution = f"{self._name}-{next(self._numbers)}" if call.named else None
        told = self._ledger.new(call, execution)
        tries = [self._until_answered(client, told) for _ in range(2 if call.twice else 1)]
        await asyncio.gather(*tries)
        self._ledger.tally["calls"] += 1
        self._ledger.tally[_kind(told)] += 1
        return told

    async def _until_answered(self, client: AsyncClient, told: Told) -> None:
        pause_s = PAUSE_S
        while await self._ask(client, told):
            if not told.call.named or time.monotonic() - told.begun > TRIES_FOR_S:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            self._ledger.tally["retries"] += 1

    async def _ask(self, client: AsyncClient, told: Told) -> bool:
        """Ask once; whether asking again may help."""
        begun = time.monotonic()
        try:
            answer = await self._execute(client, told)
        except ApiError as error:
            told.refused(error.code)
            self._notice(judge.of_refusal(told, error.code, error.detail))
            self._check_absence(told, error)
            if getattr(error.problem, "why", None) == "workspace_error":
                # What an operator would do.
                await self._recover(client, told.call)
                return True
            return error.retryable
        except (DaemonUnreachable, ConnectionLost) as error:
            told.unheard()
            if not self._stage.was_away(begun):
                self._ledger.violation(f"A client had no answer while the daemon was there: {error}")
            return True
        except ClientError as error:
            told.unheard()
            self._ledger.violation(f"{told.execution}: {error}")
            return False
        told.answered(answer)
        self._notice(judge.of_answer(told, answer))
        self._check_version(told, answer)
        return False

    async def _execute(self, client: AsyncClient, told: Told) -> ExecuteResponse:
        call, place = told.call, told.call.place
        return await client.execute(
            place.user,
            call.slug or inline(call.how),
            {"how": call.how.value, "ms": call.ms, "echo": judge.echo_of(told)},
            organization_id=place.organization,
            workspace=place.name,
            timeout_ms=TIMEOUT_MS.get(call.how, USUAL_TIMEOUT_MS),
            execution_id=told.execution if call.named else None,
        )

    def _check_version(self, told: Told, answer: ExecuteResponse) -> None:
        """The version that ran is one that was current at some moment of the call."""
        slug = told.call.slug
        if slug is None:
            return
        history = self._ledger.history(told.call.place.owner, slug)
        if answer.plugin_version not in history.possible(told.begun, time.monotonic()):
            self._ledger.violation(f"{told.execution} ran the version {answer.plugin_version[:12]}, not the current.")

    def _check_absence(self, told: Told, error: ApiError) -> None:
        slug = told.call.slug
        if error.code != "not_found" or slug is None:
            return
        if None not in self._ledger.history(told.call.place.owner, slug).possible(told.begun, time.monotonic()):
            self._ledger.violation(f"{told.execution}: {slug} was not found, and is stored. {error.detail}")

    async def _recover(self, client: AsyncClient, call: Call) -> None:
        try:
            await client.recover(call.place.workspace)
        except ClientError:
            # Somebody removed it, or the daemon is away: the next call tells.
            return

    def _notice(self, wrong: list[str]) -> None:
        for sentence in wrong:
            self._ledger.violation(sentence)


def inline(how: How) -> InlinePlugin:
    """Code that comes with the call."""
    text = BROKEN if how is How.UNLOADABLE else code(INLINE)
    return InlinePlugin.model_validate({"slug": "inline", "language": "javascript", "code": text})


def _kind(told: Told) -> str:
    if not told.answers:
        return "unanswered" if told.last == "nothing" else "refused"
    answer = told.answers[-1]
    if answer.success:
        return "succeeded"
    kind = answer.error.type if answer.error else None
    return "failed as asked" if kind == EXPECTED[told.call.how] else "disturbed"
