"""Volumes that root has made for the tests (the Makefile does, in a mount namespace of the run's own)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.podman.daemon.rig import RealDaemon, podman, real_daemon, unrestricted_plans
from wsmgr.client import Client

OWNERS = ("alice", "bob", "carol")


@pytest.fixture(scope="session")
def pool_root() -> Path:
    """The directory with the mount points."""
    place = os.environ.get("TEST_VOLUMES", "")
    assert place, "these tests need volumes, which root mounts: run `make test-as-user TESTS=tests/podman/data` as root"
    # Podman's own mount namespace is of before they were mounted, unless nothing holds it.
    podman("system", "migrate")
    return Path(place)


@pytest.fixture(scope="module")
def daemon(pool_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDaemon]:
    """A started daemon whose owners have 32 MiB of data; at the end their data is deleted."""
    plans = unrestricted_plans(tmp_path_factory.mktemp("plans"))
    with real_daemon(data_dir=pool_root, sample_every_s=1, plans_file=plans) as daemon:
        with daemon.client() as client:
            for name in OWNERS:
                client.put_owner(f"user:{name}", plan="PRO", overrides={"dataMb": 32})
        yield daemon
        with daemon.client() as client:
            for one in client.workspaces().items:
                client.delete_workspace(one.id, wait=60)
            left = [one.name for one in client.volumes().items if one.workspace is not None]
        assert left == []


@pytest.fixture
def client(daemon: RealDaemon) -> Iterator[Client]:
    """A client of it."""
    with daemon.client() as client:
        yield client
