"""The project's own playbooks, run over SSH on the host under test as an operator runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.host.progress import Say
from tests.host.recipe import TREE
from tests.host.ssh import Ssh

PLAYBOOK_S = 2400.0
_RECAP = re.compile(r"host: (\d+) ok, (\d+) changed, (\d+) failed")
_TASK = re.compile(r"\s+(.*): (ok|changed|ignored)(?: \(\d+ s\))?$")

# An emulated processor is ten to twenty times slower than a real one; what is waited for is the same.
SETTINGS: Mapping[str, object] = {
    "engine_timeout_s": 180,
    "engine_probe_s": 60,
    "start_deadline_s": 240,
    "stop_grace_s": 30,
    "shutdown_deadline_s": 90,
    "health_timeout_s": 45,
}

VOLUMES = [{"mb": 64, "count": 3}]
"""For persistent data, on the disk of the host."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a playbook came to."""

    output: str
    changed: int
    failed: int

    @property
    def changes(self) -> list[str]:
        """The tasks that changed something."""
        lines = (_TASK.fullmatch(line) for line in self.output.splitlines())
        return [line[1] for line in lines if line and line[2] == "changed"]


@dataclass(frozen=True, slots=True)
class Playbooks:
    """`folder` keeps the inventory and Ansible's own files."""

    ssh: Ssh
    wheelhouse: Path
    folder: Path
    say: Say

    def run(self, playbook: str, **variables: object) -> Run:
        """Run playbooks/`playbook`; `variables` are those of roles/wsmgr/defaults, over the tier's own. Raises
        RuntimeError with the end of its output when a task fails."""
        self.folder.mkdir(exist_ok=True)
        inventory = self.folder / "inventory.yml"
        inventory.write_text(yaml.safe_dump(self._inventory(variables)))
        self.say(f"playbooks/{playbook} on the host")
        with subprocess.Popen(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), f"playbooks/{playbook}"],
            cwd=TREE, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            output = self._followed(process)
        recap = _RECAP.search(output)
        if process.returncode != 0 or recap is None:
            raise RuntimeError(f"playbooks/{playbook} failed ({process.returncode}):\n{output[-6000:]}")
        return Run(output, int(recap[2]), int(recap[3]))

    def _followed(self, process: subprocess.Popen[str]) -> str:
        """What it prints, told line by line; it is ended when it takes too long."""
        late = threading.Timer(PLAYBOOK_S, process.kill)
        late.start()
        lines = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                self.say(line.rstrip())
            process.wait()
        finally:
            late.cancel()
            process.kill()
        return "".join(lines)

    def _inventory(self, variables: Mapping[str, object]) -> object:
        settings = {**SETTINGS, **_mapping(variables.get("wsmgr_settings"))}
        host = {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.ssh.port,
            "ansible_user": "root",
            "ansible_ssh_common_args": " ".join(self.ssh.options),
            "ansible_python_interpreter": "/usr/bin/python3",
            "wsmgr_wheelhouse": str(self.wheelhouse),
            "wsmgr_data_volumes": VOLUMES,
            **variables,
            "wsmgr_settings": settings,
        }
        return {"workspace_hosts": {"hosts": {"host": host}}}

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(TREE / "playbooks" / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.ssh.folder),
            "ANSIBLE_SSH_ARGS": "-oControlMaster=auto -oControlPersist=60s",
            "ANSIBLE_TIMEOUT": "120",
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
