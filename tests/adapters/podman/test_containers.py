"""From podman's JSON to observed states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from wsmgr.adapters.podman.containers import from_inspect, from_list, observed, vanished
from wsmgr.adapters.podman.process import MainProcess
from wsmgr.core.workspace import Created, Endpoint, Exited, Running

LABELS = {"wsmgr.instance": "main", "wsmgr.workspace": "user:a", "wsmgr.digest": "d1", "wsmgr.uid": "10007"}
STARTED = datetime(2026, 11, 23, 14, 57, 39, tzinfo=UTC)


def _row(state: str, *, pid: int = 0, exit_code: int = 0, labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "Id": "c1",
        "State": state,
        "Pid": pid,
        "ExitCode": exit_code,
        "StartedAt": int(STARTED.timestamp()),
        "Labels": LABELS if labels is None else labels,
    }


def _inspection(status: str, **state: object) -> dict[str, Any]:
    return {
        "Id": "c1",
        "Config": {"Labels": LABELS},
        "HostConfig": {"LogConfig": {"Path": "/somewhere/ctr.log"}},
        "State": {"Status": status, "StartedAt": "2026-11-23T14:57:39.608301479Z", **state},
    }


def _alive(pid: int, uid: int) -> MainProcess | None:
    return MainProcess(pid, 200_000 + uid, 77)


def _gone(_pid: int, _uid: int) -> MainProcess | None:
    return None


@pytest.mark.parametrize("state", ["configured", "created", "initialized"])
def test_made_and_not_started(state: str) -> None:
    """Every state before the first start is Created."""
    assert observed(from_list(_row(state)), _gone) == Created("c1", "d1")


@pytest.mark.parametrize("state", ["running", "stopping", "paused"])
def test_running(state: str) -> None:
    """A live main process gives an endpoint of its own: host pid, host uid, and an instance no other run has."""
    endpoint = Endpoint(42, "/run/wsmgr/api.sock", 210_007, "c1@77")
    seen = observed(from_list(_row(state, pid=42)), _alive)
    assert seen == Running("c1", "d1", endpoint, STARTED, paused=state == "paused")


def test_list_and_inspect_agree() -> None:
    """The same run is equal from both, so that an endpoint does not change by the way it was looked at."""
    listed = observed(from_list(_row("running", pid=42)), _alive)
    assert listed == observed(from_inspect(_inspection("running", Pid=42)), _alive)


def test_running_without_a_process_is_looked_at_again() -> None:
    """A pid that vanished, or is another's by now, is no state yet; in the end it is an exit nobody can explain."""
    container = from_list(_row("running", pid=42))
    assert observed(container, _gone) is None
    assert vanished(container) == Exited("c1", "d1", 255, oom_killed=False)


@pytest.mark.parametrize("state", ["exited", "stopped", "unknown", "something new"])
def test_ended(state: str) -> None:
    """What ran, and any state that only a removal helps, is Exited."""
    assert observed(from_list(_row(state, exit_code=3)), _gone) == Exited("c1", "d1", 3, oom_killed=False)


def test_one_whose_removal_was_cut_short_is_of_no_specification() -> None:
    """So that it is removed whatever is wanted, and counts as no failure."""
    assert observed(from_list(_row("removing", exit_code=3)), _gone) == Created("c1", "")


def test_an_oom_kill_is_told_by_inspection() -> None:
    """OOMKilled is carried over."""
    container = from_inspect(_inspection("exited", ExitCode=137, OOMKilled=True))
    assert observed(container, _gone) == Exited("c1", "d1", 137, oom_killed=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T15:57:39.608301479+01:00", STARTED),
        ("2026-11-23T09:57:39-05:00", STARTED),
        ("2026-11-23T14:57:39Z", STARTED),
        ("0001-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_of_any_zone(text: str, expected: datetime) -> None:
    """Podman writes times in the zone of its service."""
    assert from_inspect(_inspection("running", StartedAt=text)).started_at == expected


def test_a_container_without_our_labels_is_nobodys() -> None:
    """Missing or broken labels do not raise."""
    container = from_list(_row("running", labels={"wsmgr.uid": "many"}))
    assert (container.workspace, container.instance, container.uid) == ("", "", -1)
