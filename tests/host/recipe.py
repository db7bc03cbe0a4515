"""What the disk of the host under test is made of. Pure, but for the files of the tree that it reads."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

TREE = Path(__file__).resolve().parents[2]
SUITE = "bookworm"
DISK_SIZE = "8G"
SYSTEM_PACKAGES = (
    "e2fsprogs",
    "iproute2",
    "kmod",
    "linux-image-cloud-amd64",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "quota",
    "systemd",
    "systemd-sysv",
)
"""A plain server. What wsmgr needs besides is named by its own playbooks."""

FILES = {
    "etc/fstab": "/dev/vda / ext4 defaults 0 1\n",
    "etc/hostname": "wsmgr-host\n",
    "etc/systemd/network/wired.network": "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\nLinkLocalAddressing=no\n",
}
KERNEL_LINE = "root=/dev/vda rw console=ttyS0 panic=-1 systemd.show_status=no mitigations=off tsc=reliable"


UNWANTED = (
    "apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer "
    "dpkg-db-backup.timer"
)
"""Work of a desktop's or a long-lived server's; under emulation it takes minutes from the tests."""

COPY_DISK = (
    # Bound elsewhere the tree is without the /proc and /sys that are mounted in it.
    'mkdir {there}/root && mount --bind "$1" {there}/root && truncate -s {size} {there}/disk.raw && '
    "mke2fs -q -t ext4 -d {there}/root {there}/disk.raw; made=$?; umount {there}/root; rmdir {there}/root; exit $made"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The host as it comes from the distribution, before any playbook."""

    packages: Sequence[str]

    @property
    def fingerprint(self) -> str:
        """Another one means another disk."""
        told = "\n".join([SUITE, *self.packages, *self.hooks("there")])
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def hooks(self, there: str) -> list[str]:
        """Shell commands for when all packages are in place; $1 is the root of the new system. They read `key.pub` in
        the folder `there` and leave the disk, the kernel and the public host key in it."""
        written = [
            f'mkdir -p "$1/{Path(name).parent}" && printf %s {shlex.quote(text)} > "$1/{name}"'
            for name, text in FILES.items()
        ]
        return [
            *written,
            'install -d -m 0700 "$1/root/.ssh"',
            f'install -m 0600 {there}/key.pub "$1/root/.ssh/authorized_keys"',
            'chroot "$1" systemctl enable -q systemd-networkd.service ssh.service',
            f'chroot "$1" systemctl mask -q {UNWANTED}',
            'rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*',
            f"copy-out /boot {there}",
            f"copy-out /etc/ssh/ssh_host_ed25519_key.pub {there}",
            COPY_DISK.format(there=there, size=DISK_SIZE),
        ]


def usual_recipe() -> Recipe:
    """The system's packages and the playbooks' own: the host under test reaches no package mirror."""
    defaults = yaml.safe_load((TREE / "playbooks/roles/wsmgr/defaults/main.yml").read_text())
    named = [*SYSTEM_PACKAGES, *defaults["wsmgr_packages"], *defaults["wsmgr_packages_systemd"]]
    return Recipe(sorted(set(named)))
