"""What only the Python runtime has: processes, ways to break out of one call into the next, bundles of modules."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.contract.runtime.client import until
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.launch import CONTAINERFILES, PythonLauncher, python_binary
from tests.contract.runtime.subject import Outcome, Runtime, failed

pytestmark = pytest.mark.usefixtures("launcher")


@pytest.fixture(scope="session")
def launcher() -> PythonLauncher:
    """Python only."""
    return PythonLauncher()


def run(runtime: Runtime, code: str, value: object = None, **more: object) -> Outcome:
    """Puts a source as the plugin `p` and executes it."""
    answer = runtime.put_code("p", code)
    assert answer.status == 200, answer.body
    return runtime.execute("p", value, **more)


def body(*lines: str) -> str:
    """A plugin whose `execute` has these lines."""
    return "import ctypes, os, signal, subprocess, sys, threading, time\ndef execute(input, context):\n" + "".join(
        f"    {line}\n" for line in lines
    )


def processes_of(runtime: Runtime) -> set[int]:
    """Everything that comes from the runtime."""
    found: set[int] = set()
    waiting = [runtime.process.pid]
    while waiting:
        pid = waiting.pop()
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                children = {int(one) for one in task.read_text().split()}
            except OSError:
                continue
            waiting += children
            found |= children
    return found


LATER = "import asyncio\nasync def later(n):\n    return n + 1\ndef execute(input, context):\n"
AWAITABLE = "class Later:\n    def __await__(self):\n        yield from ()\n        return 42\n"
DATACLASS = "from dataclasses import dataclass\n@dataclass\nclass N:\n    n: int\n"


@pytest.mark.parametrize(
    "code",
    [
        "def execute(input, context):\n    return input + 1\n",
        "async def execute(input, context):\n    return input + 1\n",
        "execute = lambda input, context: input + 1\n",
        "class Adder:\n    def __call__(self, input, context):\n        return input + 1\nexecute = Adder()\n",
        LATER + "    return later(input)\n",
        LATER + "    return asyncio.run(later(input))\n",
        AWAITABLE + "def execute(input, context):\n    return Later()\n",
        "def execute(input, context):\n    yield 'a step'\n    return input + 1\n",
        "#!/usr/bin/env python3\ndef execute(input, context):\n    return input + 1\n",
        "\ufeffdef execute(input, context):\n    return input + 1\n",
        DATACLASS + "def execute(input, context):\n    return N(input).n + 1\n",
    ],
)
def test_every_way_to_define_execute(shared: Runtime, code: str) -> None:
    """Sync, async, a callable, an awaitable or a generator: what it comes to is the output."""
    assert run(shared, code, 41)["output"] == 42


def test_the_context_has_attributes_too(shared: Runtime) -> None:
    """What the caller sent is there as members and as attributes; what is not there says so."""
    code = (
        "def execute(input, context):\n    return [context.userId, context['executionId'], hasattr(context, 'nope')]\n"
    )
    assert run(shared, code, context={"userId": "alice"}, executionId="e-1")["output"] == ["alice", "e-1", False]


def test_a_stack_names_the_virtual_file(shared: Runtime) -> None:
    """The plugin's own frames, the innermost last, and none of the runtime's."""
    code = "def inner():\n    raise KeyError('x')\ndef execute(input, context):\n    inner()\n"
    error = failed(run(shared, code), "Exception")
    assert error["message"] == "KeyError: 'x'"
    assert error["stack"].splitlines() == [
        "KeyError: 'x'",
        '  File "plugin:p/main.py", line 4, in execute',
        '  File "plugin:p/main.py", line 2, in inner',
    ]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["raise Exception"], "Exception"),
        (["raise KeyboardInterrupt('now')"], "KeyboardInterrupt: now"),
        (["raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})()"], "E: an exception that cannot be"),
        (["raise type('E', (Exception,), {'__str__': lambda self: 7})()"], "E: an exception that cannot be"),
        (["raise type('z' * 10**6, (Exception,), {})('y' * 10**6)"], "zzz"),
        (["raise ExceptionGroup('both', [ValueError(1), ValueError(2)])"], "ExceptionGroup: both"),
        (["raise ValueError('half a pair: ' + chr(0xd800))"], "half a pair"),
        (["raise 'text'"], "TypeError"),
    ],
)
def test_anything_can_be_raised(shared: Runtime, lines: list[str], says: str) -> None:
    """Plain, hostile and huge exceptions all end as an Exception with a short sentence."""
    error = failed(run(shared, body(*lines), timeoutMs=5000), "Exception")
    assert says in error["message"]
    assert len(error["message"]) <= 4096


@pytest.mark.parametrize(
    "value", ["float('nan')", "float('inf')", "{1, 2}", "b'x'", "chr(0xd800)", "{(1, 2): 3}", "print"]
)
def test_results_without_json(shared: Runtime, value: str) -> None:
    """What JSON does not have is OutputInvalid."""
    failed(run(shared, body(f"return {value}")), "OutputInvalid")


@pytest.mark.parametrize(
    ("lines", "kind", "says"),
    [
        (["sys.exit(7)"], "Exit", "7"),
        (["sys.exit('why')"], "Exit", "why"),
        (["os._exit(9)"], "Exit", "9"),
        (["ctypes.string_at(0)"], "Crash", "SIGSEGV"),
        (["os.abort()"], "Crash", "SIGABRT"),
        (["os.kill(os.getpid(), signal.SIGKILL)"], "Crash", "SIGKILL"),
        (["os.kill(os.getpid(), signal.SIGSTOP)"], "Timeout", "stopped"),
        (["os.close(3)", "time.sleep(60)"], "Crash", "connection"),
        (["os.write(3, b'x' * 64)", "time.sleep(60)"], "Crash", "allowed"),
        (["os.write(3, bytes(9))", "time.sleep(60)"], "Crash", "malformed"),
        (["sys.setrecursionlimit(10**9)", "f = lambda: f()", "exec('def g(): return g() + repr([[]])')", "return 1"],
         None, ""),
        (["return bytearray(10**12)"], "OutOfMemory", "memory"),
        (["os.execv('/bin/true', ['true'])"], "Exit", "0"),
    ],
)  # fmt: skip
def test_every_way_to_end_a_process(shared: Runtime, lines: list[str], kind: str | None, says: str) -> None:
    """Exits, signals, stops and lies end that execution with the right outcome, and the next call is served."""
    outcome = run(shared, body("if input == 'well': return 'well'", *lines), timeoutMs=2000)
    if kind is not None:
        assert says in failed(outcome, kind)["message"]
    assert shared.execute("p", "well")["output"] == "well"


def test_endless_native_recursion_takes_one_call(shared: Runtime) -> None:
    """A stack that overflows in C is a Crash of that execution alone."""
    code = body(
        "sys.setrecursionlimit(10**9)",
        "value = None",
        "for _ in range(10**6): value = [value]",
        "return repr(value)[:1]",
    )
    outcome = run(shared, code, timeoutMs=15_000)
    assert outcome["error"]["type"] in {"Crash", "OutOfMemory"}
    assert shared.run("echo", 1)["success"] is True


LEFTOVERS = {
    "thread": ["threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"],
    "child": ["subprocess.Popen(['/bin/sleep', '600'])"],
    "session": ["subprocess.Popen(['/bin/sleep', '600'], start_new_session=True)"],
    "daemon": [
        "if os.fork() == 0:",
        "    os.setsid()",
        "    if os.fork() == 0:",
        "        time.sleep(600)",
        "    os._exit(0)",
        "os.wait()",
    ],
    "task": [
        "import asyncio",
        "async def main():",
        "    asyncio.get_running_loop().create_task(asyncio.sleep(600))",
        "    return bump()",
        "return main()",
    ],
}


@pytest.mark.parametrize("name", sorted(LEFTOVERS))
def test_nothing_is_left_behind(runtime: Runtime, name: str) -> None:
    """A plugin that leaves threads, tasks or processes behind gets a fresh process, and what it left is ended."""
    before = processes_of(runtime)
    counter = "calls = 0\ndef bump():\n    global calls\n    calls += 1\n    return calls\n"
    runtime.put_code("p", counter + body(*LEFTOVERS[name], "return bump()"))
    # Who has run away is nobody's child any more, so that nothing of it is in the way of the next call.
    expected = [1, 2, 3] if name == "daemon" else [1, 1, 1]
    assert [runtime.execute("p")["output"] for _ in range(3)] == expected
    runtime.call("DELETE", "/plugins/p")
    until(lambda: processes_of(runtime) == before)


def test_a_forked_copy_does_not_answer(shared: Runtime) -> None:
    """A plugin that forks and returns twice answers once."""
    code = body("pid = os.fork()", "print('copy' if pid == 0 else 'plugin')", "return pid == 0")
    for _ in range(3):
        outcome = run(shared, code)
        assert outcome["output"] is False
        assert [entry["message"] for entry in outcome["logs"]] == ["plugin"]


def test_a_fork_bomb_ends_with_its_call(start: StartRuntime) -> None:
    """Processes that make processes end at the call's end, however many sessions they hide in."""
    runtime = start()
    before = processes_of(runtime)
    bomb = body(
        "def spread(depth):",
        "    for _ in range(2):",
        "        if depth and os.fork() == 0:",
        "            os.setsid()",
        "            spread(depth - 1)",
        "    time.sleep(600)",
        "spread(5)",
    )
    failed(run(runtime, bomb, timeoutMs=500), "Timeout")
    assert runtime.run("echo", 1)["output"]["input"] == 1
    for slug in ("p", "echo"):
        runtime.call("DELETE", f"/plugins/{slug}")
    until(lambda: processes_of(runtime) == before)


