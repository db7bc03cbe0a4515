"""Commands on the host under test, and its unix sockets brought here, over one shared SSH connection."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND_S = 120.0


class RemoteFailure(Exception):
    """A command on the host ended with another status than 0, or took too long."""


@dataclass(frozen=True, slots=True)
class Ssh:
    """Root's account on a machine; `folder` has the sockets, so its path must be a short one."""

    port: int
    key: Path
    known_hosts: Path
    folder: Path

    @property
    def options(self) -> list[str]:
        """Fit for ssh, and for Ansible. What is asked of the user's own configuration is nothing."""
        said = {
            "IdentityFile": str(self.key),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self.known_hosts),
            "HostKeyAlias": "wsmgr-host",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
            "ConnectTimeout": "30",
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "20",
            "StreamLocalBindUnlink": "yes",
        }
        return ["-F", "none", *(f"-o{name}={value}" for name, value in said.items())]

    @property
    def command(self) -> list[str]:
        """What a person would type to get there."""
        return ["ssh", *self.options, *self._shared, "-p", str(self.port), "root@127.0.0.1"]

    def run(self, script: str, *, timeout_s: float = COMMAND_S, stdin: bytes | None = None) -> str:
        """What the shell script printed. Raises RemoteFailure."""
        code, out, err = self.try_run(script, timeout_s=timeout_s, stdin=stdin)
        if code != 0:
            raise RemoteFailure(f"{script!r} ended with {code}: {(err or out).strip()[-2000:]}")
        return out

    def try_run(self, script: str, *, timeout_s: float = COMMAND_S, stdin: bytes | None = None) -> tuple[int, str, str]:
        """Status, output and errors. 255: there was no connection. Raises RemoteFailure when it takes too long."""
        try:
            # A master that this command starts would hold its error output open: it is started by `connect` alone.
            done = subprocess.run(
                [*self.command, "--", script], input=stdin or b"", capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise RemoteFailure(f"{script!r} took longer than {timeout_s:g} s") from None
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def connect(self) -> bool:
        """Begin the shared connection; False when nobody answers."""
        self.disconnect()
        master = ["ssh", *self.options, *self._shared, "-oControlMaster=yes", "-oControlPersist=yes", "-fN"]
        done = subprocess.run(
            [*master, "-p", str(self.port), "root@127.0.0.1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def connected(self) -> bool:
        """Whether the shared connection stands."""
        return self._control("check")

    def disconnect(self) -> None:
        """End the shared connection, and with it every forwarded socket."""
        self._control("exit")
        (self.folder / "ssh").unlink(missing_ok=True)

    def forward(self, remote: str, name: str) -> Path:
        """A socket here that leads to the unix socket `remote` there, for as long as the connection lasts."""
        here = self.folder / name
        if not here.exists():
            self._control("forward", f"-L{here}:{remote}", must=True)
        return here

    @property
    def _shared(self) -> Sequence[str]:
        return [f"-oControlPath={self.folder / 'ssh'}"]

    def _control(self, what: str, *more: str, must: bool = False) -> bool:
        command = ["ssh", *self.options, *self._shared, "-O", what, *more, "-p", str(self.port), "root@127.0.0.1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if must and done.returncode != 0:
            raise RemoteFailure(f"ssh -O {what} failed: {done.stderr.strip()}")
        return done.returncode == 0
