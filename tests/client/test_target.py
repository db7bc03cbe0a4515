"""Where the client looks for the daemon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wsmgr.client import InvalidArgument, UnixTarget, UrlTarget, find_target


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The provisioned folder, not made yet."""
    return tmp_path / "system"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a runtime folder of one's own."""
    return {"XDG_RUNTIME_DIR": str(tmp_path / "own")}


def _own(tmp_path: Path) -> Path:
    return tmp_path / "own" / "wsmgr" / "api.sock"


def _make(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_an_explicit_socket_comes_first(system: Path, environ: dict[str, str]) -> None:
    """Before everything in the environment."""
    environ |= {"WSMGR_SOCKET": "/b", "WSMGR_URL": "http://127.0.0.1:1"}
    assert find_target("/a", environ=environ, system_dir=system) == UnixTarget(Path("/a"))


def test_an_explicit_url_takes_the_token_of_the_environment(system: Path, environ: dict[str, str]) -> None:
    """So that no token stands on a command line."""
    environ |= {"WSMGR_SOCKET": "/b", "WSMGR_TOKEN": "t"}
    found = find_target(url="http://127.0.0.1:1/", environ=environ, system_dir=system)
    assert found == UrlTarget("http://127.0.0.1:1", "t")


def test_the_socket_of_the_environment_comes_before_its_url(system: Path, environ: dict[str, str]) -> None:
    """WSMGR_SOCKET, then WSMGR_URL."""
    environ |= {"WSMGR_URL": "http://127.0.0.1:1", "WSMGR_TOKEN": "t"}
    assert find_target(environ=environ, system_dir=system) == UrlTarget("http://127.0.0.1:1", "t")
    environ |= {"WSMGR_SOCKET": "/b"}
    assert find_target(environ=environ, system_dir=system) == UnixTarget(Path("/b"))


def test_the_provisioned_socket_comes_before_ones_own(system: Path, environ: dict[str, str], tmp_path: Path) -> None:
    """When both are there."""
    _make(_own(tmp_path))
    assert find_target(environ=environ, system_dir=system) == UnixTarget(_own(tmp_path))
    _make(system / "api.sock")
    assert find_target(environ=environ, system_dir=system) == UnixTarget(system / "api.sock")


def test_when_no_socket_is_there_the_better_explanation_is_chosen(
    system: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    """A provisioned host is told about its daemon, another about one's own."""
    assert find_target(environ=environ, system_dir=system) == UnixTarget(_own(tmp_path))
    system.mkdir()
    assert find_target(environ=environ, system_dir=system) == UnixTarget(system / "api.sock")


def test_without_a_runtime_folder_the_daemons_own_choice_is_looked_at(system: Path) -> None:
    """The daemon falls back to a folder named after the uid."""
    found = find_target(environ={}, system_dir=system)
    expected = Path(f"/tmp/wsmgr-{os.getuid()}/wsmgr/api.sock")
    assert found == UnixTarget(expected)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "unix:///x", "ftp://a"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    """With how to write it."""
    with pytest.raises(InvalidArgument, match="write http://127"):
        find_target(url=url)


def test_two_places_at_once_are_refused() -> None:
    """Nobody knows which was meant."""
    with pytest.raises(InvalidArgument, match="choose one"):
        find_target("/a", url="http://127.0.0.1:1")


def test_the_client_imports_the_wire_and_nothing_else_of_wsmgr() -> None:
    """Seen in a process of its own: no daemon code, no framework."""
    code = "from wsmgr.client import AsyncClient, Client; import sys; print(*sys.modules)"
    root = Path(__file__).parents[2]
    seen = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=root
    )
    loaded = set(seen.stdout.split())
    ours = {name.split(".")[1] for name in loaded if name.startswith("wsmgr.")}
    assert ours == {"client", "wire"}
    assert "httpx" in loaded
    assert not loaded & {"podman", "sqlmodel", "sqlalchemy", "fastapi", "textual", "ansible", "ansible_runner", "typer"}
