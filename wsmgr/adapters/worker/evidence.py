"""What the worker isolation can enforce on this host, found out by trying it in a sandbox of the same kind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence

from wsmgr.adapters.worker.child import end
from wsmgr.adapters.worker.runtime import NODE
from wsmgr.adapters.worker.sandbox import SandboxLauncher
from wsmgr.core.capability import Capability, Level
from wsmgr.core.errors import EngineFailure
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Spec

_PROBE_S = 20.0
_PIDS = 20
_SCRATCH_MB = 2
_NOFILE = 64
_MEND = "Use the isolation `container`."

# Runs inside; prints one JSON object. Threads count as processes, and cost less to try with.
_SCRIPT = """
const fs = require('fs'), os = require('os'), { Worker } = require('worker_threads');
const seen = { interfaces: Object.keys(os.networkInterfaces()), root: fs.readdirSync('/').sort() };
try { seen.routes = fs.readFileSync('/proc/net/dev', 'utf8').split('\\n').slice(2).map((l) => l.split(':')[0].trim())
  .filter(Boolean); } catch (e) { seen.routes = [e.code]; }
seen.status = Object.fromEntries(fs.readFileSync('/proc/self/status', 'utf8').split('\\n')
  .filter((l) => /^(CapEff|NoNewPrivs|Seccomp):/.test(l)).map((l) => l.split(':\\t')));
