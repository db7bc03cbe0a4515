"""Python plugins in real containers: cold and warm, beside JavaScript under one owner, within limits, closed in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.podman.daemon.rig import PYTHON_IMAGE, RealDaemon, podman, real_daemon, unrestricted_plans, wait_for
from wsmgr.client import ApiError, Client
from wsmgr.wire.execute import ExecuteResponse, ExecutionError, InlinePlugin

COUNTS = "calls = 0\ndef execute(input, context):\n    global calls\n    calls += 1\n    return [calls, input]\n"
JAVASCRIPT = "export default (input) => ['node', input]"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDaemon]:
    """What the container and the runtime deny is tried without validation before it."""
    with real_daemon(plans_file=unrestricted_plans(tmp_path_factory.mktemp("plans"))) as daemon:
        yield daemon


def inline(body: str) -> InlinePlugin:
    """A Python plugin whose `execute` has these lines."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return InlinePlugin(slug="tried", language="python", code=f"import os\ndef execute(input, context):\n{lines}")


def inside(client: Client, body: str, value: object = None, user: str = "py", **more: object) -> ExecuteResponse:
    """Runs these lines in the owner's Python workspace."""
    return client.execute(user, inline(body), value, **more)  # type: ignore[arg-type]


def ended(answer: ExecuteResponse) -> ExecutionError:
    """How a call ended that must have failed."""
    assert not answer.success
    assert answer.error is not None
    return answer.error


def output(client: Client, body: str, value: object = None, user: str = "py") -> Any:
    """What they return."""
    answer = inside(client, body, value, user)
    assert answer.success, answer.error
    return answer.output


def test_a_python_plugin_runs_cold_and_warm(daemon: RealDaemon, client: Client) -> None:
    """The first call makes the companion from the Python image, the next one finds it and what it remembers."""
    client.put_plugin("user:cold", "counts", language="python", code=COUNTS)
    first = client.execute("cold", "counts", {"a": ["ü", None, 1.5]})
    second = client.execute("cold", "counts", 2)
    assert (first.cold_start, first.isolation, first.output) == (True, "container", [1, {"a": ["ü", None, 1.5]}])
    assert (second.cold_start, second.output) == (False, [2, 2])
    workspace = client.workspace("user:cold~python")
    assert (workspace.runtime, workspace.image, workspace.status) == ("python", PYTHON_IMAGE, "RUNNING")
    with pytest.raises(ApiError):
        client.workspace("user:cold")
    assert "python" in daemon.cli("show", "user:cold~python").stdout


def test_an_owner_has_plugins_of_both_languages(daemon: RealDaemon, client: Client) -> None:
    """Each goes to the workspace of its runtime; with a plan of two both stay, and a put reaches the one it is for."""
    client.patch_owner("user:both", {"plan": "PRO"})
    client.put_plugin("user:both", "js", language="javascript", code=JAVASCRIPT)
    client.put_plugin("user:both", "py", language="python", code=COUNTS)
    assert client.execute("both", "js", 1).output == ["node", 1]
    assert client.execute("both", "py", 1).output == [1, 1]
    assert not client.execute("both", "js", 1).cold_start
    assert not client.execute("both", "py", 1).cold_start
    runtimes = {one["Labels"]["wsmgr.workspace"]: one["Image"] for one in daemon.containers()}
    assert runtimes["user:both"] != runtimes["user:both~python"] == PYTHON_IMAGE
    assert client.put_plugin("user:both", "py", language="python", code=COUNTS + "\n").reloaded
    with pytest.raises(ApiError, match="invalid syntax"):
        client.put_plugin("user:both", "py", language="python", code="def execute(:\n")
    assert client.execute("both", "py", 1).output == [1, 1]


def test_in_a_plan_of_one_the_idle_one_makes_room(daemon: RealDaemon, client: Client) -> None:
    """FREE has one workspace in memory: the other runtime's, when nobody calls it, is stopped first."""
    client.put_plugin("user:one", "js", language="javascript", code=JAVASCRIPT)
    client.put_plugin("user:one", "py", language="python", code=COUNTS)
    for _ in range(2):
        assert client.execute("one", "js", 1).output == ["node", 1]
        assert client.execute("one", "py", 1).output == [1, 1]
    running = [one for one in daemon.containers() if one["Labels"]["wsmgr.workspace"].startswith("user:one")]
    assert [one["Labels"]["wsmgr.workspace"] for one in running if one["State"] == "running"] == ["user:one~python"]
    assert "workspace.place_stop" in [event.action for event in client.workspace_events("user:one").items]


