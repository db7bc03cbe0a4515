"""The lines about one workspace and about the host, and the limits with who holds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.client import canned
from tests.tui import scenes
from tui.model import machine
from tui.model.cell import Cell
from tui.model.facts import Fact, fitted, health_facts, state_facts, use_facts
from tui.model.limits import DAEMON, limit_lines
from tui.model.row import Row, row_of
from wsmgr.wire.host import Host
from wsmgr.wire.workspace import WorkspaceHealth

HOST = Host(hostname="h", kernel="6.1", cpus=2, memory_mb=24_000, memory_available_mb=20_000)


def _text(cells: list[Cell]) -> str:
    return "".join(cell.text for cell in cells)


def _row(number: int = 1, **more: object) -> Row:
    return row_of(scenes.workspace("user:alice", number=number).model_copy(update=more), scenes.NOW)


@given(st.lists(st.tuples(st.integers(0, 6), st.text(st.characters(categories=["L"]), max_size=12)), min_size=1),
       st.integers(20, 200))  # fmt: skip
def test_what_is_kept_fits_and_matters_most(told: list[tuple[int, str]], width: int) -> None:
    """A fact that is dropped has no lower rank than one that is kept; one is always there."""
    facts = [Fact(rank, (Cell(text),)) for rank, text in told]
    cells = fitted(facts, width)
    shown = len(cells[1:]) // 2 + 1
    assert shown == 1 or cell_len(_text(cells)) <= width
    assert sorted(rank for rank, _ in told)[:shown] == sorted(_ranks(facts, cells))


def _ranks(facts: list[Fact], cells: list[Cell]) -> list[int]:
    """Of those that are shown, which are the same cells."""
    return [fact.rank for fact in facts if any(fact.cells[0] is cell for cell in cells)]


def test_cpu_is_told_of_a_core_and_of_the_limit() -> None:
    """No percentage without its unit."""
    row = _row(9, resource_usage=scenes.workspace("user:a").resource_usage.model_copy(update={"cpu_percent": 13.0}))
    assert "CPU 13% of a core, 52% of its limit" in _text(fitted(state_facts(row, scenes.NOW), 200))


def test_both_rungs_of_the_idle_ladder() -> None:
    """The next one is told: a pause, and after it the stop."""
    assert "pauses in 20s" in _text(fitted(state_facts(_row(1), scenes.NOW), 200))
    assert "stops in 45s" in _text(fitted(state_facts(_row(1, pauses_in_seconds=None), scenes.NOW), 200))


def test_the_rest_of_what_it_uses() -> None:
    """Rates and totals, calls with their durations, tasks, scratch, throttling; nothing when it does not run."""
    said = _text(fitted(use_facts(_row(1)), 200))
    assert said == (
        " network ↓311B/s ↑97B/s (↓1.2M ↑338K in all) · calls/min 3, 1 failed · p50 p95 3.00ms 13ms · tasks 10 of 128"
        " · scratch 512K of 64M · throttled 1.5%"
    )
    assert use_facts(row_of(scenes.workspace("user:bob", "STOPPED"), scenes.NOW)) == []


@pytest.mark.parametrize(
    ("health", "status", "said"),
    [
        (WorkspaceHealth(healthy=True, last_check=canned.AT, restarts_left=3), "RUNNING",
         " ✔ healthy · last asked 0s ago · 0 failed checks in a row · 3 of 3 restarts left in 5m"),
        (WorkspaceHealth(healthy=False, consecutive_failures=1), "RUNNING", " ✖ not healthy · 1 failed check in a row"),
        (WorkspaceHealth(), "STOPPED", " not asked while it does not run · 0 failed checks in a row"),
    ],
)  # fmt: skip
def test_the_last_verdict(health: WorkspaceHealth, status: str, said: str) -> None:
    """In words."""
    assert _text(health_facts(_row(1, health=health, status=status), scenes.NOW)) == said


def test_every_limit_says_who_holds_it_and_how_that_is_known() -> None:
    """By this host, by the daemon itself, or by nobody that was seen."""
    lines = {one.limit: one for one in limit_lines(scenes.workspace("user:alice", number=1), scenes.matrix())}
    assert (lines["memory"].allowed, lines["memory"].used, lines["memory"].held) == ("512M", "27M", "absent")
    assert lines["memory"].mend.startswith("This host has cgroups v1")
    assert lines["scratch"].held == "enforced"
    assert lines["open files"].held == "not tried"
    assert lines["output"].held == DAEMON
    assert all(one.proof for one in lines.values())


def test_only_the_own_isolation_counts() -> None:
    """What a container may is nothing to a worker."""
    worker = scenes.workspace("user:alice").model_copy(update={"isolation": "worker"})
    assert {one.held for one in limit_lines(worker, scenes.matrix())} == {"not tried", DAEMON}


def test_the_host_in_four_lines() -> None:
    """The machine, what there is of memory and disk, the engine by its own words, the images."""
    line = canned.fleet_host()
    rows = [row_of(one, scenes.NOW) for one in scenes.usual()]
    assert "Linux 6.1" in _text(fitted(machine.machine(HOST), 120))
    assert "disk ██       10G of 40G" in _text(fitted(machine.room(HOST, line), 120))
    assert _text(fitted(machine.engine(HOST, line, scenes.matrix()), 120)) == (
        " engine - ✔ works · podman 4.3.1, runc 1.1.5, overlay storage, cgroups v1 · daemon 0.1.0"
    )
    known = HOST.model_copy(update={"engine": "container", "engine_version": "podman 5.4", "oci_runtime": "crun 1.2"})
    assert _text(fitted(machine.engine(known, line, scenes.matrix()), 120)) == (
        " engine container ✔ works · podman 5.4, crun 1.2 · daemon 0.1.0"
    )
    assert _text(fitted(machine.images(rows), 120)) == " images localhost/wsmgr-node:latest node 24, 8 workspaces"
    away = line.model_copy(update={"engine_away": "Nobody answers."})
    assert "✖ away: Nobody answers." in _text(fitted(machine.engine(HOST, away, []), 120))
    assert "no workspace" in _text(fitted(machine.images([]), 120))
