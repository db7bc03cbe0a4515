"""Persistent data on real file systems of a fixed size, in real containers."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tests.podman.daemon.rig import RealDaemon, output, run, wait_for
from wsmgr.client import Client
from wsmgr.wire.workspace import WorkspaceData

WRITE = """
import fs from 'node:fs';
export default ([path, text]) => { fs.writeFileSync(path, text); return fs.statSync(path).uid }
"""
READ = "import fs from 'node:fs'; export default (path) => fs.readFileSync(path, 'utf8')"
FILL = """
import fs from 'node:fs';
export default ({ path, mb }) => {
  const file = fs.openSync(path, 'w'), block = Buffer.alloc(65536, 1);
  let written = 0;
  try {
    while (written < mb * 2 ** 20) written += fs.writeSync(file, block);
    return { written, code: null };
  } catch (error) {
    return { written, code: error.code };
  } finally { fs.closeSync(file) }
}
"""
FILES = """
import fs from 'node:fs';
export default (folder) => {
  fs.mkdirSync(folder, { recursive: true });
  for (let count = 0; ; count++) {
    try { fs.writeFileSync(`${folder}/${count}`, '') } catch (error) { return { count, code: error.code } }
  }
}
"""
REMOVE = "import fs from 'node:fs'; export default (path) => fs.rmSync(path, { recursive: true, force: true })"
THROW = "import fs from 'node:fs'; export default (path) => fs.appendFileSync(path, Buffer.alloc(2 ** 20))"
EXEC = """
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
export default () => {
  fs.copyFileSync('/usr/local/bin/catatonit', '/data/program');
  fs.chmodSync('/data/program', 0o755);
  return ['/data/program', '/usr/local/bin/catatonit'].map((path) => spawnSync(path, ['-V']).error?.code ?? 'ran');
}
"""
MIB = 2**20


def data(client: Client, user: str) -> WorkspaceData:
    """What a workspace says of its data."""
    found = client.workspace(f"user:{user}").data
    assert found is not None
    return found


def told(client: Client, sentence: str) -> None:
    """Wait until carol's workspace says this of its data."""
    wait_for(lambda: sentence in data(client, "carol").reason, 60, what=lambda: data(client, "carol").reason)


def full(client: Client, user: str) -> list[str]:
    """The places of which the operator was told that they are full."""
    events = client.workspace_events(f"user:{user}", limit=100).items
    return [str((event.after or {})["place"]) for event in events if event.action == "workspace.full"]


def test_data_outlives_the_container(daemon: RealDaemon, client: Client, pool_root: Path) -> None:
    """Stopped and removed, killed with the daemon, adopted: it is there, the workspace's own, and no other's."""
    assert output(client, "alice", WRITE, ["/data/kept", "precious"]) >= 10_000
    volume = data(client, "alice").volume
    assert volume is not None
    inside = pool_root / volume / "data"
    # Its user on the host is none of the daemon's: what root of the user namespace can read, the daemon cannot.
    assert stat.S_IMODE(inside.stat().st_mode) == 0o700
    assert inside.stat().st_uid not in (0, os.getuid())
    client.stop("user:alice", wait=30)
    assert [one for one in daemon.containers() if one["Labels"]["wsmgr.workspace"] == "user:alice"] == []
    assert output(client, "alice", READ, "/data/kept") == "precious"
    daemon.kill()
    daemon.start()
    with daemon.client() as again:
        assert output(again, "alice", READ, "/data/kept") == "precious"
        assert data(again, "alice").volume == volume
        missing = run(again, "bob", READ, "/data/kept")
        assert missing.error is not None
        assert "ENOENT" in missing.error.message


def test_a_full_data_is_the_plugins_trouble_and_nobody_elses(client: Client) -> None:
    """ENOSPC at the size of the plan, one event for many calls, a neighbour who writes, and room again afterwards."""
    first = output(client, "alice", FILL, {"path": "/data/fill", "mb": 100})
    assert first["code"] == "ENOSPC"
    assert 30 * MIB <= first["written"] <= 32 * MIB
    for _ in range(5):
        assert output(client, "alice", FILL, {"path": "/data/more", "mb": 1})["code"] == "ENOSPC"
    wait_for(lambda: full(client, "alice"), 30, what=lambda: "the event")
    assert output(client, "bob", FILL, {"path": "/data/fill", "mb": 16}) == {"written": 16 * MIB, "code": None}
    assert output(client, "alice", FILL, {"path": "/tmp/fill", "mb": 1})["code"] is None
    assert (full(client, "alice"), full(client, "bob")) == (["/data"], [])
    told = data(client, "alice")
    assert (told.size_mb, told.used_mb is not None and told.used_mb > 31) == (32.0, True)
    output(client, "alice", REMOVE, "/data/fill")
    assert output(client, "alice", FILL, {"path": "/data/more", "mb": 1})["code"] is None


def test_a_full_scratch_is_told_of_too(client: Client) -> None:
    """Of bytes, and of files."""
    assert output(client, "carol", FILL, {"path": "/tmp/fill", "mb": 1000})["code"] == "ENOSPC"
    wait_for(lambda: full(client, "carol") == ["/tmp"], 30, what=lambda: "the event")
    assert output(client, "bob", FILL, {"path": "/tmp/fill", "mb": 1})["code"] is None


