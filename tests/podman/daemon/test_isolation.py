"""What a plugin can see and do, tried from inside. Each denial has a control that shows that the try could succeed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.podman.daemon.rig import RealDaemon, failure, output, real_daemon, unrestricted_plans
from wsmgr.client import Client

STATUS = """
import { readFileSync } from 'node:fs';
export default () => Object.fromEntries(readFileSync('/proc/self/status', 'utf8').trim().split('\\n')
  .map(line => line.split(/:\\s+/)))
"""
READ = "import { readFileSync } from 'node:fs'; export default (path) => readFileSync(path, 'utf8')"
LIST = "import { readdirSync } from 'node:fs'; export default (path) => readdirSync(path)"
WRITE = """
import { writeFileSync } from 'node:fs';
export default (paths) => paths.map(path => {
  try { writeFileSync(path, 'x'); return 'written' } catch (error) { return error.code }
})
"""
CONNECT = """
import net from 'node:net';
export default (at) => new Promise(resolve => {
  const socket = net.connect(at);
  socket.on('connect', () => { resolve('connected'); socket.destroy() });
  socket.on('error', error => resolve(error.code));
})
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDaemon]:
    """What the container denies is tried without the runtime's own restrictions before it."""
    with real_daemon(plans_file=unrestricted_plans(tmp_path_factory.mktemp("plans"))) as daemon:
        yield daemon


def status(client: Client, user: str) -> dict[str, str]:
    """/proc/self/status as the plugin reads it."""
    return dict(output(client, user, STATUS))