def test_zombies_are_reaped(runtime: Runtime) -> None:
    """Orphans that plugins leave are waited for."""
    code = body("if os.fork() == 0:", "    if os.fork() == 0: time.sleep(0.05)", "    os._exit(0)", "os.wait()")
    run(runtime, code)
    runtime.call("DELETE", "/plugins/p")

    # The process that plugins are forked from is all that is left, and no zombie beside it.
    until(lambda: len(processes_of(runtime)) == 1)


def test_writes_to_descriptors_are_captured(runtime: Runtime) -> None:
    """What is written past sys.stdout, by C code or by child processes, does not reach the real output."""
    code = body(
        "os.write(1, b'by descriptor\\n')",
        "os.write(2, b'and to two\\n')",
        "subprocess.run(['/bin/echo', 'a child'], check=True)",
        "ctypes.CDLL(None).puts(b'from C'); ctypes.CDLL(None).fflush(None)",
        "sys.stdout.buffer.write(b'bytes')",
        "print('no line end', end='')",
        "sys.__stderr__.write('kept')",
    )
    outcome = run(runtime, code)
    assert outcome["success"] is True, outcome
    text = "\n".join(entry["message"] for entry in outcome["logs"])
    for words in ("by descriptor", "and to two", "a child", "from C", "bytes", "no line end", "kept"):
        assert words in text
    assert len(runtime.process.stdout.read_text().splitlines()) == 1
    assert runtime.process.stderr.read_text() == ""