def test_files_are_counted_as_well(client: Client) -> None:
    """Empty ones end, too; deleting them gives the room back."""
    made = output(client, "bob", FILES, "/data/many", timeout_ms=60_000)
    assert made["code"] == "ENOSPC"
    assert 500 < made["count"] < 10_000
    wait_for(lambda: full(client, "bob") == ["/data"], 30, what=lambda: "the event")
    output(client, "bob", REMOVE, "/data/many")
    assert output(client, "bob", FILL, {"path": "/data/one", "mb": 1})["code"] is None


def test_a_call_that_fails_for_want_of_space_is_told_of_once(client: Client) -> None:
    """Also when it leaves room again before anybody looks."""
    output(client, "carol", FILL, {"path": "/data/fill", "mb": 100})
    for _ in range(3):
        answer = run(client, "carol", THROW, "/data/fill")
        assert answer.error is not None
        assert "ENOSPC" in answer.error.message
    wait_for(lambda: "/data" in full(client, "carol"), 30, what=lambda: "the event")
    output(client, "carol", REMOVE, "/data/fill")


def test_nothing_of_the_host_shows_and_nothing_runs_there(client: Client) -> None:
    """mountinfo has a device and `/data`; the mark and the reserve beside it are out of reach."""
    lines = [line.split() for line in output(client, "bob", READ, "/proc/self/mountinfo").splitlines()]
    (line,) = [fields for fields in lines if fields[4] == "/data"]
    assert line[3] == "/data"
    assert {"rw", "nosuid", "nodev", "noexec"} <= set(line[5].split(","))
    kind, source = line[line.index("-") + 1 :][:2]
    assert kind == "ext4"
    assert source.startswith("/dev/")
    assert output(client, "bob", EXEC) == ["EACCES", "ran"]
    listing = "import fs from 'node:fs'; export default () => [fs.readdirSync('/data/..'), fs.readdirSync('/data')]"
    above, _ = output(client, "bob", listing)
    assert "owner.json" not in above
    assert "data" in above


def test_another_plan_has_another_size_at_once(daemon: RealDaemon, client: Client) -> None:
    """Both ways, with the same container; what is over a smaller one stays and cannot grow."""
    output(client, "carol", WRITE, ["/data/kept", "precious"])
    container = daemon.container("user:carol")["Id"]
    client.patch_owner("user:carol", {"overrides": {"dataMb": 48}})
    told(client, " of 48 MiB are used.")
    written = output(client, "carol", FILL, {"path": "/data/fill", "mb": 100})["written"]
    assert 46 * MIB <= written <= 48 * MIB
    client.patch_owner("user:carol", {"overrides": {"dataMb": 16}})
    wait_for(
        lambda: "What is over stays" in data(client, "carol").reason, 30, what=lambda: data(client, "carol").reason
    )
    assert output(client, "carol", FILL, {"path": "/data/more", "mb": 1})["code"] == "ENOSPC"
    assert output(client, "carol", READ, "/data/kept") == "precious"
    output(client, "carol", REMOVE, "/data/fill")
    told(client, "0.0 MiB of 16 MiB are used.")
    assert output(client, "carol", FILL, {"path": "/data/more", "mb": 100})["written"] <= 16 * MIB
    assert daemon.container("user:carol")["Id"] == container


def test_deleting_the_workspace_deletes_its_data(daemon: RealDaemon, client: Client, pool_root: Path) -> None:
    """However deep it lies, and whatever its modes; the next one begins with nothing."""
    deep = """
    import fs from 'node:fs';
    export default () => {
      let path = '/data';
      for (let depth = 0; depth < 50; depth++) { path += '/d'; fs.mkdirSync(path) }
      fs.symlinkSync('/etc/passwd', '/data/link');
      fs.chmodSync('/data/d', 0);
    }"""
    output(client, "alice", deep)
    volume = data(client, "alice").volume
    client.delete_workspace("user:alice", wait=60)
    assert volume is not None
    assert sorted(path.name for path in (pool_root / volume).iterdir()) == ["lost+found"]
    assert Path("/etc/passwd").exists()
    (held,) = [one for one in client.volumes().items if one.name == volume]
    assert (held.workspace, held.orphan, held.trouble) == (None, False, None)
    answer = run(client, "alice", READ, "/data/kept")
    assert answer.error is not None
    assert "ENOENT" in answer.error.message
    listed = daemon.cli("volume", "list")
    assert listed.returncode == 0, listed.stderr
    assert volume in listed.stdout
    shown = daemon.cli("show", "user:alice")
    assert "of 32 MiB are used." in shown.stdout, shown.stdout + shown.stderr


def test_the_doctor_tells_of_it(daemon: RealDaemon, client: Client) -> None:
    """What was tried, and each workspace whether it holds."""
    (line,) = [one for one in client.capabilities().items if one.name == "data"]
    assert line.level == "enforced", line.evidence
    assert "refused one MiB more with ENOSPC" in line.evidence
    assert client.workspace("user:bob").limits_enforced["data"] is True
    assert "data" in daemon.cli("doctor").stdout
