"""A workspace host as its operator has it: a real Debian 12 with systemd, and wsmgr as a user service."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tests.host.machine import Machine
from tests.host.patient import PatientClient
from tests.host.progress import Say
from tests.host.provision import Playbooks, Run
from tests.host.recipe import TREE
from tests.host.ssh import RemoteFailure, Ssh
from wsmgr.client import ClientError

T = TypeVar("T")

USER = "wsmgr"
API = "/run/wsmgr/api.sock"
BOOT_S = 600.0
ANSWER_S = 300.0
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Host:
    """`playbooks` provisions it; `say` tells whoever waits."""

    machine: Machine
    root: Ssh
    playbooks: Playbooks
    say: Say

    def ssh(self, script: str, *, timeout_s: float = 300.0) -> str:
        """What root's shell there prints. Raises RemoteFailure."""
        return self.root.run(script, timeout_s=timeout_s)

    def as_service(self, script: str, *, timeout_s: float = 300.0) -> str:
        """The same as the service user, in its session. Raises RemoteFailure."""
        session = "XDG_RUNTIME_DIR=/run/user/$(id -u wsmgr)"
        bus = "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$(id -u wsmgr)/bus"
        return self.ssh(
            f"cd /var/lib/{USER} && exec runuser -u {USER} -- env HOME=/var/lib/{USER} {session} {bus} "
            f"bash -c {shlex.quote(script)}",
            timeout_s=timeout_s,
        )

    def client(self) -> PatientClient:
        """A client of the daemon, as admin. Close it; a reboot ends the way that it takes."""
        return PatientClient(self.root.forward(API, "api.sock"))

    def provision(self, playbook: str = "site.yml", **variables: object) -> Run:
        """Run a playbook; `variables` are those of playbooks/roles/wsmgr/defaults."""
        return self.playbooks.run(playbook, **variables)

    def push(self) -> None:
        """The Python code of this tree into the installed program, and the daemon started anew: for hand work."""
        packed = subprocess.run(
            ["tar", "-c", "--exclude=__pycache__", "wsmgr", "tui"], cwd=TREE, capture_output=True, check=True
        ).stdout
        self.root.run(
            "cd /opt/wsmgr/venv/lib/python3.11/site-packages && rm -rf wsmgr/[a-z]* tui && tar -x --no-same-owner",
            stdin=packed,
        )
        shared = subprocess.run(
            ["tar", "-c", "containerfiles", "playbooks"], cwd=TREE, capture_output=True, check=True
        ).stdout
        self.root.run(
            "cd /opt/wsmgr/venv/lib/python3.11/site-packages/wsmgr && mkdir -p _share && cd _share && "
            "tar -x --no-same-owner",
            stdin=shared,
        )
        self.as_service("systemctl --user restart wsmgr.service")
        self.wait_until_serving()

    def wait_until_up(self) -> None:
        """Until systemd has started everything. Raises RuntimeError with the end of the console."""
        self.say("Waiting for the host to boot")
        deadline, told = time.monotonic() + BOOT_S, time.monotonic()
        while time.monotonic() < deadline and self.machine.alive():
            if self.root.connect() and self._booted():
                self.say("The host is up")
                return
            if time.monotonic() - told > 20:
                told = time.monotonic()
                self.say("... still booting")
            time.sleep(_PAUSE_S)
        console = self.machine.console.read_text(errors="replace")[-3000:] if self.machine.console.exists() else ""
        raise RuntimeError(f"The host did not come up; its console ends:\n{console}")

    def _booted(self) -> bool:
        try:
            _, state, _ = self.root.try_run("systemctl is-system-running --wait", timeout_s=BOOT_S)
        except RemoteFailure:
            return False
        return state.strip() in {"running", "degraded"}

    def wait_until_serving(self) -> None:
        """Until the daemon answers."""

        def answers() -> bool:
            self.ssh(f"python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{API}\")'")
            with self.client() as client:
                client.workspaces()
            return True

        self.wait_for(answers, "the daemon to answer", ANSWER_S)

    def reboot(self) -> None:
        """As an operator does it. Returns when the host is up again; the daemon may still be starting."""
        before = self.boot_id()
        self.say("Rebooting the host")
        self.root.try_run("systemctl reboot")
        self.root.disconnect()
        self.wait_for(lambda: self.root.connect() and self.boot_id() != before, "the next boot", BOOT_S)
        self.wait_until_up()

    def boot_id(self) -> str:
        """Another one after every boot."""
        return self.ssh("cat /proc/sys/kernel/random/boot_id").strip()

    def wait_for(self, condition: Callable[[], T], what: str, timeout_s: float = ANSWER_S) -> T:
        """The first answer of `condition` that is true; failures of host and daemon meanwhile, and its own assertions,
        count as no answer."""
        deadline = time.monotonic() + timeout_s
        last: object = None
        while True:
            try:
                if last := condition():
                    return last
            except (RemoteFailure, ClientError, AssertionError) as error:
                last = error
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {timeout_s:g} s for {what}; last: {last!r}")
            time.sleep(_PAUSE_S)
