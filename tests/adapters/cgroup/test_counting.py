"""Counters of hosts that have only some of the controllers, and of groups whose files say odd things."""

from __future__ import annotations

import pytest

from tests.contract.cgroup.rig import T_S
from tests.contract.cgroup.tree import FILES, Tree
from wsmgr.adapters.cgroup import KernelCgroups
from wsmgr.adapters.cgroup.chain import Chain
from wsmgr.adapters.cgroup.counting import read_counters
from wsmgr.adapters.cgroup.folder import Folder
from wsmgr.core.cgroup import Counters


def counters(tree: Tree) -> Counters:
    """Of the tree's groups."""
    return read_counters(Chain([Folder(group) for group in tree.groups]))


NONE_USED = Counters(
    memory_bytes=0, working_set_bytes=0, cpu_s=0.0, throttled_s=0.0, oom_kills=0, pids=0, pids_refused=0
)


def test_a_group_that_did_nothing(tree: Tree) -> None:
    """Zero is not the same as not known."""
    assert counters(tree) == NONE_USED


@pytest.mark.parametrize(
    ("controller", "unknown"),
    [
        ("memory.", {"memory_bytes", "working_set_bytes", "oom_kills"}),
        ("pids.", {"pids", "pids_refused"}),
        ("cpu.", {"cpu_s", "throttled_s"}),
    ],
)
def test_without_a_controller(tree: Tree, controller: str, unknown: set[str]) -> None:
    """What it would count is None, all else is known."""
    for group in tree.groups:
        for name in FILES:
            if name.startswith(controller):
                (group / name).unlink()
    seen = counters(tree)
    for field in Counters.__dataclass_fields__:
        assert (getattr(seen, field) is None) == (field in unknown)


def test_without_the_cpu_controller_use_is_still_counted(tree: Tree) -> None:
    """The kernel keeps cpu.stat in every group, without the lines of the limit."""
    for group in tree.groups:
        (group / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n")
    assert counters(tree).cpu_s == 2.5
    assert counters(tree).throttled_s is None


def test_where_the_events_are_kept(tree: Tree) -> None:
    """In the group at whose limit it happened, in those above it, or in both: never counted twice."""
    (tree.scope / "pids.events").write_text("max 5\n")
    (tree.own / "pids.events").write_text("max 5\n")
    assert counters(tree).pids_refused == 5
    (tree.scope / "memory.events").write_text("oom_kill 0\n")
    (tree.own / "memory.events").write_text("oom_kill 2\n")
    assert counters(tree).oom_kills == 2


def test_the_working_set_is_never_negative(tree: Tree) -> None:
    """The two files are read one after the other."""
    (tree.scope / "memory.current").write_text("100\n")
    (tree.scope / "memory.stat").write_text("inactive_file 4096\n")
    assert counters(tree).working_set_bytes == 0


async def test_kills_are_read_from_the_group_above_all_containers(tree: Tree, cgroups: KernelCgroups) -> None:
    """It counts for all below it and stays; where it counts nothing, nothing is known."""
    group = await cgroups.find(tree.running, T_S)
    assert group is not None
    assert cgroups.kills_around(group) is None
    (tree.scope.parent / "memory.events").write_text("oom 9\noom_kill 4\n")
    assert cgroups.kills_around(group) == 4
    tree.vanish()
    assert cgroups.kills_around(group) == 4
