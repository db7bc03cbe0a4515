"""The authors of plugins: one for each owner, who knows at every moment which version must be current."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.soak import draw
from tests.soak.acts import Change, PluginAct
from tests.soak.ledger import History
from tests.soak.plugin import BROKEN, code
from tests.soak.stage import Stage
from wsmgr.client import ApiError, AsyncClient, ClientError
from wsmgr.core.plugin import Language, version_of
from wsmgr.wire.plugin import PluginResult

Taken = TypeVar("Taken")

PAUSE_S = 0.3
BROKEN_SLUG = "broken"
OUT_OF_MEMORY = "used more memory than its workspace may have while it loaded"
"""A refusal that is no fault of the code where other calls use up the workspace's memory at that moment."""


class Author:
    """Asks for a change until it is acknowledged or refused for good, and only then for the next."""

    def __init__(self, stage: Stage, owner: str) -> None:
        self._stage = stage
        self._ledger = stage.ledger
        self._owner = owner
        self._draw = draw.random_of(stage.seed, f"author {owner}")
        self._numbers = itertools.count(1)

    async def run(self) -> None:
        """Until the soak ends."""
        async with self._stage.client() as client:
            async for act in self._stage.each(draw.plugin_acts(self._draw)):
                async with self._stage.acting():
                    await self.perform(client, act)
                await asyncio.sleep(act.pause_s)

    async def first(self, client: AsyncClient) -> None:
        """Store a first version of what is always there."""
        await self.perform(client, PluginAct(draw.STORED, Change.PUT, 0.0, 0.0))

    async def perform(self, client: AsyncClient, act: PluginAct) -> None:
        """One change."""
        self._ledger.tally["plugin changes"] += 1
        history = self._ledger.history(self._owner, act.slug)
        match act.change:
            case Change.BROKEN:
                await self._offer_broken(client)
            case Change.DELETE:
                await self._delete(client, act.slug, history)
            case Change.ROLLBACK if len(history.versions) > 1:
                chosen = sorted(history.versions)[int(act.pick * len(history.versions))]
                await self._make_current(
                    act.slug, chosen, lambda: client.rollback(self._owner, act.slug, version=chosen)
                )
            case _:
                number = next(self._numbers)
                text = code(number)
                await self._make_current(
                    act.slug,
                    version_of(Language.JAVASCRIPT, text),
                    lambda: client.put_plugin(self._owner, act.slug, language="javascript", code=text),
                    number,
                )

    async def _make_current(
        self, slug: str, version: str, ask: Callable[[], Awaitable[PluginResult]], number: int | None = None
    ) -> None:
        """By a put when the version has a `number`, else by a rollback."""
        action = "plugin.rollback" if number is None else "plugin.put"
        history = self._ledger.history(self._owner, slug)
        shift = history.begin(version)
        result = await self._until_taken(ask, f"{action} of {self._owner}'s {slug}")
        if result is None:
            history.refused(shift)
            return
        if result.version != version:
            self._ledger.violation(
                f"{self._owner} stored {version[:12]} of {slug}, and was told {result.version[:12]}."
            )
        history.acknowledged(shift, number)
        self._ledger.promised_events[self._owner, action, f"{slug} {version[:12]}"] += 1

    async def _delete(self, client: AsyncClient, slug: str, history: History) -> None:
        async def ask() -> bool:
            try:
                await client.delete_plugin(self._owner, slug)
            except ApiError as error:
                if error.code != "not_found":
                    raise
            return True

        shift = history.begin(None)
        if await self._until_taken(ask, f"deletion of {self._owner}'s {slug}"):
            history.acknowledged(shift)

    async def _offer_broken(self, client: AsyncClient) -> None:
        """Code that does not load is refused where a workspace runs, and stored with a warning where none does."""

        async def ask() -> bool:
            try:
                result = await client.put_plugin(self._owner, BROKEN_SLUG, language="javascript", code=BROKEN)
            except ApiError as error:
                if error.code != "invalid_request":
                    raise
                return True
            if result.reloaded or not result.warnings:
                self._ledger.violation(f"{self._owner} stored code that does not load, and was not warned.")
            return True

        await self._until_taken(ask, f"broken code of {self._owner}")

    async def _until_taken(self, ask: Callable[[], Awaitable[Taken]], what: str) -> Taken | None:
        """What came of it. A daemon that goes away leaves it open whether it was done, so it is asked again."""
        while True:
            begun = time.monotonic()
            try:
                return await ask()
            except ApiError as error:
                if not error.retryable and OUT_OF_MEMORY not in error.detail:
                    self._ledger.violation(f"The {what} was refused as {error.code}: {error.detail}")
                    return None
            except ClientError as error:
                if not self._stage.was_away(begun):
                    self._ledger.violation(f"The {what} had no answer while the daemon was there: {error}")
            await asyncio.sleep(PAUSE_S)
