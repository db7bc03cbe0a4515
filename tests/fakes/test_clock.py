"""Virtual time passes at once where only the loop waits, and not at all while a thread works for it."""

from __future__ import annotations

import asyncio
import time

from tests.fakes.clock import VirtualLoop


def test_deadlines_pass_at_once_and_in_order() -> None:
    """An hour takes no time."""
    passed = list[int]()

    async def wait(seconds: int) -> None:
        await asyncio.sleep(seconds)
        passed.append(seconds)

    async def main() -> float:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(wait(3600), wait(60), wait(1))
        return asyncio.get_running_loop().time() - began

    really = time.monotonic()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) >= 3600
    assert passed == [1, 60, 3600]
    assert time.monotonic() - really < 60


def test_a_thread_is_not_made_late() -> None:
    """However short the deadline beside it, and however long the host takes to run it."""

    async def main() -> None:
        async with asyncio.timeout(0.1):
            await asyncio.to_thread(time.sleep, 0.5)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
