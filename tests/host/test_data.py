"""Persistent data on a host as the playbooks leave it: a hard size, across a reboot, and nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.host.host import Host
from tests.host.patient import PatientClient
from tests.host.plugins import HELLO, output
from tests.host.terms import FAIR
from wsmgr.wire.workspace import WorkspaceData

MIB = 1024 * 1024
DATA_MB = 32

FILL = """
import { closeSync, openSync, writeSync } from 'node:fs';
export default (path) => {
  const block = Buffer.alloc(1 << 20, 1), file = openSync(path, 'w');
  let written = 0;
  try {
    for (;;) written += writeSync(file, block);
  } catch (error) {
    return { written, refused: error.code };
  } finally {
    closeSync(file);
  }
}
"""
WRITE = "import { writeFileSync } from 'node:fs'; export default ([path, text]) => { writeFileSync(path, text) }"
READ = "import { readFileSync } from 'node:fs'; export default (path) => readFileSync(path, 'utf8')"
REMOVE = "import { rmSync } from 'node:fs'; export default (path) => rmSync(path)"


@pytest.fixture(scope="module")
def owners(host: Host) -> Iterator[None]:
    """Two with data, and one without."""
    with host.client() as client:
        for name in ("keeper", "other"):
            client.put_owner(f"user:{name}", plan="FREE", overrides={**FAIR, "dataMb": DATA_MB})
        client.put_owner("user:without", plan="FREE", overrides=FAIR)
        yield
        for name in ("keeper", "other", "without"):
            client.delete_workspace(f"user:{name}", wait=120)


def data(client: PatientClient, user: str) -> WorkspaceData:
    """What a workspace says of its data."""
    found = client.workspace(f"user:{user}").data
    assert found is not None
    return found


def test_the_host_proves_its_volumes(client: PatientClient) -> None:
    """By one that refused a byte too many."""
    (line,) = [one for one in client.capabilities().items if one.name == "data"]
    assert line.level == "enforced", line.evidence
    assert "ENOSPC" in line.evidence


@pytest.mark.usefixtures("owners")
def test_a_full_data_is_told_of_once_and_harms_nobody(host: Host, client: PatientClient) -> None:
    """ENOSPC at the plan's size, by the file system's own count; the neighbour writes, and the host's disk loses
    nothing that it had not given already."""
    output(client, "keeper", WRITE, ["/data/kept", "precious"])
    output(client, "other", WRITE, ["/data/kept", "other"])
    before = _free_mb(host)
    full = output(client, "keeper", FILL, "/data/fill")
    assert full["refused"] == "ENOSPC"
    assert (DATA_MB - 1) * MIB <= full["written"] <= DATA_MB * MIB
    output(client, "other", WRITE, ["/data/more", "other"])
    assert output(client, "without", HELLO, 1) == {"hello": 1}
    host.wait_for(lambda: _full(client, "keeper"), "the event")
    assert (_full(client, "keeper"), _full(client, "other")) == (["/data"], [])
    # Records and logs of the daemon are on the same disk.
    assert before - _free_mb(host) < DATA_MB / 2
    output(client, "keeper", REMOVE, "/data/fill")
    told = data(client, "without")
    assert (told.available, told.reason) == (False, "Its plan has no persistent data.")


@pytest.mark.usefixtures("owners")
def test_it_is_there_after_a_reboot(host: Host) -> None:
    """Each workspace has its own, of the same size; one that was killed in the middle of a write has its journal."""
    with host.client() as client:
        output(client, "keeper", WRITE, ["/data/kept", "precious"])
        output(client, "other", WRITE, ["/data/kept", "other"])
        volumes = {name: data(client, name).volume for name in ("keeper", "other")}
    host.ssh("sync")
    host.reboot()
    host.wait_until_serving()
    with host.client() as client:
        assert output(client, "keeper", READ, "/data/kept") == "precious"
        assert output(client, "other", READ, "/data/kept") == "other"
        assert {name: data(client, name).volume for name in ("keeper", "other")} == volumes
        full = output(client, "keeper", FILL, "/data/fill")
        assert full["refused"] == "ENOSPC"
        assert full["written"] <= DATA_MB * MIB
        output(client, "keeper", REMOVE, "/data/fill")


@pytest.mark.usefixtures("owners")
def test_a_workspace_does_not_run_without_its_volume(host: Host, client: PatientClient) -> None:
    """It says what to do, and runs again after that."""
    output(client, "other", WRITE, ["/data/kept", "other"])
    volume = data(client, "other").volume
    client.stop("user:other", wait=120)
    # Podman's own mount namespace goes with everything of the user's that runs.
    host.ssh(f"umount --lazy /var/lib/wsmgr-data/volumes/{volume}")
    client.start("user:other", wait=0)
    host.wait_for(lambda: client.workspace("user:other").status == "ERROR", "it to be given up")
    assert "No file system is mounted" in client.workspace("user:other").reason
    host.ssh("systemctl restart wsmgr-data.service")
    client.recover("user:other", wait=120)
    assert output(client, "other", READ, "/data/kept") == "other"


def _full(client: PatientClient, user: str) -> list[str]:
    events = client.workspace_events(f"user:{user}", limit=100).items
    return [str((event.after or {})["place"]) for event in events if event.action == "workspace.full"]


def _free_mb(host: Host) -> int:
    return int(host.ssh("df --output=avail -m /var/lib/wsmgr-data | tail -1"))
