"""A host of this tree: made, started and found again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def fresh(say: Say) -> Iterator[Host]:
    """A host that boots now, bare. At the end it is gone, with its disk."""
    # Not pytest's tmp_path: a unix socket's path has 107 bytes at the most. ssh and Ansible let their sockets go
    # there in their own time, which is no error.
    with tempfile.TemporaryDirectory(prefix="wsmgr-host-", dir="/tmp", ignore_cleanup_errors=True) as place:
        host = _powered_on(Path(place), say, outlive=False)
        try:
            host.wait_until_up()
            yield host
        finally:
            host.root.disconnect()
            host.machine.kill()


def kept(say: Say) -> Host:
    """The host that stays for hand work: the one that runs, else the one that was there, booted, else a bare one."""
    host = running(say)
    if host is not None:
        return host
    folder = _kept_folder()
    folder.mkdir(exist_ok=True)
    host = _powered_on(folder, say, outlive=True)
    host.machine.save(folder / "machine.json")
    host.wait_until_up()
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


def _powered_on(folder: Path, say: Say, *, outlive: bool) -> Host:
    image = built(usual_recipe(), say)
    say("Powering the host on")
    return _host(start(image, folder, outlive=outlive), say)


def _host(machine: Machine, say: Say) -> Host:
    image = built(usual_recipe(), say)
    ssh = Ssh(machine.port, image.key, image.known_hosts, machine.folder)
    return Host(machine, ssh, Playbooks(ssh, wheelhouse(say), machine.folder / "ansible", say), say)
