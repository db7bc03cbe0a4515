"""Makes the disk, kernel and initial RAM disk of the host under test from the distribution's packages."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.host.cache import cached
from tests.host.progress import Say
from tests.host.recipe import SUITE, Recipe

BUILD_S = 1800
_SUITE_LINE = re.compile(rf"(?m)(^Suites:|^deb\s.*)\s{SUITE}(-updates|-security)?(\s|$)")


@dataclass(frozen=True, slots=True)
class Image:
    """The files of one built image."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root file system. Never started from: it is copied for each machine."""
        return self.folder / "disk.raw"

    @property
    def kernel(self) -> Path:
        """Given to the emulator directly, so that the disk needs no boot loader."""
        return next(self.folder.glob("boot/vmlinuz-*"))

    @property
    def initrd(self) -> Path:
        """As above."""
        return next(self.folder.glob("boot/initrd.img-*"))

    @property
    def key(self) -> Path:
        """Opens root's account, on the loopback port of a machine of this image and nowhere else."""
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        """The key that such a machine shows."""
        return self.folder / "known_hosts"


def built(recipe: Recipe, say: Say) -> Image:
    """The image of that recipe, from the cache where it is there."""

    def make(folder: Path) -> None:
        say(f"Building the host's disk from {len(recipe.packages)} packages and what they need (1 to 5 minutes)")
        _make(recipe, folder)
        say("The disk is built")

    return Image(cached("image", recipe.fingerprint, make))


def _make(recipe: Recipe, folder: Path) -> None:
    _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "wsmgr-host-tier", "-f", str(folder / "key")], 60)
    _run(
        [
            "mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(recipe.packages)}",
            *(f"--customize-hook={hook}" for hook in recipe.hooks(shlex.quote(str(folder)))),
            SUITE, "/dev/null", *_sources(),
        ],
        BUILD_S,
    )  # fmt: skip
    host_key = (folder / "ssh_host_ed25519_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"wsmgr-host {' '.join(host_key)}\n")


def _sources() -> list[str]:
    """This machine's own sources of the suite, so that its mirror serves; none: mmdebstrap's usual ones."""
    named = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    return [str(path) for path in named if path.is_file() and _SUITE_LINE.search(path.read_text())]


def _run(command: list[str], timeout_s: float) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}): {done.stderr[-4000:]}")
