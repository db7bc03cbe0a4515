"""The implementations that the contract holds for, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.contract.cgroup.kernel import PLACE, kernel_world
from tests.contract.cgroup.rig import FakeWorld, Rig, TroubledRig, instance
from tests.contract.cgroup.tree import Tree
from tests.fakes.cgroup import FakeCgroups
from wsmgr.adapters.cgroup import KernelCgroups


@contextmanager
def fake_rig(_folder: Path) -> Iterator[TroubledRig]:
    """The fake that the tests of `control` stand on."""
    cgroups = FakeCgroups()
    yield TroubledRig(cgroups, instance(), FakeWorld(cgroups.behind(instance())))
    cgroups.close()


def tree_rig(folder: Path, *, nested: bool) -> Iterator[TroubledRig]:
    """The real one over plain files."""
    tree = Tree(folder, instance(), nested=nested)
    cgroups = KernelCgroups(tree.proc, tree.cgroups)
    with tree.living():
        yield TroubledRig(cgroups, tree.running, tree)
    cgroups.close()


@contextmanager
def scope_rig(folder: Path) -> Iterator[TroubledRig]:
    """Limits and processes on the scope."""
    yield from tree_rig(folder, nested=False)


@contextmanager
def container_rig(folder: Path) -> Iterator[TroubledRig]:
    """Limits and processes on a group within the scope."""
    yield from tree_rig(folder, nested=True)


@contextmanager
def kernel_rig(_folder: Path) -> Iterator[Rig]:
    """The real one over the kernel, on hosts that have what it needs: WSMGR_TEST_CGROUP says so."""
    cgroups = KernelCgroups()
    with kernel_world() as world:
        yield Rig(cgroups, world.running, world)
    cgroups.close()


TROUBLED: dict[str, Callable[[Path], AbstractContextManager[TroubledRig]]] = {
    "fake": fake_rig,
    "scope": scope_rig,
    "container": container_rig,
}
RIGS: dict[str, Callable[[Path], AbstractContextManager[Rig | TroubledRig]]] = {
    **TROUBLED,
    **({"kernel": kernel_rig} if PLACE else {}),
}


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig | TroubledRig]:
    """One implementation after the other; `-k container` picks one."""
    with RIGS[request.param](tmp_path) as made:
        yield made


@pytest.fixture(params=sorted(TROUBLED))
def troubled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TroubledRig]:
    """Those whose world is made up."""
    with TROUBLED[request.param](tmp_path) as made:
        yield made
