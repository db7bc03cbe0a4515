"""Workers: they wait for the daemon and post what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from textual.message import Message

from tui.actions import Action, sentence_of
from tui.daemon import Daemon
from tui.files import save
from tui.messages import Acted, Exported, Fetched, FetchFailed, FleetTold, LinkLost
from tui.model.trouble import trouble_of
from wsmgr.client import ClientError, operations
from wsmgr.client.operation import Operation
from wsmgr.wire.event import Event

T = TypeVar("T")
Post = Callable[[Message], object]

FIRST_RETRY_S, LONGEST_RETRY_S = 0.25, 2.0
MOST_EXPORTED = 100_000
_PAGE = 500
AT_ONCE = 4
"""So many actions of a bulk are under way at once: the daemon starts two containers a time anyway."""


async def feed(daemon: Daemon, post: Post) -> None:
    """The live view, without end: connects anew whatever goes wrong."""
    pause = FIRST_RETRY_S
    while True:
        try:
            async for update in daemon.fleet():
                post(FleetTold(update))
                pause = FIRST_RETRY_S
        except ClientError as error:
            post(LinkLost(trouble_of(error)))
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_RETRY_S)


async def fetch(daemon: Daemon, operation: Operation[T], purpose: str, post: Post) -> None:
    """One answer."""
    try:
        post(Fetched(purpose, await daemon.call(operation)))
    except ClientError as error:
        post(FetchFailed(purpose, error))


async def act(daemon: Daemon, action: Action, targets: Sequence[str], choice: str, post: Post) -> None:
    """Do it to each target."""
    turns = asyncio.Semaphore(AT_ONCE)
    done: list[tuple[str, str]] = []
    failed: list[tuple[str, str]] = []

    async def one(target: str) -> None:
        async with turns:
            try:
                done.append((target, sentence_of(await action.perform(daemon, target, choice))))
            except ClientError as error:
                failed.append((target, error.sentence))

    await asyncio.gather(*(one(target) for target in targets))
    post(Acted(action.name, sorted(done), sorted(failed)))


async def export(daemon: Daemon, wanted: Callable[[Event], bool], path: Path, post: Post) -> None:
    """Write all wanted events, newest first, one JSON document a line; at most `MOST_EXPORTED` of them."""
    lines: list[str] = []
    before: str | None = None
    try:
        while True:
            page = await daemon.call(operations.audit(limit=_PAGE, before=before))
            lines += [one.model_dump_json() for one in page.items if wanted(one)]
            before = page.next
            if before is None or len(lines) >= MOST_EXPORTED:
                break
    except ClientError as error:
        post(Exported(error.sentence, fine=False))
        return
    sentence, fine = await asyncio.to_thread(save, path, "".join(f"{line}\n" for line in lines))
    post(Exported(sentence, fine=fine))
