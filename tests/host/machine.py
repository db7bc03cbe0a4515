"""The emulated machine: one QEMU process on a copy of an image's disk."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.host.image import Image
from tests.host.recipe import KERNEL_LINE

MEMORY = "6G"
SPARE_DISK = "4G"
"""A second, empty disk, /dev/vdb, for what wants a device or a file system of its own."""

_TRIES = 5
_EARLY_S = 1.0


@dataclass(frozen=True, slots=True)
class Machine:
    """A process that was started, told by what finds it again from another program."""

    pid: int
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, compare=False, repr=False)
    """Where this program started it: it is waited for by this."""

    @property
    def console(self) -> Path:
        """All that the kernel and systemd said."""
        return self.folder / "console.log"

    def alive(self) -> bool:
        """Whether it still runs; a pid that was given to another process does not count."""
        if self.process is not None:
            return self.process.poll() is None
        try:
            return str(self.folder).encode() in Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return False

    def kill(self) -> None:
        """Pull the plug, and wait until it is out."""
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
        while self.alive():
            time.sleep(0.05)

    def save(self, file: Path) -> None:
        """So that `load` finds it."""
        file.write_text(json.dumps({"pid": self.pid, "port": self.port, "folder": str(self.folder)}))

    @staticmethod
    def load(file: Path) -> Machine | None:
        """The machine that was saved there, if it still runs."""
        try:
            told = json.loads(file.read_text())
        except OSError:
            return None
        machine = Machine(told["pid"], told["port"], Path(told["folder"]))
        return machine if machine.alive() else None


def start(image: Image, folder: Path, *, outlive: bool = False) -> Machine:
    """Power a machine on. It ends with this process, but for one that is to `outlive` it.

    Its network ends at the emulator: it reaches nothing, and is reached by ssh on a loopback port alone.
    """
    disk, spare = folder / "disk.raw", folder / "spare.raw"
    if not disk.exists():
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", image.disk, disk], check=True, timeout=300)
    if not spare.exists():
        subprocess.run(["truncate", "-s", SPARE_DISK, spare], check=True, timeout=60)
    for _ in range(_TRIES):
        port = _free_port()
        with (folder / "qemu.log").open("wb") as log:
            process = subprocess.Popen(
                [*([] if outlive else ["setpriv", "--pdeathsig", "KILL"]), *_command(image, folder, port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            process.wait(_EARLY_S)
        except subprocess.TimeoutExpired:
            return Machine(process.pid, port, folder, process)
        # Somebody else took the port meanwhile, or the emulator does not run here at all.
    raise RuntimeError(f"QEMU does not start: {(folder / 'qemu.log').read_text().strip()}")


def _command(image: Image, folder: Path, port: int) -> Sequence[str]:
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        raise RuntimeError("qemu-system-x86_64 is not installed: `make test-host` does that.")
    # Software emulation: it runs everywhere, also inside a virtual machine.
    return [
        qemu, "-name", "wsmgr-host", "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none",
        "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", MEMORY,
        "-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", KERNEL_LINE,
        "-drive", f"file={folder}/disk.raw,format=raw,if=virtio,cache=unsafe,discard=unmap",
        "-drive", f"file={folder}/spare.raw,format=raw,if=virtio,cache=unsafe,discard=unmap",
        "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22", "-device", "virtio-net-pci,netdev=net",
        "-device", "virtio-rng-pci", "-serial", f"file:{folder}/console.log",
    ]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
