"""What a caller's own id promises when the store fails at the wrong moment."""

from __future__ import annotations

import pytest

from tests.fakes.daemon import FakeDaemon
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.execution import ExecutionState


async def test_a_call_that_ran_is_never_run_again_though_its_end_was_not_stored(system: FakeDaemon) -> None:
    """The caller is told to retry, and the retry finds the outcome."""
    await system.execute()
    system.store.fail_next("end", StoreUnavailable("The disk is full."))
    with pytest.raises(StoreUnavailable):
        await system.execute(id="x")
    runs = len(system.runtime().calls)
    again = await system.execute(id="x")
    assert again.state is ExecutionState.SUCCEEDED
    assert len(system.runtime().calls) == runs


async def test_a_call_whose_beginning_was_not_stored_does_not_run(system: FakeDaemon) -> None:
    """And may be tried again."""
    await system.execute()
    runs = len(system.runtime().calls)
    system.store.fail_next("begin", StoreUnavailable("The disk is full."))
    with pytest.raises(StoreUnavailable):
        await system.execute(id="x")
    assert len(system.runtime().calls) == runs
    assert (await system.execute(id="x")).state is ExecutionState.SUCCEEDED