def test_it_outlives_its_daemon(daemon: RealDaemon, client: Client) -> None:
    """kill -9 of the daemon, and the next one adopts the container with what the plugin remembers."""
    client.put_plugin("user:adopt", "counts", language="python", code=COUNTS)
    client.execute("adopt", "counts", 1)
    before = daemon.container("user:adopt~python")["Id"]
    daemon.kill()
    daemon.start()
    assert client.execute("adopt", "counts", 1).output == [2, 1]
    assert daemon.container("user:adopt~python")["Id"] == before


def test_it_is_closed_in(client: Client) -> None:
    """No capability, no new privileges, a filter, a uid of its own, no network, a read-only root; only /tmp is open."""
    status = dict(
        line.split(":\t", 1) for line in str(output(client, "return open('/proc/self/status').read()")).splitlines()
    )
    assert (status["CapEff"], status["NoNewPrivs"], status["Seccomp"]) == ("0" * 16, "1", "2")
    assert int(status["Uid"].split()[0]) >= 10_000
    interfaces = str(output(client, "return open('/proc/net/dev').read()")).splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    write = (
        "try:\n    os.write(os.open(input, os.O_WRONLY | os.O_CREAT), b'x')\n    return 'written'\n"
        "except OSError as error:\n    return error.errno"
    )
    for path in ("/x", "/usr/local/bin/python3", "/opt/wsmgr/runtime/main.py", "/proc/1/oom_score_adj"):
        assert output(client, write, path) != "written"
    assert output(client, write, "/tmp/x") == "written"
    # A user namespace of one's own, which takes no capability; the control is this test's own user.
    assert subprocess.run(["unshare", "--user", "true"], check=False, timeout=10).returncode == 0
    for call in ("unshare(0x10000000)", "ptrace(0, 0, 0, 0)"):
        assert output(client, f"import ctypes\nreturn ctypes.CDLL(None, use_errno=True).{call}") == -1, call


def test_plugins_cannot_look_into_each_other_or_the_runtime(client: Client) -> None:
    """Under one uid, /proc of every other process of the workspace is closed: environment, memory, descriptors."""
    look = """
found = {}
for pid in filter(str.isdigit, os.listdir('/proc')):
    for name in ('environ', 'mem', 'maps'):
        try:
            with open(f'/proc/{pid}/{name}', 'rb') as file:
                if name == 'mem' or file.read(1):
                    found[f'{pid} {name}'] = 1
        except OSError:
            pass
return [os.getpid(), found]
"""
    me, found = output(client, look)
    others = {name for name in found if name.split()[0] not in {str(me), "1"}}
    assert others == set()
    assert f"{me} maps" in found


def test_limits_hold(client: Client) -> None:
    """Memory, processes and time end that call with the right outcome, and the workspace goes on."""
    assert ended(inside(client, "held = []\nwhile True: held.append(b'x' * 4_000_000)")).type == "OutOfMemory"
    assert ended(inside(client, "while True: pass", timeout_ms=300)).type == "Timeout"
    forks = """
made = []
try:
    while len(made) < 100_000:
        pid = os.fork()
        if pid == 0:
            import time
            time.sleep(60)
            os._exit(0)
        made.append(pid)
except OSError as error:
    return [error.errno, len(made)]
"""
    errno, made = output(client, forks)
    assert errno == 11
    assert made < 1000
    crash = ended(inside(client, "import ctypes\nctypes.string_at(0)"))
    assert (crash.type, "SIGSEGV" in crash.message) == ("Crash", True)
    assert output(client, "return 'well'") == "well"


def test_what_a_bomb_leaves_is_ended(daemon: RealDaemon, client: Client) -> None:
    """Processes that a plugin leaves in sessions of their own go with its call."""
    spread = """
def spread(depth):
    for _ in range(2):
        if depth and os.fork() == 0:
            os.setsid()
            spread(depth - 1)
            import time
            time.sleep(600)
spread(4)
return 1
"""
    assert inside(client, spread, user="bomb").success
    container = daemon.container("user:bomb~python")["Id"]

    def calm() -> bool:
        return len(podman("top", container, "hpid").split()) - 1 <= 4

    wait_for(calm, 20, what=lambda: podman("top", container))
    assert output(client, "return 'well'", user="bomb") == "well"
