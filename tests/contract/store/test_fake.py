"""What the fake has beyond the contract."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.store.records import execution
from tests.fakes.store import FakeStore
from wsmgr.core.errors import StoreUnavailable

ROOT = Path(__file__).parents[3]


async def test_a_failure_that_was_asked_for_comes_once() -> None:
    """The method raises it, changes nothing, and works the next time."""
    store = FakeStore(is_open=True)
    store.fail_next("begin", StoreUnavailable("asked for"))
    with pytest.raises(StoreUnavailable, match="asked for"):
        await store.begin(execution("e1"))
    assert await store.begin(execution("e1")) is None
    assert store.calls == ["begin", "begin"]


async def test_a_failing_note_is_dropped_and_counted() -> None:
    """As the real one, it never raises."""
    store = FakeStore(is_open=True)
    store.fail_next("note", StoreUnavailable("asked for"))
    store.note(execution("e1"))
    assert store.dropped_notes == 1
    assert await store.execution(execution("e1").id) is None


def test_a_method_that_does_not_exist_cannot_fail() -> None:
    """A test that misspells one is told."""
    with pytest.raises(ValueError, match="no method bgein"):
        FakeStore().fail_next("bgein", StoreUnavailable("asked for"))


def test_the_fake_needs_no_sql() -> None:
    """The shell tier runs without those packages; the real one does import them."""
    for module, expected in (("tests.fakes.store", "False"), ("wsmgr.adapters.store", "True")):
        program = f"import sys, {module}; print('sqlalchemy' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.strip() == expected
