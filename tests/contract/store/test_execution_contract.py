"""Execution records: one body over every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.contract.store.records import HOME, execution, outcome
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, WorkspaceId
from wsmgr.core.outcome import Failure, FailureType, LogEntry, Outcome
from wsmgr.ports.store import Store

SUCCEEDED = ExecutionState.SUCCEEDED


async def test_a_begun_execution_is_there_and_runs(store: Store) -> None:
    """What was begun comes back equal; what was not is None."""
    begun = execution("e1")
    assert await store.begin(begun) is None
    assert await store.execution(begun.id) == begun
    assert await store.execution(ExecutionId("e2")) is None


async def test_beginning_an_id_again_gives_the_record_that_has_it(store: Store) -> None:
    """While it runs, and after it has ended; the record is not touched."""
    begun = execution("e1")
    await store.begin(begun)
    assert await store.begin(replace(begun, fingerprint="other")) == begun
    ended = replace(begun, state=SUCCEEDED, outcome=outcome())
    await store.end(ended)
    assert await store.begin(begun) == ended
    assert await store.execution(begun.id) == ended


@pytest.mark.parametrize("given", [None, {"text": "漢字 \ud800", "n": 2**70}, [], "", 0])
async def test_an_input_that_is_kept_comes_back(given: object, store: Store) -> None:
    """Null is an input too; what is not kept is told from it."""
    kept = replace(execution("e1"), input=given, input_kept=True)
    await store.begin(kept)
    assert await store.execution(kept.id) == kept
    ended = replace(kept, state=SUCCEEDED, outcome=outcome())
    await store.end(ended)
    assert await store.execution(kept.id) == ended
    without = execution("e2")
    await store.begin(without)
    assert await store.execution(without.id) == without


async def test_a_withdrawn_beginning_can_begin_again(store: Store) -> None:
    """It is as if it had never been; what has ended is not withdrawn, and withdrawing nothing is well."""
    begun = execution("e1")
    await store.begin(begun)
    await store.withdraw(begun.id)
    await store.withdraw(begun.id)
    assert await store.execution(begun.id) is None
    assert await store.begin(begun) is None
    ended = replace(begun, state=SUCCEEDED, outcome=outcome())
    await store.end(ended)
    await store.withdraw(begun.id)
    assert await store.execution(begun.id) == ended


async def test_of_many_beginnings_of_one_id_one_is_new(store: Store) -> None:
    """Also when they are one and the same object, at the same moment."""
    begun = execution("e1")
    answers = await asyncio.gather(*[store.begin(begun) for _ in range(50)])
    assert answers.count(None) == 1
    assert answers.count(begun) == 49


async def test_a_noted_id_is_taken_for_beginning(store: Store) -> None:
    """Also in the quarter of a second before the note is written."""
    noted = execution("e1", state=SUCCEEDED, ended=outcome())
    store.note(noted)
    assert await store.begin(execution("e1")) == noted


@pytest.mark.parametrize(
    "ended",
    [
        outcome(None),
        outcome(0),
        outcome(""),
        outcome([]),
        outcome({"nested": [1, 2.5, None, True, {"k": "\0 é \N{GRINNING FACE}"}]}),
        outcome("half a pair \ud800"),
        outcome(2**80),
        outcome(logs=(LogEntry(0.0, "info", "hello \0"), LogEntry(1.25, "error", ""))),
        Outcome(None, Failure(FailureType.TIMEOUT, "too slow"), (), logs_truncated=True, duration_ms=5000.0),
        Outcome(None, Failure(FailureType.EXCEPTION, "no \0", "at x\nat y", "TypeError"), (), False, 0.0),
    ],
    ids=lambda ended: repr(ended.output or ended.failure)[:30],
)
async def test_an_ended_execution_comes_back_equal(store: Store, ended: Outcome) -> None:
    """Whatever JSON value, failure and lines it has, also those that databases do not like."""
    state = ExecutionState.FAILED if ended.failure else SUCCEEDED
    record = execution("e1", state=state, ended=ended)
    await store.end(record)
    assert await store.execution(record.id) == record


async def test_deep_output_is_kept(store: Store) -> None:
    """A plugin may nest its output deeper than the fast encoder goes."""
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    record = execution("e1", state=SUCCEEDED, ended=outcome(deep))
    await store.end(record)
    assert await store.execution(record.id) == record


async def test_a_note_is_found_at_once_and_in_pages(store: Store) -> None:
    """Before it is written, and after."""
    noted = execution("e1", state=SUCCEEDED, ended=outcome())
    store.note(noted)
    assert await store.execution(noted.id) == noted
    assert await store.executions(HOME, 10, None) == ([noted], None)
    assert await store.execution(noted.id) == noted


async def test_the_last_note_of_an_id_counts(store: Store) -> None:
    """Whether or not the first one is written when the second one comes."""
    running = execution("e1")
    store.note(running)
    store.note(replace(running, state=SUCCEEDED, outcome=outcome(1)))
    await store.executions(HOME, 1, None)
    store.note(replace(running, state=SUCCEEDED, outcome=outcome(2)))
    (found,), _ = await store.executions(HOME, 1, None)
    assert found.outcome == outcome(2)


async def test_notes_are_written_when_the_store_closes(store: Store) -> None:
    """Closing waits for them."""
    noted = [execution(f"e{n}", state=SUCCEEDED, ended=outcome(n)) for n in range(50)]
    for one in noted:
        store.note(one)
    await store.close()
    await store.open()
    assert [await store.execution(one.id) for one in noted] == noted


async def test_pages_hold_every_record_once_newest_first(store: Store) -> None:
    """Also those of the same moment, and with new ones coming in between."""
    records = [execution(f"e{n:02}", seconds=n // 4) for n in range(25)]
    for one in reversed(records):
        await store.end(one)
    await store.end(execution("other", workspace=WorkspaceId("user:bob"), seconds=50))
    pages: list[list[Execution]] = []
    cursor: str | None = None
    while not pages or cursor is not None:
        page, cursor = await store.executions(HOME, 10, cursor)
        pages.append(list(page))
        await store.end(execution(f"new{len(pages)}", seconds=100))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [one for page in pages for one in page] == records[::-1]


async def test_a_full_last_page_has_no_cursor(store: Store) -> None:
    """There is a next page only when something is on it."""
    for n in range(4):
        await store.end(execution(f"e{n}", seconds=n))
    first, cursor = await store.executions(HOME, 2, None)
    assert [one.id for one in first] == ["e3", "e2"]
    second, end = await store.executions(HOME, 2, cursor)
    assert [one.id for one in second] == ["e1", "e0"]
    assert end is None
    assert await store.executions(WorkspaceId("user:bob"), 2, None) == ([], None)


@pytest.mark.parametrize("word", ["", "nonsense", "W10", "é", "=====", "WzEsMl0", "WyI5OTk5IiwiYSJd%"])
async def test_a_cursor_that_was_never_given_is_refused(store: Store, word: str) -> None:
    """It comes from outside, in a URL."""
    with pytest.raises(InvalidRequest):
        await store.executions(HOME, 2, word)


async def test_lose_running_marks_the_running_only(store: Store) -> None:
    """They have no outcome; those that ended keep theirs."""
    running = [execution(f"r{n}") for n in range(3)]
    for one in running:
        await store.begin(one)
    ended = execution("done", state=SUCCEEDED, ended=outcome())
    await store.end(ended)
    assert await store.lose_running() == 3
    assert await store.lose_running() == 0
    assert await store.execution(ended.id) == ended
    for one in running:
        assert await store.execution(one.id) == replace(one, state=ExecutionState.LOST)


async def test_an_end_without_a_beginning_is_kept(store: Store) -> None:
    """Insert or replace: the last end of an id counts."""
    await store.end(execution("e1", state=SUCCEEDED, ended=outcome(1)))
    await store.end(execution("e1", state=SUCCEEDED, ended=outcome(2)))
    found = await store.execution(ExecutionId("e1"))
    assert found is not None
    assert found.outcome == outcome(2)
