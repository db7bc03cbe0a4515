"""What podman and the host's files say of the host."""

from __future__ import annotations

import getpass
from pathlib import Path

from wsmgr.adapters.podman.facts import facts_of

HOST: dict[str, object] = {
    "cgroupVersion": "v2",
    "cgroupManager": "systemd",
    "cgroupControllers": ["cpu", "memory"],
    "ociRuntime": {"name": "crun", "version": "crun version 1.8.1\ncommit: f8a096be"},
}
INFO = {"host": HOST, "version": {"Version": "4.3.1"}, "store": {"graphDriverName": "overlay"}}


def test_facts_of_a_host(tmp_path: Path) -> None:
    """Linger is a file of the user's name."""
    facts = facts_of(INFO, systemd=tmp_path, linger=tmp_path)
    assert (
        str(facts)
        == "podman 4.3.1, crun version 1.8.1, overlay storage, cgroups v2, delegated controllers: cpu, memory"
    )
    assert (facts.systemd, facts.linger, facts.manager) == (True, False, "systemd")
    (tmp_path / getpass.getuser()).touch()
    assert facts_of(INFO, systemd=tmp_path / "none", linger=tmp_path).linger
    assert not facts_of(INFO, systemd=tmp_path / "none", linger=tmp_path).systemd


def test_a_runtime_that_tells_no_version_has_its_name() -> None:
    """Podman leaves the version out when the runtime does not say it."""
    host = {**HOST, "ociRuntime": {"name": "runc"}, "cgroupControllers": None}
    assert str(facts_of({**INFO, "host": host})).endswith(
        "runc, overlay storage, cgroups v2, delegated controllers: none"
    )
