"""The build context of the image."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wsmgr.adapters.podman.context import Entry, digest, skeleton, tree, write

FILE = Entry("rootfs/bin/x", 0o755, content=b"x")


def _modes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o7777 for path in folder.rglob("*")}


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    """What is written has the modes of the plan, also those of directories that are only implied."""
    before = os.umask(0o077)
    try:
        write([FILE, Entry("rootfs/tmp", 0o1777), Entry("rootfs/tmp/in", 0o644, content=b"")], tmp_path)
    finally:
        os.umask(before)
    assert _modes(tmp_path) == {
        "rootfs": 0o755,
        "rootfs/bin": 0o755,
        "rootfs/bin/x": 0o755,
        "rootfs/tmp": 0o1777,
        "rootfs/tmp/in": 0o644,
    }


@pytest.mark.parametrize(
    "other",
    [
        [Entry("rootfs/bin/x", 0o755, content=b"y")],
        [Entry("rootfs/bin/x", 0o644, content=b"x")],
        [Entry("rootfs/bin/z", 0o755, content=b"x")],
        [FILE, Entry("rootfs/d", 0o755)],
        [Entry("rootfs/bin/x", 0o755)],
        [],
    ],
)
def test_any_change_of_an_input_changes_the_digest(other: list[Entry]) -> None:
    """Content, mode, name, kind and number all count."""
    assert digest([FILE], []) != digest(other, [])


def test_the_digest_is_of_contents_and_not_of_places(tmp_path: Path) -> None:
    """The same bytes from a file, in any order, are the same; build arguments count."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    other = Entry("a", 0o644, content=b"")
    assert digest([FILE, other], []) == digest([other, Entry(FILE.path, FILE.mode, source=source)], [])
    assert digest([FILE], ["BASE=a"]) != digest([FILE], ["BASE=b"])


def test_a_tree_leaves_out_hidden_files_and_links(tmp_path: Path) -> None:
    """Only regular files that are meant to be seen get into the image."""
    (tmp_path / "worker").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("main.mjs", "worker/run.mjs", ".npmrc", ".git/config"):
        (tmp_path / name).write_text(name)
    (tmp_path / "link.mjs").symlink_to("/etc/passwd")
    assert [entry.path for entry in tree(tmp_path, "runtime")] == ["runtime/main.mjs", "runtime/worker/run.mjs"]


def test_the_sockets_directory_is_writable_for_every_uid() -> None:
    """runc gives the tmpfs on it the mode of this directory, and each workspace has another uid."""
    modes = {entry.path: entry.mode for entry in skeleton(whole=True)}
    assert modes["rootfs/run/wsmgr"] == modes["rootfs/tmp"] == 0o1777
    assert "rootfs/proc" in modes
    assert "rootfs/proc" not in {entry.path for entry in skeleton(whole=False)}