seen.processes = fs.readdirSync('/proc').filter((n) => /^\\d+$/.test(n)).length;
try { fs.writeFileSync('/written', 'x'); seen.root_write = 'written'; } catch (e) { seen.root_write = e.code; }
seen.scratch = 0;
try { for (let n = 0; n < 64; n++) { fs.appendFileSync('/tmp/full', Buffer.alloc(262144)); seen.scratch += 262144; } }
catch (e) { seen.scratch_end = e.code; }
const open = [];
try { for (let n = 0; n < 4096; n++) open.push(fs.openSync('/dev/null')); } catch (e) { seen.nofile_end = e.code; }
open.forEach((fd) => fs.closeSync(fd));
seen.threads = 0; seen.threads_end = null;
const tried = Array.from({ length: 24 }, () => new Promise((done) => {
  try {
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    worker.on('online', () => { seen.threads++; done(); });
    worker.on('error', (e) => { seen.threads_end = e.code; done(); });
  } catch (e) { seen.threads_end = e.code; done(); }
}));
Promise.all(tried).then(() => { fs.writeSync(1, JSON.stringify(seen) + '\\n'); process.exit(0); });
"""


async def try_sandbox(launcher: SandboxLauncher) -> None:
    """Raises EngineFailure when Node.js does not run in a sandbox here."""
    answer = await _inside(launcher, "console.log(JSON.stringify({pid: process.pid}))")
    if not isinstance(answer.get("pid"), int):
        raise EngineFailure("Node.js ran in the sandbox and said nothing that can be understood.")


async def of_sandbox(launcher: SandboxLauncher) -> Sequence[Capability]:
    """The capability matrix. Raises EngineFailure when the sandbox cannot be tried."""
    seen = await _inside(launcher, _SCRIPT)
    return [
        _memory(),
        _cpu(),
        _pids(seen),
        Capability("freeze", Level.ABSENT, "A child process has no control group to freeze.", _MEND),
        _seen("network", seen.get("routes") == ["lo"], f"The interfaces inside are {seen.get('routes')}."),
        _seen(
            "scratch",
            seen.get("scratch_end") == "ENOSPC",
            f"Writing to a scratch of {_SCRATCH_MB} MiB ended after {seen.get('scratch')} bytes with "
            f"{seen.get('scratch_end')}.",
        ),
        _seen("nofile", seen.get("nofile_end") == "EMFILE", f"Opening files ended with {seen.get('nofile_end')}."),
        _seen(
            "filesystem",
            seen.get("root_write") == "EROFS",
            f"The root has {seen.get('root')}, and writing to it ended with {seen.get('root_write')}.",
        ),
        _seen(
            "privileges",
            seen.get("status") is not None and _unprivileged(seen["status"]),
            f"Inside: {seen.get('status')}, {seen.get('processes')} processes to be seen.",
        ),
        Capability("seccomp", Level.ABSENT, "bubblewrap sets no filter of system calls of its own.", _MEND),
        Capability("channel", Level.ENFORCED, "The socket has no name in the sandbox; the peer's uid is checked."),
    ]


def of_plain(why: str) -> Sequence[Capability]:
    """The capability matrix of processes without a sandbox."""
    mend = f"{why} Install bubblewrap and allow unprivileged user namespaces, or use the isolation `container`."
    none = "The runtime is a plain process of the daemon's user: "
    return [
        _memory(mend),
        _cpu(mend),
        Capability("pids", Level.ABSENT, none + "its processes count with all of that user.", mend),
        Capability("freeze", Level.ABSENT, "A child process has no control group to freeze.", mend),
        Capability("network", Level.ABSENT, none + "it has the host's network.", mend),
        Capability("scratch", Level.ABSENT, none + "it writes where that user may.", mend),
        Capability("nofile", Level.ENFORCED, "RLIMIT_NOFILE is set by prlimit before the runtime starts."),
        Capability("filesystem", Level.ABSENT, none + "it reads what that user may.", mend),
        Capability("privileges", Level.BEST_EFFORT, "no_new_privs is set; the uid is the daemon's own.", mend),
        Capability("seccomp", Level.ABSENT, none + "it has no filter of system calls.", mend),
        Capability("channel", Level.BEST_EFFORT, "The socket is in a folder that only the daemon's user opens.", mend),
    ]


def _memory(mend: str = _MEND) -> Capability:
    return Capability(
        "memory",
        Level.BEST_EFFORT,
        "The runtime itself ends a plugin that passes its limit; the kernel holds nothing. (RLIMIT_DATA cannot: V8 "
        "reserves 512 MiB of counted address space for each thread.)",
        mend,
    )


def _cpu(mend: str = _MEND) -> Capability:
    return Capability("cpu", Level.ABSENT, "Without a control group there is only a lower priority (nice).", mend)


def _pids(seen: Mapping[str, object]) -> Capability:
    if os.getuid() == 0:
        mend = "Run the daemon as an ordinary user."
        return Capability("pids", Level.ABSENT, "The kernel does not apply RLIMIT_NPROC to processes of root.", mend)
    held = seen.get("threads_end") is not None
    told = f"With a limit of {_PIDS}, {seen.get('threads')} more threads started; then: {seen.get('threads_end')}."
    return _seen("pids", held, told)


def _seen(name: str, held: bool, told: str) -> Capability:
    return Capability(name, Level.ENFORCED, told) if held else Capability(name, Level.ABSENT, told, _MEND)


def _unprivileged(status: object) -> bool:
    wanted = {"CapEff": "0000000000000000", "NoNewPrivs": "1"}
    return isinstance(status, dict) and all(status.get(key) == value for key, value in wanted.items())


async def _inside(launcher: SandboxLauncher, script: str) -> Mapping[str, object]:
    """What a script prints in a sandbox with small limits, as an object."""
    launched = await launcher.run(
        _probe_spec(), f"probe-{secrets.token_hex(4)}", [NODE, "--v8-pool-size=2", "-e", script]
    )
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PROBE_S):
                await launched.child.ended.wait()
        lines = launched.child.tail.lines(1)
    finally:
        await end(launched.child, launched.terminate, launched.kill, 0.0)
        launched.tidy()
    try:
        seen = json.loads(lines[-1])
    except (ValueError, IndexError):
        seen = None
    if not isinstance(seen, dict):
        raise EngineFailure(f"Node.js does not work in the sandbox: {' '.join(lines)[:300] or 'it said nothing'}.")
    return seen


def _probe_spec() -> Spec:
    return Spec(
        workspace=WorkspaceId("user:probe"),
        isolation=Isolation.WORKER,
        image="",
        uid=10_000,
        generation=0,
        memory_mb=64,
        cpus=0.5,
        pids=_PIDS,
        nofile=_NOFILE,
        scratch_mb=_SCRATCH_MB,
        concurrency=1,
        input_bytes=65536,
        output_bytes=65536,
        log_bytes=4096,
    )
