"""Freezing and thawing where several groups, several people and a slow kernel take part."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.contract.cgroup.rig import SOON_S, T_S, instance
from tests.contract.cgroup.tree import Tree
from wsmgr.adapters.cgroup import KernelCgroups
from wsmgr.ports.cgroup import Group, GroupGone, GroupRefused


async def found(tree: Tree, cgroups: KernelCgroups) -> Group:
    """The tree's group."""
    group = await cgroups.find(tree.running, T_S)
    assert group is not None
    return group


async def test_the_topmost_group_is_frozen(tree: Tree, cgroups: KernelCgroups) -> None:
    """So that a process that the engine put beside the main one stands still as well."""
    with tree.living():
        await cgroups.freeze(await found(tree, cgroups), T_S)
    assert (tree.scope / "cgroup.freeze").read_text() == "1"


async def test_what_another_froze_is_seen_and_thawed(tree: Tree, cgroups: KernelCgroups) -> None:
    """Podman freezes the group that the process is in."""
    with tree.living():
        group = await found(tree, cgroups)
        (tree.own / "cgroup.freeze").write_text("1\n")
        assert cgroups.frozen(group)
        await cgroups.thaw(group, T_S)
        assert not cgroups.frozen(group)


async def test_a_group_that_is_frozen_from_above(tree: Tree, cgroups: KernelCgroups) -> None:
    """Thawing it is not enough, and is not called so."""
    group = await found(tree, cgroups)
    (tree.own / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    with pytest.raises(GroupRefused, match="still stands still"):
        await cgroups.thaw(group, SOON_S)


async def test_a_group_without_processes(tree: Tree, cgroups: KernelCgroups) -> None:
    """The kernel would call it frozen at once; there is nothing to pause, and it is not left frozen."""
    group = await found(tree, cgroups)
    (tree.scope / "cgroup.events").write_text("populated 0\nfrozen 1\n")
    with pytest.raises(GroupGone):
        await cgroups.freeze(group, T_S)
    assert not cgroups.frozen(group)


async def test_a_freeze_that_is_refused(tree: Tree, cgroups: KernelCgroups) -> None:
    """The sentence names the file."""
    group = await found(tree, cgroups)
    (tree.scope / "cgroup.freeze").unlink()
    with pytest.raises(GroupRefused, match=r"cgroup\.freeze"):
        await cgroups.freeze(group, T_S)


async def test_a_thaw_waits_for_no_reclaim(tmp_path: Path) -> None:
    """Each kind of work has threads of its own."""
    tree = Tree(tmp_path, instance(), nested=True)
    cgroups = KernelCgroups(tree.proc, tree.cgroups)
    with tree.living():
        group = await found(tree, cgroups)
        await cgroups.freeze(group, T_S)
        reclaim = tree.scope / "memory.reclaim"
        reclaim.unlink()
        # A kernel that is long at it: a pipe that nobody reads yet.
        os.mkfifo(reclaim)
        (tree.scope / "memory.current").write_text("1\n")
        reclaiming = asyncio.create_task(cgroups.reclaim(group, T_S))
        await cgroups.thaw(group, T_S)
        assert not reclaiming.done()
        await asyncio.to_thread(reclaim.read_bytes)
        await reclaiming
    cgroups.close()
