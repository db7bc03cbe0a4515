"""The thread for what blocks: in real time, since virtual time would run on while it works."""

from __future__ import annotations

import asyncio
import threading

import pytest

from wsmgr.control.offload import ThreadOffload
from wsmgr.ports.offload import Busy


def test_work_is_done_in_a_thread_of_its_own() -> None:
    """What it returns and what it raises come back."""

    def fail() -> None:
        raise ValueError("asked for")

    async def both() -> str:
        offload = ThreadOffload("x")
        with pytest.raises(ValueError, match="asked for"):
            await offload.run(fail, 10)
        name = await offload.run(lambda: threading.current_thread().name, 10)
        offload.close()
        return name

    assert asyncio.run(both()).startswith("x")


def test_work_that_hangs_holds_up_nobody() -> None:
    """Its caller hears after the time it gave, the next one at once, and when it ends there is work again."""
    release = threading.Event()

    async def hang() -> list[object]:
        offload = ThreadOffload("x")
        with pytest.raises(Busy, match="did not end within"):
            await offload.run(release.wait, 0.05)
        with pytest.raises(Busy, match="has not ended yet"):
            await offload.run(lambda: 1, 10)
        release.set()
        found: list[object] = []
        async with asyncio.timeout(10):
            while not found:
                try:
                    found.append(await offload.run(lambda: 2, 10))
                except Busy:
                    await asyncio.sleep(0.01)
        offload.close()
        return found

    assert asyncio.run(hang()) == [2]
