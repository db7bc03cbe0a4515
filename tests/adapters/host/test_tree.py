"""What a tree of processes uses: real ones, and the texts of /proc."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.adapters.host.conftest import Start
from wsmgr.adapters.host.tree import WHOLE, Process, Processes, parse, process

MIB = 2**20
PAGE = os.sysconf("SC_PAGE_SIZE")
WAITS = "print('ready', flush=True); input()"
STAT = b"7 (%b) S 3 7 7 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 5 0 999 1000000 300 0 0 0"


@pytest.mark.parametrize("name", [b"node", b"a b", b") S 1 (", b"((", b""])
def test_a_process_may_have_any_name(name: bytes) -> None:
    """Also one that looks like the fields behind it."""
    assert parse(STAT % name) == Process(7, 3, 11 + 22 + 33 + 44, 5, 999, 300 * PAGE)


@pytest.mark.parametrize("text", [b"", b"7 (node) S 3", (STAT % b"x").replace(b") S", b") X")])
def test_what_is_dead_or_cut_is_nothing(text: bytes) -> None:
    """It went while it was read."""
    assert parse(text) is None


def test_a_process_that_is_not_there_is_nothing() -> None:
    """Pid 0 never is."""
    assert process("/proc", 0) is None


def test_it_counts_the_processor_time_of_the_whole_tree(start: Start) -> None:
    """A child that burns, one that has burnt and was waited for; an idle tree beside it stays at nothing."""
    idle = start(WAITS)
    busy = start(
        "import os, time\n"
        "def burn(s):\n"
        "    while time.process_time() < s: pass\n"
        "if not (pid := os.fork()): burn(.3); os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "if not (pid := os.fork()): burn(.2); print('ready', flush=True); time.sleep(60)\n"
        "input()"
    )
    seen = Processes("/proc")
    seen.look({busy.pid, idle.pid})
    used = {one.pid: seen.use(main) for one in (busy, idle) if (main := seen.find(one.pid))}
    assert 0.45 <= used[busy.pid].cpu_s <= 0.8
    assert used[busy.pid].tasks == 2
    assert used[idle.pid].cpu_s <= 0.1
    assert used[idle.pid].tasks == 1


def test_it_counts_memory_that_is_not_shared(start: Start) -> None:
    """What two processes of it hold; a file that is mapped is not theirs alone."""
    code = (
        "import os, mmap\n"
        "held = bytearray(40 * 2**20)\n"
        "if os.fork() == 0: more = bytearray(30 * 2**20); print('ready', flush=True)\n"
        "input()"
    )
    big, small = start(code), start(WAITS)
    seen = Processes("/proc")
    seen.look({big.pid, small.pid})
    held, little = (seen.use(main).memory_bytes for one in (big, small) if (main := seen.find(one.pid)))
    # The forked child shares the first part copy-on-write, which the kernel counts as its own.
    assert 100 * MIB <= held <= 140 * MIB
    assert little <= 20 * MIB


def test_threads_are_tasks(start: Start) -> None:
    """As the kernel's limit counts them."""
    one = start(
        "import threading, time\n"
        "[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(4)]\n"
        "print('ready', flush=True); input()"
    )
    seen = Processes("/proc")
    seen.look({one.pid})
    main = seen.find(one.pid)
    assert main is not None
    assert seen.use(main).tasks == 5


def test_a_new_child_is_seen_at_the_next_look(start: Start) -> None:
    """Although other processes are passed over then."""
    one = start(
        "import os\nprint('ready', flush=True)\ninput()\nif os.fork() == 0: print('forked', flush=True)\ninput()"
    )
    assert one.stdin is not None
    assert one.stdout is not None
    seen = Processes("/proc")
    tasks = []
    for _ in range(3):
        seen.look({one.pid})
        main = seen.find(one.pid)
        assert main is not None
        tasks.append(seen.use(main).tasks)
        if len(tasks) == 2:
            one.stdin.write("go\n")
            one.stdin.flush()
            assert one.stdout.readline() == "forked\n"
    assert tasks == [1, 1, 2]


def test_who_is_of_no_tree_is_passed_over_but_not_for_ever(start: Start) -> None:
    """And at once looked at when it is asked for, with its children."""
    one, other = start(WAITS), start("import os\nif os.fork() == 0: print('ready', flush=True)\ninput()")
    seen = Processes("/proc")
    for _ in range(2):
        seen.look({one.pid})
        main = seen.find(one.pid)
        assert main is not None
        seen.use(main)
    assert seen.find(other.pid) is None
    seen.look({one.pid, other.pid})
    main = seen.find(other.pid)
    assert main is not None
    assert seen.use(main).tasks == 2
    for _ in range(WHOLE):
        seen.look({one.pid})
        if seen.find(os.getpid()) is not None:
            break
    assert seen.find(os.getpid()) is not None


def test_a_tree_that_ends_is_not_there(start: Start) -> None:
    """No error, and nothing that was remembered."""
    one = start(WAITS)
    seen = Processes("/proc")
    seen.look({one.pid})
    main = seen.find(one.pid)
    assert main is not None
    one.kill()
    one.wait(10)
    assert seen.use(main).memory_bytes == 0
    seen.look({one.pid})
    assert seen.find(one.pid) is None


def test_pids_that_go_round_in_circles_end(tmp_path: Path) -> None:
    """As a look may see them when a pid is given anew in the middle of it."""
    for pid, parent in ((7, 8), (8, 7)):
        folder = tmp_path / str(pid)
        folder.mkdir()
        text = (STAT % b"x").decode().replace("7 (x) S 3", f"{pid} (x) S {parent}")
        (folder / "stat").write_text(text)
        (folder / "statm").write_text("900 300 100 1 0 500 0")
    seen = Processes(str(tmp_path))
    seen.look({7})
    main = seen.find(7)
    assert main is not None
    used = seen.use(main)
    assert (used.tasks, used.memory_bytes) == (10, 2 * 200 * PAGE)
