"""Workspaces without a group of their own, on a host where groups work."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.daemon import FakeDaemon, until
from wsmgr.core.capability import Capability, Level
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation

ALICE = WorkspaceId("user:alice")


async def test_a_group_that_was_not_found_in_time_is_looked_for_again(tmp_path: Path) -> None:
    """A busy host did not show it at the start; by the next sweeps the workspace has it, and can be paused again."""
    system = await FakeDaemon(tmp_path, freezable=True, health_every_s=10).start()
    system.engine.matrix = [Capability("freeze", Level.ENFORCED, "Seen.")]
    await system.daemon.capabilities.prove()
    await system.put()
    system.cgroups.absent = True
    await system.execute()
    entry, _ = await system.daemon.fleet.ensure(ALICE)
    assert not entry.unit.freezable
    assert system.daemon.capabilities.level(Isolation.CONTAINER, "freeze") is Level.ENFORCED
    system.cgroups.absent = False
    await until(lambda: entry.unit.freezable, 30)
    await system.stop()
