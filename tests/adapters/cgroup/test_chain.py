"""Which groups of a path are the container's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.cgroup.rig import HANDLE
from wsmgr.adapters.cgroup.chain import chain_of, topmost
from wsmgr.ports.cgroup import Group

PART = st.text(st.characters(codec="utf-8", exclude_characters="/\0\n"), min_size=1, max_size=12)
PATHS = st.lists(
    st.one_of(PART, st.sampled_from(["..", ".", "", f"libpod-{HANDLE}.scope", f"libpod-{HANDLE}", "container"])),
    max_size=6,
).map(lambda parts: "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("path", "count"),
    [
        (f"/user.slice/libpod-{HANDLE}.scope", 2),
        (f"/user.slice/libpod-{HANDLE}.scope/container", 2),
        (f"/libpod_parent/libpod-{HANDLE}", 2),
        (f"/libpod-{HANDLE}.scope/libpod-{HANDLE}.scope", 1),
        (f"/user.slice/libpod-conmon-{HANDLE}.scope", None),
        (f"/user.slice/libpod-{'f' * 64}.scope/container", None),
        (f"/../libpod-{HANDLE}.scope", None),
        (f"/a/../libpod-{HANDLE}.scope", None),
        (f"/libpod-{HANDLE}.scope/../../b", None),
        (f"//libpod-{HANDLE}.scope", None),
        (f"libpod-{HANDLE}.scope", None),
        (f"/libpod-{HANDLE}.scope (deleted)", None),
        ("/", None),
        ("", None),
    ],
)
def test_the_topmost_group_of_its_own(path: str, count: int | None) -> None:
    """The monitor's scope bears the id as well, and is not the container's."""
    assert topmost(path, HANDLE) == count


@pytest.mark.parametrize("handle", ["", "a", "0123456789ab", HANDLE.upper(), HANDLE + "0", "../" + HANDLE[3:]])
def test_what_is_not_an_engines_id(handle: str) -> None:
    """A short name might be found in any path."""
    assert topmost(f"/libpod-{handle}.scope", handle) is None


@given(PATHS)
def test_no_path_leads_out_of_the_mount(path: str) -> None:
    """Every folder of a chain is below it, and bears the id or is below one that does."""
    if topmost(path, HANDLE) is None:
        return
    mount = Path("/mount")
    folders = [folder.path for folder in chain_of(Group(path, HANDLE), mount).folders]
    assert folders
    for folder in folders:
        assert mount in folder.parents
        assert ".." not in folder.parts
        assert HANDLE in str(folder)
    assert str(folders[-1]) == f"/mount{path}"
