"""Where limits sit, and the order in which they are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.cgroup.rig import MIB, T_S
from tests.contract.cgroup.tree import LIMITS, Tree
from wsmgr.adapters.cgroup import KernelCgroups
from wsmgr.adapters.cgroup.chain import Chain
from wsmgr.adapters.cgroup.folder import Folder
from wsmgr.adapters.cgroup.limits import read_ceilings, write_ceilings
from wsmgr.core.cgroup import Ceilings
from wsmgr.ports.cgroup import GroupRefused

WANTED = Ceilings(memory_bytes=64 * MIB, swap_bytes=0, cpus=0.5, pids=40)


def chain(tree: Tree) -> Chain:
    """The tree's groups."""
    return Chain([Folder(group) for group in tree.groups])


def test_the_lowest_limit_holds(tree: Tree) -> None:
    """Whichever group has it."""
    tree.hold_to(WANTED)
    (tree.scope / "pids.max").write_text("7\n")
    assert read_ceilings(chain(tree)).pids == 7


def test_a_limit_is_changed_where_it_sits(tree: Tree) -> None:
    """A limit on the scope would keep one on the group below it from being raised."""
    (tree.scope / "memory.max").write_text(f"{32 * MIB}\n")
    assert write_ceilings(chain(tree), Ceilings(memory_bytes=64 * MIB)) == Ceilings(memory_bytes=64 * MIB)
    assert (tree.scope / "memory.max").read_text() == str(64 * MIB)
    if tree.own != tree.scope:
        assert (tree.own / "memory.max").read_text() == "max\n"


def test_a_limit_that_is_nowhere_is_set_next_to_the_process(tree: Tree) -> None:
    """Where systemd does not write."""
    write_ceilings(chain(tree), WANTED)
    assert (tree.own / "cpu.max").read_text() == "50000 100000"
    if tree.own != tree.scope:
        assert (tree.scope / "cpu.max").read_text() == "max 100000\n"


def test_a_controller_that_ends_at_the_scope(tree: Tree) -> None:
    """Limits can be set there alone."""
    (tree.own / "pids.max").unlink()
    (tree.scope / "pids.max").write_text("max\n")
    assert write_ceilings(chain(tree), Ceilings(pids=9)).pids == 9
    assert (tree.scope / "pids.max").read_text() == "9"


def test_what_is_as_wanted_is_not_written(tree: Tree) -> None:
    """Each write would cost a look at all memory that is in use."""
    tree.hold_to(WANTED)
    for name in LIMITS.values():
        os.utime(tree.own / name, (1, 1))
    assert write_ceilings(chain(tree), WANTED) == WANTED
    assert {(tree.own / name).stat().st_mtime for name in LIMITS.values()} == {1}


@pytest.mark.parametrize(
    ("held", "wanted", "order"),
    [
        ((64, 0), (128, 16), ["memory.max", "memory.swap.max"]),
        ((128, 16), (64, 0), ["memory.max", "memory.swap.max"]),
        ((64, 0), (32, 32), ["memory.swap.max", "memory.max"]),
        ((64, 32), (128, 0), ["memory.max", "memory.swap.max"]),
    ],
)
def test_the_order_of_writes(tmp_path: Path, held: tuple[int, int], wanted: tuple[int, int], order: list[str]) -> None:
    """What is raised comes first: at no time has it less than both the old and the new limits give."""
    written: list[str] = []

    class Recording(Folder):
        __slots__ = ()

        def write(self, name: str, value: str) -> None:
            written.append(name)
            Folder.write(self, name, value)

    (tmp_path / "memory.max").write_text(f"{held[0] * MIB}\n")
    (tmp_path / "memory.swap.max").write_text(f"{held[1] * MIB}\n")
    aim = Ceilings(memory_bytes=wanted[0] * MIB, swap_bytes=wanted[1] * MIB)
    assert write_ceilings(Chain([Recording(tmp_path)]), aim) == aim
    assert written == order


