"""What a plugin cannot do in a sandboxed worker. Each denial has its control: the same code in a plain process can."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.adapters.worker.inside import Inside

READ = "return input.map((path) => attempt(() => fs.statSync(path).ino && 'seen'))"
PROCESSES = "return fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map(Number)"
WRITE = "return input.map((path) => attempt(() => fs.writeFileSync(path, 'x')))"


@asynccontextmanager
async def _listening(at: socket.socket) -> AsyncIterator[None]:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), sock=at)
    async with server:
        yield


async def test_host_files_are_not_there(sandbox: Inside, plain: Inside, folder: Path) -> None:
    """Neither the system's files, nor the daemon's home, nor a file that everybody may read."""
    readable = folder / "readable"
    readable.write_text("secret")
    paths = ["/etc/passwd", "/etc/shadow", str(Path.home()), str(readable), "/bin", "/sys", "/root", "/var"]
    assert await plain.run(READ, ["/etc/passwd", str(Path.home()), str(readable)]) == ["seen"] * 3
    assert await sandbox.run(READ, paths) == ["ENOENT"] * len(paths)


async def test_there_is_no_network(sandbox: Inside, plain: Inside) -> None:
    """No interface but lo, and that is not the host's: nothing that listens on the host can be reached."""
    listener = socket.create_server(("127.0.0.1", 0))
    async with _listening(listener):
        dial = f"return await dial({{ host: '127.0.0.1', port: {listener.getsockname()[1]} }})"
        assert await plain.run(dial) == "connected"
        assert await sandbox.run(dial) in {"ECONNREFUSED", "ENETUNREACH"}
    interfaces = (
        "return fs.readFileSync('/proc/net/dev', 'utf8').split('\\n').slice(2, -1).map((l) => l.split(':')[0].trim())"
    )
    assert await sandbox.run(interfaces) == ["lo"]


@pytest.mark.parametrize("kind", ["path", "abstract"])
async def test_host_sockets_cannot_be_reached(sandbox: Inside, plain: Inside, folder: Path, kind: str) -> None:
    """A unix socket of the host, by path or in the abstract namespace."""
    path = str(folder / "host.sock") if kind == "path" else f"\0{folder}/host.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()
    async with _listening(listener):
        dial = "return await dial({ path: input })"
        assert await plain.run(dial, path) == "connected"
        assert await sandbox.run(dial, path) in {"ENOENT", "ECONNREFUSED"}


async def test_host_processes_are_not_visible(sandbox: Inside, plain: Inside) -> None:
    """A pid namespace of its own: the sandbox's process 1 and the runtime."""
    seen = await plain.run(PROCESSES)
    assert isinstance(seen, list)
    assert os.getpid() in seen
    assert await sandbox.run(PROCESSES) == [1, 2]


async def test_the_environment_says_nothing(sandbox: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime's own settings and nothing of the daemon's; nor by way of process 1, nor of its command line."""
    names = await sandbox.run("return Object.keys(process.env).filter((name) => !name.startsWith('WSMGR_')).sort()")
    fixed = ["HOME", "LANG", "LISTEN", "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "NODE_ENV", "PWD", "TMPDIR", "TZ"]
    assert isinstance(names, list)
    assert set(names) <= set(fixed)
    assert await sandbox.run("return fs.readFileSync('/proc/1/environ', 'utf8')") == ""
    command = str(await sandbox.run("return fs.readFileSync('/proc/1/cmdline', 'utf8')"))
    assert "bwrap" in command
    assert str(Path(__file__).parents[3]) not in command


async def test_the_system_is_read_only(sandbox: Inside, plain: Inside, folder: Path) -> None:
    """Nothing can be written but the scratch."""
    paths = ["/x", "/usr/local/bin/x", "/opt/wsmgr/runtime/x", "/dev/x", "/lib/x", "/usr/x"]
    assert await plain.run(WRITE, [str(folder / "x")]) == ["done"]
    assert await sandbox.run(WRITE, paths) == ["EROFS"] * len(paths)
    assert await sandbox.run(WRITE, ["/tmp/x"]) == ["done"]
    assert await sandbox.run(WRITE, ["/usr/local/bin/node"]) == ["EROFS"]


async def test_scratch_has_a_size(sandbox: Inside) -> None:
    """What is allowed can be written; more ends with ENOSPC."""
    fill = """let size = 0;
        try { for (;;) { fs.appendFileSync(input, Buffer.alloc(16384)); size += 16384;
            if (size > 1 << 27) return size; } }
        catch (e) { fs.unlinkSync(input); return [e.code, size]; }"""
    assert await sandbox.run(fill, "/tmp/full") == ["ENOSPC", sandbox.spec.scratch_mb * 1024 * 1024]


async def test_there_are_no_privileges(sandbox: Inside) -> None:
    """No capability in any set, no_new_privs, the uid of the workspace, no further user namespaces."""
    status = str(await sandbox.run("return fs.readFileSync('/proc/self/status', 'utf8')"))
    seen = dict(line.split(":\t", 1) for line in status.splitlines())
    assert {seen[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert seen["NoNewPrivs"] == "1"
    assert seen["Uid"].split() == [str(sandbox.spec.uid)] * 4


async def test_limits_are_set(sandbox: Inside, plain: Inside) -> None:
    """Open files, processes and core files, as soft and as hard limit."""
    limits = "return fs.readFileSync('/proc/self/limits', 'utf8')"
    seen = str(await sandbox.run(limits))
    rows = {line[:26].strip(): line[26:].split()[:2] for line in seen.splitlines()}
    assert rows["Max open files"] == ["256", "256"]
    assert rows["Max processes"] == ["64", "64"]
    assert rows["Max core file size"] == ["0", "0"]
    outside = {line[:26].strip(): line[26:].split()[:2] for line in str(await plain.run(limits)).splitlines()}
    assert outside["Max open files"] == ["256", "256"]
    assert outside["Max core file size"] == ["0", "0"]


async def test_no_descriptor_of_the_daemon_is_inherited(sandbox: Inside, folder: Path) -> None:
    """A file that the daemon has open, inheritable even, is not among the descriptors inside."""
    descriptors = (
        """return fs.readdirSync('/proc/self/fd').map((fd) => attempt(() => fs.readlinkSync('/proc/self/fd/' + fd)))"""
    )
    with (folder / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        other = await Inside.begin(sandbox.engine, sandbox.channel, "user:other")
        seen = await other.run(descriptors)
    assert isinstance(seen, list)
    assert "/dev/null" in seen
    assert [name for name in seen if "open" in name or "memfd" in name] == []
