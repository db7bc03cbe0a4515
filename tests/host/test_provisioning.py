"""The playbooks on a host that was set up by them."""

from __future__ import annotations

from tests.host.host import Host


def test_a_second_run_changes_nothing(host: Host) -> None:
    """And the daemon is the same process after it."""
    before = host.as_service("systemctl --user show --property MainPID wsmgr.service")
    again = host.provision()
    assert again.changes == []
    assert (again.changed, again.failed) == (0, 0)
    assert host.as_service("systemctl --user show --property MainPID wsmgr.service") == before


def test_the_daemon_is_a_service_of_an_ordinary_user(host: Host) -> None:
    """Started by that user's systemd, which lasts without a login; nothing of it runs as root."""
    assert host.as_service("systemctl --user is-active wsmgr.service podman.socket").split() == ["active"] * 2
    assert host.ssh("loginctl show-user wsmgr --property Linger").strip() == "Linger=yes"
    owners = host.ssh("ps -eo user:32,args | grep -E '[w]smgr serve|[c]onmon' | cut -d ' ' -f 1 | sort -u").split()
    assert owners == ["wsmgr"]
