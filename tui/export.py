"""Writes the audit trail to a file of the operator's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tui.daemon import Daemon
from tui.feed import Post
from tui.files import save
from tui.messages import Exported
from wsmgr.client import ClientError, operations
from wsmgr.wire.event import Event

MOST_EXPORTED = 100_000
_PAGE = 500


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
