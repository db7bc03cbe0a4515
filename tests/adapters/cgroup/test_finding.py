"""A group is given only when nothing is in doubt."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.cgroup.rig import HANDLE, T_S, instance
from tests.contract.cgroup.tree import USER, Tree
from wsmgr.adapters.cgroup import KernelCgroups
from wsmgr.adapters.cgroup.finding import find
from wsmgr.core.workspace import Running

NOBODY = 65534


def found(tree: Tree, running: Running | None = None) -> bool:
    """Whether the instance has a group there."""
    return find(running or tree.running, tree.proc, tree.cgroups) is not None


def test_the_control(tree: Tree) -> None:
    """All that follows differs from this in one thing."""
    group = find(tree.running, tree.proc, tree.cgroups)
    assert group is not None
    assert group.path == f"/{tree.own.relative_to(tree.cgroups)}"


@pytest.mark.parametrize("ticks", [0, 9000, 9002])
def test_a_pid_that_was_given_to_another_process(tree: Tree, ticks: int) -> None:
    """Told by its start, even when it has the same uid and sits in the same group."""
    tree.process(ticks=ticks)
    assert not found(tree)


@pytest.mark.parametrize("state", ["Z", "X"])
def test_a_process_that_has_ended(tree: Tree, state: str) -> None:
    """A zombie keeps its pid and its group."""
    tree.process(state=state)
    assert not found(tree)


def test_a_process_of_another_user(tree: Tree) -> None:
    """As a container's main process never is."""
    tree.process(uid=0)
    assert not found(tree)


def test_no_such_process(tree: Tree) -> None:
    """The instance has ended."""
    shutil.rmtree(tree.proc / "4242")
    assert not found(tree)


def test_an_instance_of_another_container(tree: Tree) -> None:
    """The id in the path, the handle and the incarnation name the same container."""
    other = "f" * 64
    assert not found(tree, instance(handle=other))
    assert not found(tree, replace(tree.running, handle=other))
    assert not found(tree, replace(tree.running, endpoint=replace(tree.running.endpoint, instance="worker.1")))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/{USER}",
        f"/../libpod-{HANDLE}.scope",
        f"/{USER}/libpod-{HANDLE}.scope/../../../..",
        f"/{USER}/libpod-{HANDLE}.scope/gone",
        f"/{USER}/libpod-conmon-{HANDLE}.scope",
    ],
)
def test_a_process_elsewhere(tree: Tree, path: str) -> None:
    """Not in a group of its own, not in one that exists, or named by way of `..` (another namespace's view)."""
    (tree.cgroups / USER / f"libpod-conmon-{HANDLE}.scope").mkdir()
    tree.process(path=path)
    assert not found(tree)


@pytest.mark.parametrize("text", ["", "garbage\n", "4:memory:/x\n3:cpu,cpuacct:/y\n", "1:name=systemd:/\n"])
def test_the_first_versions_membership(tree: Tree, text: str) -> None:
    """There is no line of the second version."""
    (tree.proc / "4242/cgroup").write_text(text)
    assert not found(tree)


@pytest.mark.parametrize("name", ["stat", "status", "cgroup"])
@pytest.mark.parametrize("text", ["", "x", "4242 (node)", "Uid:\n", "0::\n", "\xff" * 10])
def test_what_proc_never_says(tree: Tree, name: str, text: str) -> None:
    """No group, and no error."""
    (tree.proc / "4242" / name).write_text(text)
    assert not found(tree)


def test_a_hybrid_host(tree: Tree) -> None:
    """The second version is mounted below the first's folder, and holds nothing."""
    (tree.cgroups / "cgroup.controllers").unlink()
    assert not found(tree)


def test_no_freezer(tree: Tree) -> None:
    """A kernel before 5.2."""
    (tree.scope / "cgroup.freeze").unlink()
    assert not found(tree)


@pytest.mark.parametrize("level", [0, -1])
def test_a_link_out_of_the_mount(tree: Tree, tmp_path: Path, level: int) -> None:
    """The kernel has none there; were there one, it is not followed, wherever in the path it is."""
    at = tree.groups[level] if level else tree.scope.parent
    shutil.move(at, tmp_path / "elsewhere")
    at.symlink_to(tmp_path / "elsewhere")
    assert (tree.own / "cgroup.freeze").exists()
    assert not found(tree)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write everything, so it steps down."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that everybody may look into, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("level", [0, -1])
def test_a_group_that_is_not_ours(reachable: Path, level: int) -> None:
    """Somebody else's, on a host without delegation: wholly or in part."""
    tree = Tree(reachable, instance(), nested=True)
    for group in tree.groups:
        (group / "cgroup.freeze").chmod(0o666)
    with unprivileged():
        assert found(tree)
    (tree.groups[level] / "cgroup.freeze").chmod(0o444)
    with unprivileged():
        assert not found(tree)


async def test_a_look_that_takes_too_long(tree: Tree, cgroups: KernelCgroups) -> None:
    """The kernel may hold its lock for long; then there is none for now, and the loop was not held up."""
    stat = tree.proc / "4242/stat"
    text = stat.read_text()
    stat.unlink()
    os.mkfifo(stat)
    assert await cgroups.find(tree.running, 0.05) is None
    # The thread still waits for somebody to write: let it go.
    await asyncio.to_thread(stat.write_text, text)
    stat.unlink()
    stat.write_text(text)
    assert await cgroups.find(tree.running, T_S) is not None
