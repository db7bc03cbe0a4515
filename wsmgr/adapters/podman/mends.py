"""What an operator can do about a gap, as exactly as can be told from here. Pure."""

from __future__ import annotations

import re

from wsmgr.adapters.podman.facts import EngineFacts

ENGINE_BUG = "The container engine does not do as it is told: update podman and its runtime."
KERNEL_BUG = "The kernel does not hold what it was told: update the kernel, podman and its runtime."
TRY_AGAIN = "Restart the daemon when the host has less to do, with `wsmgr shutdown --keep`: it then tries again."
SWAP = "Switch swap off, or update podman."
STORAGE = 'Set `driver = "overlay"` in storage.conf: vfs copies the whole image for each container.'

_CONTROLLERS = "cpu cpuset io memory pids"
_PLAYBOOK = "playbooks/host.yml does that"


def delegation(facts: EngineFacts, controller: str | None = None) -> str:
    """What is missing for control groups that the daemon's user may use; `controller` None: any group of its own."""
    if facts.cgroups != "v2":
        return (
            "This host has cgroups v1, alone or beside v2 (hybrid): boot one with systemd and "
            f"`systemd.unified_cgroup_hierarchy=1`, and delegate controllers to {facts.user} ({_PLAYBOOK})."
        )
    if not facts.systemd:
        return f"Nothing delegates control groups without systemd: run the daemon on a host that has it ({_PLAYBOOK})."
    steps = _steps(facts, controller)
    return f"{'; '.join(steps)} ({_PLAYBOOK})." if steps else ENGINE_BUG


_MISSING_FILE = re.compile(r"\b(cpu|cpuset|io|memory|pids)\.[a-z.]+\b.*No such file", re.DOTALL)


def missing_controller(message: str) -> str | None:
    """The controller whose file a container runtime did not find, by its own words; None when they are about something
    else."""
    found = _MISSING_FILE.search(message)
    return found[1] if found else None


def _steps(facts: EngineFacts, controller: str | None) -> list[str]:
    steps = []
    if not facts.linger:
        steps.append(f"`loginctl enable-linger {facts.user}` gives the user a systemd that lasts without a login")
    if controller is not None and controller not in facts.controllers:
        steps.append(
            f"The controller {controller} is not delegated: write `[Service]` and `Delegate={_CONTROLLERS}` into "
            f"/etc/systemd/system/user@{facts.uid}.service.d/wsmgr.conf, then `systemctl daemon-reload` and "
            f"`systemctl restart user@{facts.uid}.service`"
        )
    if not steps and facts.manager != "systemd":
        steps.append(
            f'Podman makes its groups without systemd: set `cgroup_manager = "systemd"` in containers.conf and give '
            f"the daemon the session bus of {facts.user} (XDG_RUNTIME_DIR=/run/user/{facts.uid})"
        )
    return steps


def subordinate_ids(facts: EngineFacts) -> str:
    """For a container whose root or whose workspace is the daemon's own user."""
    return (
        f"Give {facts.user} at least 65536 ids of its own in /etc/subuid and in /etc/subgid ({_PLAYBOOK}), "
        "then `podman system migrate` as that user."
    )