def test_a_flood_past_the_streams_is_capped(runtime: Runtime) -> None:
    """50 MB by os.write cost the runtime no memory, and are marked as truncated."""
    code = body("mb = b'x' * 10**6", "for _ in range(50): os.write(1, mb)", "return 'done'")
    before = runtime.resident_mb()
    outcome = run(runtime, code)
    assert (outcome["output"], outcome["logsTruncated"]) == ("done", True)
    assert runtime.resident_mb() - before < 32


def test_a_plugin_finds_nothing_of_its_neighbours(runtime: Runtime) -> None:
    """Another plugin's code and input are not in the memory that a process was forked with; its own code is (so the
    search finds what is there)."""
    runtime.put_code("other", "kept = []\ndef execute(input, context):\n    kept.append(input)\n# a-neighbour's-code\n")
    runtime.execute("other", "a-neighbour's-input")
    search = body(
        "import re",
        # The pattern does not match itself.
        "words = re.compile(b'a-neighbour.s-[ci][a-z]+|search-for-mysel[f]')",
        "found = set()",
        "for line in open('/proc/self/maps'):",
        "    low, high = (int(part, 16) for part in line.split()[0].split('-'))",
        "    if ' rw-p ' in line and '[v' not in line: found.update(words.findall(ctypes.string_at(low, high - low)))",
        "return sorted(word.decode() for word in found)",
    )
    assert run(runtime, search + "# search-for-myself\n")["output"] == ["search-for-myself"]


