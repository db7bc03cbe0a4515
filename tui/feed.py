"""Workers: they wait for the daemon and post what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual.message import Message

from tui.daemon import Daemon
from tui.messages import Fetched, FetchFailed, FleetTold, LinkLost
from tui.model.trouble import trouble_of
from wsmgr.client import ClientError

if TYPE_CHECKING:
    from wsmgr.client.operation import Operation

T = TypeVar("T")
Post = Callable[[Message], object]

FIRST_RETRY_S, LONGEST_RETRY_S = 0.25, 2.0


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
