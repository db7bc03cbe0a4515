"""A made-up host for the adapter's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.cgroup.rig import instance
from tests.contract.cgroup.tree import Tree
from wsmgr.adapters.cgroup import KernelCgroups


@pytest.fixture(params=[False, True], ids=["scope", "container"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    """Both layouts, one after the other. Its thread does not run."""
    return Tree(tmp_path / "host", instance(), nested=request.param)


@pytest.fixture
def cgroups(tree: Tree) -> Iterator[KernelCgroups]:
    """Over the tree."""
    made = KernelCgroups(tree.proc, tree.cgroups)
    yield made
    made.close()