@pytest.mark.parametrize(
    ("name", "wanted", "said"),
    [
        ("memory.max", Ceilings(memory_bytes=MIB), "did not take '1048576' as memory.max: Is a directory"),
        ("cpu.max", Ceilings(cpus=1.0), "did not take '100000 100000' as cpu.max: Is a directory"),
    ],
)
def test_what_the_kernel_refuses(tree: Tree, name: str, wanted: Ceilings, said: str) -> None:
    """File, value and reason. (A folder instead of the file is refused to root as well.)"""
    for group in tree.groups:
        text = (group / name).read_text()
        (group / name).unlink()
        (group / name).mkdir()
        assert Folder(group).read(name) is None
        with pytest.raises(GroupRefused, match=said):
            Folder(group).write(name, "1048576" if name == "memory.max" else "100000 100000")
        (group / name).rmdir()
        (group / name).write_text(text)
    assert write_ceilings(chain(tree), wanted) == wanted


@pytest.mark.parametrize("cpus", [float("inf"), float("nan")])
def test_what_is_no_limit_is_refused(tree: Tree, cpus: float) -> None:
    """Before anything is written of it; the others are."""
    with pytest.raises(GroupRefused, match="no number of cores"):
        write_ceilings(chain(tree), Ceilings(cpus=cpus, pids=5))
    assert read_ceilings(chain(tree)) == Ceilings(pids=5)


SOME = st.none() | st.integers(min_value=0, max_value=1 << 40)
CORES = st.none() | st.integers(min_value=1, max_value=6400).map(lambda hundredths: hundredths / 100)
CEILINGS = st.builds(Ceilings, memory_bytes=SOME, swap_bytes=SOME, cpus=CORES, pids=SOME)


@given(data=st.data())
def test_whatever_was_held_what_is_wanted_holds(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any limits on any of the groups, any wish: given limits hold afterwards, the others are as they were."""
    groups = [tmp_path_factory.mktemp("group") for _ in range(data.draw(st.integers(min_value=1, max_value=3)))]
    for group in groups:
        held = data.draw(CEILINGS)
        for field, name in LIMITS.items():
            value = getattr(held, field)
            scale = f"{round((value or 0) * 100_000)} 100000" if field == "cpus" else str(value)
            (group / name).write_text(scale if value is not None else "max 100000" if field == "cpus" else "max")
    made = Chain([Folder(group) for group in groups])
    before, wanted = read_ceilings(made), data.draw(CEILINGS)
    after = write_ceilings(made, wanted)
    for field in LIMITS:
        aim = getattr(wanted, field)
        assert getattr(after, field) == (getattr(before, field) if aim is None else aim)


async def test_a_kernel_that_takes_too_long(tree: Tree, cgroups: KernelCgroups) -> None:
    """As it may when it has to make room: the loop goes on, and what comes next is written after it, not beside it."""
    group = await cgroups.find(tree.running, T_S)
    assert group is not None
    file = tree.own / "memory.max"
    file.unlink()
    os.mkfifo(file)
    pipe = os.open(file, os.O_PATH)
    for wanted in (Ceilings(memory_bytes=MIB, pids=3), WANTED):
        with pytest.raises(GroupRefused, match=r"within 0\.05 s"):
            await cgroups.apply(group, wanted, 0.05)
    # The thread waits for the pipe's other end: let it go, to an ordinary file.
    file.unlink()
    file.write_text("max\n")
    os.close(os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK))
    os.close(pipe)
    assert await cgroups.apply(group, WANTED, T_S) == WANTED


def test_a_kernel_that_counts_no_swap_holds_it_at_zero(tree: Tree) -> None:
    """There is no memory.swap.max then, and nothing to write; the control is the same tree before."""
    tree.hold_to(Ceilings(memory_bytes=64 * MIB, swap_bytes=4 * MIB))
    assert read_ceilings(chain(tree)).swap_bytes == 4 * MIB
    for group in tree.groups:
        (group / "memory.swap.max").unlink(missing_ok=True)
    assert read_ceilings(chain(tree)).swap_bytes == 0
    assert write_ceilings(chain(tree), Ceilings(memory_bytes=32 * MIB, swap_bytes=0)).memory_bytes == 32 * MIB