def test_processes_of_plugins_are_closed_to_each_other(runtime: Runtime) -> None:
    """/proc of a plugin's process belongs to nobody whom a plugin could be: memory, environment and descriptors of
    another plugin cannot be opened by its user. (Only root, who is never inside, could.)"""
    runtime.put_code("other", "import os\ndef execute(input, context):\n    return os.getpid()\n")
    pid = runtime.execute("other")["output"]
    assert Path(f"/proc/{pid}").stat().st_uid == 0
    status = Path(f"/proc/{pid}/environ").read_bytes() if os.geteuid() == 0 else b""
    assert b"LISTEN" not in status


def test_the_environment_is_gone_from_proc(start: StartRuntime) -> None:
    """What the runtime was started with, a token perhaps, is not to be read from /proc by anything in the workspace."""
    token = "hush-hush"  # noqa: S105 - made up for this test
    runtime = start(WSMGR_TOKEN=token)
    code = body("return [open(f'/proc/{who}/environ').read() for who in ('self', os.getppid())]")
    outcome = run(runtime, code)
    text = str(outcome["output"]) + str(outcome["error"])
    assert "LISTEN" not in text
    assert token not in text


def test_a_plugin_cannot_import_the_runtime(shared: Runtime) -> None:
    """The modules of the runtime are not on a plugin's path, and their names are free."""
    code = body("import workspace_runtime")
    assert "No module named 'workspace_runtime'" in failed(run(shared, code), "Exception")["message"]


def bundle(**files: str) -> list[dict[str, str]]:
    """Files as the contract has them; `__` in a name stands for `/`, a name ends in .py."""
    return [
        {"path": f"{name.replace('__', '/')}.py", "data": base64.b64encode(text.encode()).decode()}
        for name, text in files.items()
    ]


def put_bundle(runtime: Runtime, entry: str, files: list[dict[str, str]], version: str = "1", slug: str = "b") -> int:
    """Puts a bundle; the status."""
    asked = {"version": version, "language": "python", "bundle": {"entry": entry, "files": files}}
    return runtime.call("PUT", f"/plugins/{slug}", asked).status


def test_a_bundle_imports_its_own_files(start: StartRuntime, folder: Path) -> None:
    """Modules beside the entry, packages with relative imports, and vendored ones below site-packages are found; the
    files of a version go with its last process."""
    runtime = start(PLUGIN_DIR=str(folder / "plugins"))
    flat = {"main": "import near, vendored\ndef execute(i, c):\n    return [near.N, vendored.V]\n", "near": "N = 1\n"}
    assert put_bundle(runtime, "main.py", bundle(**flat, **{"site-packages__vendored": "V = 2\n"})) == 200
    assert runtime.execute("b", version="1")["output"] == [1, 2]
    assert (folder / "plugins/b/1/near.py").is_file()
    inside = "from . import near\ndef execute(i, c):\n    return near.where()\n"
    files = [
        *bundle(pkg__main=inside, pkg__near="def where():\n    raise ValueError('here')\n"),
        {"path": "pkg/__init__.py", "data": ""},
    ]
    assert put_bundle(runtime, "pkg/main.py", files, "2") == 200
    error = failed(runtime.execute("b", version="2"), "Exception")
    assert 'File "plugin:b/pkg/near.py", line 2, in where' in error["stack"]
    until(lambda: not (folder / "plugins/b/1").exists())
    assert runtime.call("POST", "/reload", {"pluginSlug": "b"}).status == 200
    failed(runtime.execute("b", version="2"), "Exception")
    runtime.call("DELETE", "/plugins/b")
    until(lambda: not (folder / "plugins/b/2").exists())


