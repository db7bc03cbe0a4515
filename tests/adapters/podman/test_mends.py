"""What mends a host without control groups, named as exactly as the host can be told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.adapters.podman.test_matrix import FACTS
from wsmgr.adapters.podman.facts import EngineFacts
from wsmgr.adapters.podman.mends import ENGINE_BUG, delegation, missing_controller, subordinate_ids


@pytest.mark.parametrize(
    ("facts", "controller", "words"),
    [
        (replace(FACTS, cgroups="v1"), "cpu", ["systemd.unified_cgroup_hierarchy=1", "hybrid"]),
        (replace(FACTS, systemd=False), "cpu", ["without systemd"]),
        (replace(FACTS, linger=False), "memory", ["`loginctl enable-linger wsmgr`"]),
        (replace(FACTS, controllers=("memory",)), "cpu", ["controller cpu", "user@999.service.d/wsmgr.conf"]),
        (replace(FACTS, controllers=(), linger=False), "pids", ["enable-linger", "controller pids"]),
        (replace(FACTS, manager="cgroupfs"), "pids", ["cgroup_manager", "/run/user/999"]),
        (replace(FACTS, manager="cgroupfs"), None, ["cgroup_manager"]),
    ],
)
def test_a_mend_names_what_is_missing(facts: EngineFacts, controller: str | None, words: list[str]) -> None:
    """And the playbook that sets it up."""
    mend = delegation(facts, controller)
    assert [word for word in words if word not in mend] == []
    assert "playbooks/host.yml" in mend


def test_where_nothing_is_missing_the_engine_is_at_fault() -> None:
    """All is delegated and podman did not use it."""
    assert delegation(FACTS, "cpu") == ENGINE_BUG


def test_only_what_is_missing_is_named() -> None:
    """A delegated controller and a lasting session are not to be mended."""
    mend = delegation(replace(FACTS, controllers=("memory",)), "cpu")
    assert "linger" not in mend
    assert "cgroup_manager" not in mend


def test_subordinate_ids_are_given_to_the_daemons_user() -> None:
    """By its name."""
    assert "Give wsmgr at least 65536 ids" in subordinate_ids(FACTS)


@pytest.mark.parametrize(
    ("message", "controller"),
    [
        ("crun: opening file `memory.max` for writing: No such file or directory: OCI runtime error", "memory"),
        ("openat2 /sys/fs/cgroup/x.scope/cpu.max: No such file or directory", "cpu"),
        ("crun: opening file `pids.max` for writing: Permission denied", None),
        ("crun: executable file `/usr/bin/node` not found: No such file or directory", None),
    ],
)
def test_a_runtime_that_misses_a_file_of_the_group_was_not_given_its_controller(
    message: str, controller: str | None
) -> None:
    """Podman says of it that a command was not found. Other words are about something else."""
    assert missing_controller(message) == controller