def test_no_capabilities_no_new_privileges_and_a_filter(client: Client) -> None:
    """CapEff 0, NoNewPrivs 1, Seccomp 2; the control is this very test process, which has other values."""
    inside = status(client, "iso")
    assert {inside[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
    assert (inside["NoNewPrivs"], inside["Seccomp"]) == ("1", "2")
    outside = Path("/proc/self/status").read_text()
    assert "CapBnd:\t" + "0" * 16 not in outside


def test_every_workspace_has_a_uid_of_its_own(client: Client) -> None:
    """Never root, and never the neighbour's."""
    uids = {status(client, user)["Uid"] for user in ("iso", "iso2", "iso3")}
    assert len(uids) == 3
    assert all(int(uid.split()[0]) >= 10_000 for uid in uids)


def test_there_is_no_network(client: Client) -> None:
    """No interface but lo and no route; the control connects to a listener of its own on lo."""
    lines = output(client, "iso", READ, "/proc/net/dev").strip().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]
    assert output(client, "iso", READ, "/proc/net/route").strip().count("\n") == 0
    loopback = """
    import net from 'node:net';
    export default () => new Promise((resolve, reject) => {
      const server = net.createServer(s => s.end('hello')).listen(0, '127.0.0.1', () => {
        net.connect(server.address().port, '127.0.0.1').on('data', d => { resolve(String(d)); server.close() })
          .on('error', reject);
      });
    })"""
    assert output(client, "iso", loopback) == "hello"


def test_the_hosts_loopback_is_another_one(daemon: RealDaemon, client: Client) -> None:
    """A listener on the host's 127.0.0.1 is not there inside; the host itself reaches it."""
    import socket  # noqa: PLC0415  # only this test opens a port

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        assert output(client, "iso", CONNECT, {"host": "127.0.0.1", "port": port}) == "ECONNREFUSED"
    assert daemon.container("user:iso")["State"] == "running"


def test_nothing_of_the_host_is_mounted(client: Client) -> None:
    """No path of a disk of the host but the image's own root; the root is read-only, the rest is memory."""
    mounts = [line.split() for line in output(client, "iso", READ, "/proc/self/mountinfo").strip().splitlines()]
    kinds = {fields[4]: fields[fields.index("-") + 1] for fields in mounts}
    options = {fields[4]: fields[5].split(",") for fields in mounts}
    assert kinds["/"] == "overlay"
    assert "ro" in options["/"]
    memory = {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "devtmpfs"}
    others = {place: kind for place, kind in kinds.items() if place != "/" and kind not in memory}
    assert others == {}
    for place in ("/tmp", "/run/wsmgr"):
        assert {"nosuid", "nodev", "noexec"} <= set(options[place])


def test_the_host_cannot_be_read(daemon: RealDaemon, client: Client) -> None:
    """Neither the daemon's socket and state nor the host's passwords nor its own image's absence of them."""
    for path in (str(daemon.socket), str(daemon.state / "wsmgr.db"), "/etc/shadow", str(Path.home())):
        answer = output(client, "iso", WRITE.replace("writeFileSync(path, 'x')", "statSync(path)")
                        .replace("{ writeFileSync }", "{ statSync }"), [path])  # fmt: skip
        assert answer == ["ENOENT"], path
    assert "plugin" in output(client, "iso", READ, "/etc/passwd")


def test_only_scratch_can_be_written(client: Client) -> None:
    """The control writes where it may."""
    places = ["/x", "/etc/x", "/usr/local/bin/node", "/opt/wsmgr/runtime/main.mjs", "/proc/sys/kernel/hostname",
              "/sys/kernel/x", "/dev/x", "/run/x", "/proc/1/oom_score_adj"]  # fmt: skip
    answers = output(client, "iso", WRITE, places)
    assert "written" not in answers, dict(zip(places, answers, strict=True))
    assert output(client, "iso", WRITE, ["/tmp/x"]) == ["written"]


def test_a_full_scratch_is_enospc_and_nobody_elses_trouble(client: Client) -> None:
    """The tmpfs has its size; what was there before goes on."""
    fill = """
    import { openSync, writeSync, closeSync, rmSync } from 'node:fs';
    export default () => {
      const file = openSync('/tmp/full', 'w'); let size = 0;
      try { for (;;) size += writeSync(file, Buffer.alloc(1 << 20)) }
      catch (error) { return [error.code, size >> 20] } finally { closeSync(file); rmSync('/tmp/full') }
    }"""
    code, written = output(client, "fill", fill, timeout_ms=20_000)
    assert code == "ENOSPC"
    assert written == 64
    assert output(client, "fill", WRITE, ["/tmp/x"]) == ["written"]


def test_only_its_own_processes_are_seen(client: Client) -> None:
    """An init and the runtime; the host has more."""
    seen = [name for name in output(client, "iso", LIST, "/proc") if name.isdecimal()]
    assert len(seen) <= 3
    assert sum(name.name.isdecimal() for name in Path("/proc").iterdir()) > len(seen)


def test_nothing_can_be_started_from_scratch_and_there_is_no_shell(client: Client) -> None:
    """noexec holds, and the image has no shell; node itself, the control, can be started."""
    spawn = """
    import { spawnSync } from 'node:child_process';
    import { copyFileSync, chmodSync } from 'node:fs';
    export default () => {
      copyFileSync('/usr/local/bin/catatonit', '/tmp/c'); chmodSync('/tmp/c', 0o755);
      const run = (file, ...args) => { const r = spawnSync(file, args); return r.error ? r.error.code : r.status };
      return [run('/tmp/c', '--version'), run('/bin/sh', '-c', 'true'), run('/usr/local/bin/node', '--version')];
    }"""
    assert output(client, "spawn", spawn, timeout_ms=10_000) == ["EACCES", "ENOENT", 0]


def test_processes_are_bounded(client: Client) -> None:
    """A plugin that forks without end meets the limit, and the workspace answers afterwards."""
    forks = """
    import { spawn } from 'node:child_process';
    export default async () => {
      const children = []; let code = null;
      for (let i = 0; i < 400 && !code; i++) {
        const child = spawn('/usr/local/bin/node', ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
        children.push(child);
        code = await new Promise(r => { child.on('spawn', () => r(null)); child.on('error', e => r(e.code)) });
      }
      for (const child of children) child.kill('SIGKILL');
      return [children.length, code];
    }"""
    started, code = output(client, "forks", forks, timeout_ms=60_000)
    assert code == "EAGAIN"
    assert started < 128
    assert output(client, "forks", "export default () => 1") == 1


def test_open_files_are_bounded(client: Client) -> None:
    """The limit bites the plugin and not the workspace."""
    code = """
    import { openSync, closeSync } from 'node:fs';
    export default () => {
      const open = [];
      try { for (;;) open.push(openSync('/etc/passwd', 'r')) } catch (error) { return [error.code, open.length] }
      finally { open.forEach(closeSync) }
    }"""
    error, count = output(client, "files", code)
    assert error == "EMFILE"
    assert count < 512
    assert output(client, "files", "export default () => 1") == 1


def test_the_environment_holds_nothing_of_the_daemon(client: Client) -> None:
    """A fixed small set, of which some are there: the plugin does see an environment."""
    names = set(output(client, "iso", "export default () => Object.keys(process.env)"))
    assert names <= {"NODE_ENV", "TZ", "LANG", "HOME", "TMPDIR", "PATH"}
    assert "HOME" in names


def test_two_users_cannot_see_each_other(client: Client) -> None:
    """What one leaves in its scratch or in its module is not there for the other, and is there for itself."""
    leave = """
    import { writeFileSync } from 'node:fs';
    export default () => { writeFileSync('/tmp/secret', 'mine'); return 'left' }"""
    output(client, "one", leave)
    assert "secret" in output(client, "one", LIST, "/tmp", slug="look")
    assert "secret" not in output(client, "two", LIST, "/tmp", slug="look")


def test_a_plugin_that_kills_its_runtime_hurts_its_own_workspace_alone(client: Client) -> None:
    """process.kill(process.pid) cannot be prevented: the call says that it crashed, and the next one works."""
    output(client, "calm", "export default () => 1")
    assert failure(client, "suicide", "export default () => process.kill(process.pid, 'SIGKILL')") == "Crash"
    assert output(client, "suicide", "export default () => 2") == 2
    assert output(client, "calm", "export default () => 3") == 3
