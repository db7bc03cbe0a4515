"""Groups of a probe container, in folders that look like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsmgr.adapters.podman.groups import own_groups, read_counts, try_freeze

ID = "c" * 64


@pytest.fixture
def scope(tmp_path: Path) -> Path:
    """The topmost group of a container whose process, 42, is in the one below it."""
    cgroups = tmp_path / "cgroup"
    scope = cgroups / f"user.slice/libpod-{ID}.scope"
    (scope / "container").mkdir(parents=True)
    (cgroups / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "42").mkdir()
    (tmp_path / "42/cgroup").write_text(f"0::/user.slice/libpod-{ID}.scope/container\n")
    return scope


def test_the_chain_begins_at_the_topmost_group_of_the_container(scope: Path, tmp_path: Path) -> None:
    """And ends at the process'; a process of another container has none of it."""
    assert own_groups(42, ID, tmp_path, tmp_path / "cgroup") == (scope, scope / "container")
    assert own_groups(42, "d" * 64, tmp_path, tmp_path / "cgroup") == ()


def test_a_hybrid_host_has_no_groups(scope: Path, tmp_path: Path) -> None:
    """The second version's tree is not the one that is mounted at the top."""
    (tmp_path / "cgroup/cgroup.controllers").unlink()
    assert own_groups(42, ID, tmp_path, tmp_path / "cgroup") == ()


def test_the_highest_count_in_the_chain_counts(scope: Path) -> None:
    """Each kernel counts somewhere else; what is missing is not counted."""
    (scope / "pids.events").write_text("max 0\n")
    (scope / "container/pids.events").write_text("max 7\n")
    (scope / "cpu.stat").write_text("usage_usec 5\nnr_periods 9\nnr_throttled 3\n")
    (scope / "container/cpu.stat").write_text("usage_usec 5\n")
    (scope / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    assert read_counts([scope, scope / "container"]) == {"max": 7, "nr_throttled": 3, "oom_kill": 1}
    assert read_counts([]) == {}


def test_a_group_that_stands_still_was_frozen_and_is_thawed(scope: Path) -> None:
    """The kernel's `frozen 1` is the proof, not the write."""
    (scope / "cgroup.freeze").write_text("0")
    (scope / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    assert try_freeze(scope) is None
    assert (scope / "cgroup.freeze").read_text() == "0"


def test_a_group_that_does_not_stand_still_is_thawed_all_the_same(scope: Path) -> None:
    """After the time, which is bounded."""
    (scope / "cgroup.freeze").write_text("0")
    (scope / "cgroup.events").write_text("populated 1\nfrozen 0\n")
    assert try_freeze(scope, 0.01) == "its processes did not stand still within 0.01 s"
    assert (scope / "cgroup.freeze").read_text() == "0"


def test_a_group_that_cannot_be_frozen_says_why(scope: Path) -> None:
    """No such file: there is no freezer, or no right to it."""
    assert try_freeze(scope) == "cgroup.freeze could not be written: No such file or directory"
