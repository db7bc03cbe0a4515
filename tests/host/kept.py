"""A host of this tree: made, started and found again."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.host.cache import cache_dir
from tests.host.host import Host
from tests.host.image import built
from tests.host.machine import Machine, start
from tests.host.progress import Say
from tests.host.provision import Playbooks
from tests.host.recipe import usual_recipe
from tests.host.ssh import Ssh
from tests.host.wheels import wheelhouse


def fresh(say: Say) -> Host:
    """A host that boots now, bare, and ends with this process; `discard` takes it away."""
    return _started(Path(tempfile.mkdtemp(prefix="wsmgr-host-", dir="/tmp")), say, outlive=False)


def discard(host: Host) -> None:
    """End it and remove its disk."""
    host.root.disconnect()
    host.machine.kill()
    # ssh and Ansible let their sockets go in their own time.
    shutil.rmtree(host.machine.folder, ignore_errors=True)


def kept(say: Say) -> Host:
    """The host that stays for hand work: the one that runs, else the one that was there, booted, else a bare one."""
    host = running(say)
    if host is not None:
        return host
    folder = _kept_folder()
    folder.mkdir(exist_ok=True)
    host = _started(folder, say, outlive=True)
    host.machine.save(folder / "machine.json")
    return host


def running(say: Say) -> Host | None:
    """The kept host, when it runs."""
    machine = Machine.load(_kept_folder() / "machine.json")
    if machine is None:
        return None
    host = _host(machine, say)
    if not host.root.connected():
        host.wait_until_up()
    return host


def forget() -> None:
    """Remove the disk of the kept host, which must not run."""
    shutil.rmtree(_kept_folder(), ignore_errors=True)


def _kept_folder() -> Path:
    return cache_dir() / "kept"


def _started(folder: Path, say: Say, *, outlive: bool) -> Host:
    image = built(usual_recipe(), say)
    say("Powering the host on")
    host = _host(start(image, folder, outlive=outlive), say)
    host.wait_until_up()
    return host


def _host(machine: Machine, say: Say) -> Host:
    image = built(usual_recipe(), say)
    ssh = Ssh(machine.port, image.key, image.known_hosts, machine.folder)
    return Host(machine, ssh, Playbooks(ssh, wheelhouse(say), machine.folder / "ansible", say), say)
