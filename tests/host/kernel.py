"""What the kernel of the host says of one workspace: the only evidence that counts here."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.host.host import USER, Host
from wsmgr.client import Client


@dataclass(frozen=True, slots=True)
class Group:
    """The control group of the container that a workspace had when this was made."""

    host: Host
    container: str
    pid: int
    path: str

    def read(self, name: str) -> str:
        """A file of the group that the container's first process is in."""
        return self.host.ssh(f"cat /sys/fs/cgroup{self.path}/{name}").strip()

    def number(self, name: str) -> int:
        """A file that holds one number."""
        return int(self.read(name))

    def table(self, name: str) -> dict[str, int]:
        """A file of names and numbers."""
        return {key: int(value) for key, value in (line.split() for line in self.read(name).splitlines())}

    def twice(self, name: str, seconds: int) -> tuple[dict[str, int], dict[str, int], int]:
        """The table before and after so many seconds, and how many microseconds it really were, by the host's own
        clock: the way to it may take longer than what is measured."""
        told = self.host.ssh(
            f"cd /sys/fs/cgroup{self.path} && cat {name} && echo -- && date +%s%N && sleep {seconds} && date +%s%N && "
            f"echo -- && cat {name}"
        )
        before, clock, after = told.split("--\n")
        begun, ended = (int(line) for line in clock.split())
        tables = [dict(line.split() for line in text.splitlines()) for text in (before, after)]
        first, second = ({key: int(value) for key, value in table.items()} for table in tables)
        return first, second, (ended - begun) // 1000


def group_of(host: Host, client: Client, workspace: str) -> Group:
    """The group of the workspace's container, which must run."""
    container = client.workspace(workspace).container_id
    assert container, f"{workspace} has no container"
    pid = int(host.as_service(f"podman inspect --format '{{{{.State.Pid}}}}' {container}"))
    lines = host.ssh(f"cat /proc/{pid}/cgroup").splitlines()
    path = next(line.removeprefix("0::") for line in lines if line.startswith("0::"))
    assert container in path, f"its first process is in {path}"
    return Group(host, container, pid, path)


def counted_for_all(host: Host, name: str, key: str) -> int:
    """A count over everything that the service user runs and ever ran since the boot: it outlives the containers."""
    text = host.ssh(f"cat /sys/fs/cgroup/user.slice/user-$(id -u {USER}).slice/{name}")
    return int(dict(line.split() for line in text.splitlines())[key])


def doctor(host: Host) -> list[dict[str, str]]:
    """What `wsmgr doctor` said when the host was set up."""
    told = json.loads(host.ssh("cat /opt/wsmgr/doctor.json"))
    return list(told["items"])
