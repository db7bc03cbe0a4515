"""Whether groups hold the number of tasks, by a folder that looks like the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wsmgr.adapters.podman.delegated import pids_are_delegated


@pytest.mark.parametrize(
    ("controllers", "held"),
    [("cpu io memory pids\n", True), ("memory pids\n", True), ("cpu memory\n", False), ("", False), (None, False)],
)
def test_by_the_users_own_systemd(tmp_path: Path, controllers: str | None, held: bool) -> None:
    """What is delegated to it, its containers have; without it (hybrid cgroups, no systemd) there is nothing."""
    uid = os.geteuid()
    service = tmp_path / f"user.slice/user-{uid}.slice/user@{uid}.service"
    service.mkdir(parents=True)
    if controllers is not None:
        (service / "cgroup.controllers").write_text(controllers)
    assert pids_are_delegated(tmp_path) is held
