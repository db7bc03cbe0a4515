"""Processes of the Python runtime: what plugins leave behind, see of each other, and ends that come from outside."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.contract.runtime.client import until
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.launch import PythonLauncher
from tests.contract.runtime.python_rig import body, processes_of, run
from tests.contract.runtime.subject import Runtime, failed

pytestmark = pytest.mark.usefixtures("launcher")


@pytest.fixture(scope="session")
def launcher() -> PythonLauncher:
    """Python only."""
    return PythonLauncher()


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
    assert Path(f"/proc/{pid}/environ").stat().st_uid == 0
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
