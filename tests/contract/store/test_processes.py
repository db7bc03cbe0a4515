"""A process that is killed, and two processes at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.store.records import ALICE, HOME
from wsmgr.adapters.store import SqlStore
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import ExecutionId, Slug, Version

ROOT = Path(__file__).parents[3]


@contextmanager
def program(mode: str, url: str, argument: int) -> Iterator[subprocess.Popen[str]]:
    """The program, at the line where it waits to be let go."""
    command = [sys.executable, "-m", "tests.contract.store.program", mode, url, str(argument)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def let_go(process: subprocess.Popen[str]) -> None:
    """Let the program begin."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def killed_after(lines: int, url: str) -> list[list[str]]:
    """What a program that writes had acknowledged when it was killed, in words."""
    with program("write", url, 16) as process:
        let_go(process)
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        seen += process.stdout.readlines()
    assert all(line.endswith("\n") for line in seen), "the program ended before it was killed"
    return [line.split() for line in seen]


async def test_kill_9_loses_nothing_acknowledged(url: str) -> None:
    """Every begin, end, event and version that was acknowledged before SIGKILL is there afterwards, three times."""
    acknowledged = [words for lines in (40, 300, 801) for words in killed_after(lines, url)]
    kinds = {words[0] for words in acknowledged}
    assert kinds == {"begin", "end", "event", "version"}
    store = SqlStore(url)
    await store.open()
    events = {(str(one.id), one.reason) for one in await store.events(HOME, 1_000_000, None)}
    for kind, *words in acknowledged:
        match kind:
            case "begin":
                assert await store.execution(ExecutionId(words[0])) is not None, words
            case "end":
                found = await store.execution(ExecutionId(words[0]))
                assert found is not None
                assert found.state is ExecutionState.SUCCEEDED, words
            case "event":
                assert (words[0], words[1]) in events
            case _:
                assert await store.source(ALICE, Slug(words[0]), Version(words[1])) is not None
    await store.close()


async def test_two_processes_never_share_a_slot(url: str) -> None:
    """Both open the empty database at once, so both would migrate it, and then ensure workspaces at once."""
    with program("slots", url, 60) as one, program("slots", url, 60) as other:
        let_go(one)
        let_go(other)
        told = [line.split() for process in (one, other) for line in process.communicate(timeout=60)[0].splitlines()]
    slots = {workspace: int(slot) for slot, workspace in told}
    assert len(told) == 120
    assert len(slots) == 90
    assert sorted(slots.values()) == list(range(90))
    assert {(int(slot), workspace) for slot, workspace in told} == {(slot, name) for name, slot in slots.items()}
    store = SqlStore(url)
    await store.open()
    assert {one.id: one.slot for one in await store.workspaces()} == slots
    await store.close()
