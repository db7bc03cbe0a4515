"""Alerts: one body over every store."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.store.records import HOME, NOON, at
from wsmgr.core.alert import Alert, Notice, Severity, Stage, Trouble, workspace_error
from wsmgr.core.errors import NotFound
from wsmgr.ports.store import Store

ERROR = workspace_error(HOME, "It gave up.")


async def raised(store: Store, cause: str, seconds: float = 0) -> Alert:
    """A new alert."""
    alert = await store.raise_alert(Trouble(cause, Severity.WARNING, "x"), at(seconds))
    assert alert is not None
    return alert


async def test_a_cause_is_raised_once(store: Store) -> None:
    """Also by twenty at once; the one that is kept has all that was said."""
    made = await asyncio.gather(*(store.raise_alert(ERROR, at(n)) for n in range(20)))
    (alert,) = [one for one in made if one is not None]
    assert (alert.cause, alert.severity, alert.sentence, alert.workspace) == (
        "workspace.error:user:alice",
        Severity.CRITICAL,
        "It gave up.",
        HOME,
    )
    assert (alert.resolved_at, alert.acknowledged_at, alert.acknowledged_by) == (None, None, None)
    assert await store.open_alerts() == [alert]


async def test_a_resolved_cause_may_be_raised_again(store: Store) -> None:
    """As another alert; the first stays as it was."""
    first = await raised(store, "a")
    resolved = await store.resolve_alert("a", at(5))
    assert resolved is not None
    assert (resolved.id, resolved.resolved_at) == (first.id, at(5))
    assert await store.resolve_alert("a", at(6)) is None
    assert await store.open_alerts() == []
    second = await raised(store, "a", 7)
    assert second.id > first.id
    assert await store.alerts(9, None, resolved=True) == [second, resolved]


async def test_resolving_touches_its_own_cause_alone(store: Store) -> None:
    """And an unknown cause is none."""
    kept = await raised(store, "a")
    await raised(store, "b")
    assert await store.resolve_alert("c", NOON) is None
    await store.resolve_alert("b", NOON)
    assert await store.open_alerts() == [kept]


async def test_the_first_who_acknowledges_stays(store: Store) -> None:
    """A resolved one can be acknowledged too, and an unknown one cannot."""
    alert = await raised(store, "a")
    known = await store.acknowledge_alert(alert.id, "uid:1", at(1))
    assert (known.acknowledged_by, known.acknowledged_at) == ("uid:1", at(1))
    await store.resolve_alert("a", at(2))
    again = await store.acknowledge_alert(alert.id, "uid:2", at(3))
    assert (again.acknowledged_by, again.acknowledged_at, again.resolved_at) == ("uid:1", at(1), at(2))
    other = await raised(store, "b")
    await store.resolve_alert("b", at(4))
    assert (await store.acknowledge_alert(other.id, "uid:3", at(5))).acknowledged_by == "uid:3"
    with pytest.raises(NotFound, match="no alert 9999"):
        await store.acknowledge_alert(9999, "uid:1", NOON)


async def test_alerts_are_listed_newest_first(store: Store) -> None:
    """Open ones, or all; a page ends where the next begins."""
    made = [await raised(store, name) for name in "abcd"]
    await store.resolve_alert("c", NOON)
    assert [one.cause for one in await store.alerts(9, None, resolved=False)] == ["d", "b", "a"]
    assert [one.cause for one in await store.alerts(2, None, resolved=True)] == ["d", "c"]
    assert [one.cause for one in await store.alerts(2, made[2].id, resolved=True)] == ["b", "a"]
    assert [one.cause for one in await store.alerts(1, made[3].id, resolved=False)] == ["b"]


async def test_what_nobody_was_told_of_is_found(store: Store) -> None:
    """Each stage once, in order; what was told is not told again."""
    first, second = await raised(store, "a"), await raised(store, "b", 1)
    resolved = await store.resolve_alert("a", at(2))
    assert resolved is not None
    pending = await store.untold(at(-10), 9)
    assert pending == [Notice(resolved, Stage.RAISED), Notice(resolved, Stage.RESOLVED), Notice(second, Stage.RAISED)]
    assert len({notice.id for notice in pending}) == 3
    assert Notice(first, Stage.RAISED).id == pending[0].id
    await store.told(pending[0], at(3))
    assert await store.untold(at(-10), 9) == pending[1:]
    await store.told(pending[2], at(3))
    assert await store.untold(at(-10), 9) == pending[1:2]


async def test_what_is_long_over_is_not_told(store: Store) -> None:
    """What is open still is, however old."""
    await raised(store, "old and over")
    await store.resolve_alert("old and over", at(1))
    await raised(store, "old and open")
    await raised(store, "over now")
    await store.resolve_alert("over now", at(100))
    found = [(notice.alert.cause, notice.stage) for notice in await store.untold(at(50), 9)]
    assert found == [("old and open", Stage.RAISED), ("over now", Stage.RESOLVED)]


async def test_an_alert_may_quote_anything(store: Store) -> None:
    """As an event may."""
    alert = await store.raise_alert(Trouble("a", Severity.WARNING, "it wrote \0 and \ud800"), NOON)
    assert alert is not None
    assert alert.sentence.startswith("it wrote ")
