"""What only the Python runtime has: processes, ways to break out of one call into the next, bundles of modules."""

from __future__ import annotations

import json
import resource
import subprocess

import pytest

from tests.contract.runtime.client import exchange
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.launch import CONTAINERFILES, PythonLauncher, python_binary
from tests.contract.runtime.python_rig import body, run
from tests.contract.runtime.subject import Runtime, failed

pytestmark = pytest.mark.usefixtures("launcher")


@pytest.fixture(scope="session")
def launcher() -> PythonLauncher:
    """Python only."""
    return PythonLauncher()


LATER = "import asyncio\nasync def later(n):\n    return n + 1\ndef execute(input, context):\n"
AWAITABLE = "class Later:\n    def __await__(self):\n        yield from ()\n        return 42\n"
DATACLASS = "from dataclasses import dataclass\n@dataclass\nclass N:\n    n: int\n"
ITS_OWN = "import sys\nONE = 1\n"


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
        ITS_OWN + "def execute(input, context):\n    return input + sys.modules[__name__].ONE\n",
    ],
)
def test_every_way_to_define_execute(shared: Runtime, code: str) -> None:
    """Sync, async, a callable, an awaitable or a generator: what it comes to is the output."""
    assert run(shared, code, 41)["output"] == 42


@pytest.mark.parametrize(("told", "most"), [("40", 32), ("0", None)])
def test_plugins_leave_some_processes_to_the_runtime(start: StartRuntime, told: str, most: int | None) -> None:
    """Of as many as it was told, where no rlimit says less: the group of the workspace counts the runtime's too."""
    code = "import resource\ndef execute(input, context):\n    return resource.getrlimit(resource.RLIMIT_NPROC)\n"
    outer = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if most is None:
        most = outer if outer == resource.RLIM_INFINITY else outer - 8
    assert run(start(WSMGR_PIDS=told), code)["output"] == [most, most]


def test_asyncio_is_imported_for_the_first_of_all_async_plugins(runtime: Runtime) -> None:
    """It is the most that loading one takes: the next version, and the next plugin, find it there."""
    code = "import sys\nthere = 'asyncio' in sys.modules\nasync def execute(input, context):\n    return there\n"
    assert run(runtime, code)["output"] is False
    assert run(runtime, code + "# changed\n")["output"] is True
    runtime.put_code("another", code)
    assert runtime.execute("another")["output"] is True


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
    assert "SIGSEGV" in failed(outcome, "Crash")["message"]
    assert shared.run("echo", 1)["success"] is True


def test_a_stream_tells_prints_and_steps_as_they_come(shared: Runtime) -> None:
    """With `stream` the answer is lines: logs and emitted values in order, at last the result as without it."""
    shared.put_code(
        "s", "def execute(input, context):\n    print('one')\n    context.emit(2)\n    yield [3]\n    return input\n"
    )
    asked = json.dumps(shared.request("s", "four", stream=True)).encode()
    head = b"POST /execute HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(asked)
    answer = exchange(shared.address, head + asked, finish=False)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n")
    lines = [json.loads(line) for line in answer.split(b"\r\n") if line.startswith(b"{")]
    assert [next(iter(line)) for line in lines] == ["log", "emit", "emit", "result"]
    assert (lines[0]["log"]["message"], lines[1]["emit"], lines[2]["emit"]) == ("one", 2, [3])
    assert (lines[3]["result"]["output"], lines[3]["result"]["logs"]) == ("four", [lines[0]["log"]])
    plain = shared.execute("s", "four")
    assert plain.keys() == lines[3]["result"].keys()


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