@pytest.mark.parametrize(
    "path", ["../x.py", "/etc/x.py", "a/../x.py", "a//x.py", "./x.py", "a/", "", "a\\x.py", "a\nx.py", "x" * 2000]
)
def test_a_bundle_stays_in_its_folder(start: StartRuntime, folder: Path, path: str) -> None:
    """Paths that climb, are absolute or are not normalised are refused, though the daemon has looked before."""
    runtime = start(PLUGIN_DIR=str(folder / "plugins"))
    files = [*bundle(main="def execute(i, c):\n    pass\n"), {"path": path, "data": ""}]
    assert put_bundle(runtime, "main.py", files) == 422
    assert [found for found in folder.rglob("*") if found.name == "x.py"] == []
    assert put_bundle(runtime, "main.py", files[:1]) == 200


@pytest.mark.parametrize(
    "value", [{}, [], {"entry": "main.py", "files": []}, {"entry": "x.py", "files": [{"path": "y.py", "data": ""}]},
              {"entry": "y.py", "files": [{"path": "y.py", "data": "?"}]},
              {"entry": "y.py", "files": [{"path": "y.py", "data": ""}] * 2}]
)  # fmt: skip
def test_a_malformed_bundle_is_refused(shared: Runtime, value: object) -> None:
    """A bundle without files, without its entry, with a file twice or with data that is no base64 is a 422."""
    asked = {"version": "1", "language": "python", "bundle": value}
    assert shared.call("PUT", "/plugins/b", asked).status == 422


def test_a_bundle_without_room_is_refused(start: StartRuntime, folder: Path) -> None:
    """Files that cannot be written are a LoadError with the kernel's reason."""
    (folder / "file").touch()
    runtime = start(PLUGIN_DIR=str(folder / "file"))
    assert put_bundle(runtime, "main.py", bundle(main="def execute(i, c):\n    pass\n")) == 422


def test_a_killed_runtime_leaves_no_process(runtime: Runtime) -> None:
    """kill -9 of the runtime ends the spawner and every plugin's process with it."""
    runtime.install("spins", "echo")
    runtime.begin("spins", timeoutMs=600_000)
    every = processes_of(runtime)
    assert len(every) >= 3
    runtime.process.signal(signal.SIGKILL)
    runtime.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in every))


def test_a_killed_spawner_ends_the_runtime(runtime: Runtime) -> None:
    """Without the process that plugins are forked from nothing can be done: the runtime says so and ends."""
    (spawner,) = processes_of(runtime)
    os.kill(spawner, signal.SIGKILL)
    assert runtime.process.wait() == 1
    assert "forked from" in runtime.process.stderr.read_text()


def test_the_health_check_of_the_image(start: StartRuntime) -> None:
    """healthcheck.py exits 0 against a healthy runtime, with its token, and 1 against nothing."""
    token = "hush"  # noqa: S105 - made up for this test
    runtime = start(WSMGR_TOKEN=token)
    script = CONTAINERFILES / "python" / "runtime" / "healthcheck.py"

    def check(listen: str) -> int:
        environment = {"LISTEN": listen, "WSMGR_TOKEN": token}
        command = [python_binary(), "-I", "-S", "-B", str(script)]
        return subprocess.run(command, env=environment, check=False, capture_output=True, timeout=20).returncode

    assert check(str(runtime.address.path)) == 0
    assert check(f"{runtime.address.path}.none") == 1
