"""Tasks end in bounded time, whatever they make of their cancellation."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from wsmgr.control.tasks import end_all
from wsmgr.core.errors import EngineFailure, WsmgrError


async def test_what_a_task_does_at_its_end_is_waited_for() -> None:
    """Up to the patience, without another cancellation."""
    done = list[str]()

    async def tidy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(3)
            done.append("tidied")

    tasks = [asyncio.create_task(tidy()) for _ in range(3)]
    await asyncio.sleep(0)
    await end_all(tasks, patience_s=4, within_s=6)
    assert done == ["tidied"] * 3


async def test_a_cancellation_that_was_swallowed_is_repeated() -> None:
    """A loop that goes on after failures of its work, and whose work fails to clean up when it is cancelled."""
    failed = list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            raise EngineFailure("It could not be ended.")

    async def loop() -> None:
        try:
            await work()
        except WsmgrError as error:
            failed.append(error.sentence)
        await asyncio.Event().wait()

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    before = asyncio.get_running_loop().time()
    await end_all([task], patience_s=4, within_s=6)
    assert failed == ["It could not be ended."]
    assert task.cancelled()
    assert asyncio.get_running_loop().time() - before < 6


async def test_one_that_never_ends_is_told_and_left() -> None:
    """With the place where it waits; the others have ended, and their failures are nobody's any more."""
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async def failing() -> None:
        raise RuntimeError

    task = asyncio.create_task(stubborn(), name="stubborn")
    other = asyncio.create_task(failing())
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await end_all([task, other], patience_s=1, within_s=3)
    assert [(line["log_level"], line["task"]) for line in logs] == [("error", "stubborn")]
    assert "test_tasks.py" in logs[0]["at"][-1]
    release.set()
    await task


async def test_nothing_to_end() -> None:
    """No task, or only one that has ended."""
    over = asyncio.create_task(asyncio.sleep(0))
    await over
    await end_all([over])
    await end_all([])
