"""Calling back, against a real server on the loopback; and where such calls may not lead."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.adapters.webhook.test_notifier import SECRET, receiving, status
from tests.contract.store.records import execution, outcome
from wsmgr.adapters.webhook import WebhookCaller
from wsmgr.core.execution import ExecutionState
from wsmgr.core.outcome import Failure, FailureType, LogEntry
from wsmgr.ports.caller import Refused
from wsmgr.ports.notifier import NotDelivered

DONE = execution("job:7", state=ExecutionState.SUCCEEDED, ended=outcome({"a": 1}, logs=(LogEntry(0.5, "log", "hi"),)))


@asynccontextmanager
async def caller(*, private: bool = True, names: Sequence[str] | None = None) -> AsyncIterator[WebhookCaller]:
    """A caller; `names`: the addresses of every host name."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        assert names is not None
        return names

    one = WebhookCaller(SECRET, private=private, resolve=resolve)
    yield one
    await one.close()


async def test_the_end_is_signed_json() -> None:
    """The receiver can check it as it checks notices, and knows it again."""
    async with receiving(status("204 No Content")) as receiver, caller() as one:
        await one.call(f"http://127.0.0.1:{receiver.port}/over?x=1", DONE)
    (body,) = receiver.bodies
    document = json.loads(body)
    assert document["type"] == "execution.over"
    assert document["execution"]["id"] == "job:7"
    assert document["execution"]["state"] == "succeeded"
    assert document["execution"]["output"] == {"a": 1}
    assert document["execution"]["error"] is None
    assert document["execution"]["logs"] == [{"t": 0.5, "level": "log", "message": "hi"}]
    assert receiver.heads[0].startswith("POST /over?x=1 ")
    signed = f"{receiver.header('x-wsmgr-timestamp')}.".encode() + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert receiver.header("x-wsmgr-signature") == f"sha256={expected}"
    assert receiver.header("x-wsmgr-delivery") == "execution-job:7"


async def test_failures_and_lost_ones_are_told() -> None:
    """With what is known of them."""
    failure = Failure(FailureType.EXCEPTION, "no", "stack")
    failed = replace(DONE, state=ExecutionState.FAILED, outcome=replace(outcome(None), failure=failure))
    lost = replace(DONE, state=ExecutionState.LOST, outcome=None)
    async with receiving(status("200 OK"), status("200 OK")) as receiver, caller() as one:
        await one.call(f"http://127.0.0.1:{receiver.port}/", failed)
        await one.call(f"http://127.0.0.1:{receiver.port}/", lost)
    told = [json.loads(body)["execution"] for body in receiver.bodies]
    assert told[0]["error"] == {"type": "Exception", "message": "no"}
    assert (told[1]["state"], told[1]["durationMs"], told[1]["error"]) == ("lost", None, None)


@pytest.mark.parametrize("answer", [status("500 Oops"), status("302 Found", "Location: http://127.0.0.1:9/\r\n"), b""])
async def test_another_answer_is_no_delivery(answer: bytes) -> None:
    """Nor is a redirection followed; the sentence does not quote the URL."""
    async with receiving(answer) as receiver, caller() as one:
        with pytest.raises(NotDelivered) as failed:
            await one.call(f"http://127.0.0.1:{receiver.port}/geheim", DONE)
    assert "geheim" not in str(failed.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "ftp://example.com/",
        "http://",
        "https://user:secret@example.com/",
        "file:///etc/passwd",
        "http://\x00/",
    ],
)
async def test_urls_that_lead_inside_are_refused_when_they_are_asked_for(url: str) -> None:
    """By themselves, without any look at the network."""
    async with caller(private=False) as one:
        with pytest.raises(Refused):
            one.check(url)
        one.check("https://platform.example/over")


@pytest.mark.parametrize(
    "names", [["127.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"]]
)
async def test_names_that_lead_inside_are_refused_when_they_are_called(names: list[str]) -> None:
    """Each address counts; nothing is connected to. The same name is called where that is allowed."""
    async with receiving(status("200 OK")) as receiver:
        url = f"http://inside.example:{receiver.port}/over"
        async with caller(private=False, names=names) as one:
            one.check(url)
            with pytest.raises(Refused, match="not public"):
                await one.call(url, DONE)
        assert receiver.bodies == []
        async with caller(private=True, names=["127.0.0.1"]) as one:
            await one.call(url, DONE)
        assert receiver.header("host") == f"inside.example:{receiver.port}"


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "017700000001"])
async def test_other_ways_to_write_the_loopback_are_no_way_in(host: str) -> None:
    """The resolver understands some of them: what it makes of them is what counts."""
    one = WebhookCaller(SECRET, private=False)
    with pytest.raises((Refused, NotDelivered)):
        await one.call(f"http://{host}:9/", DONE)
    await one.close()


async def test_a_name_that_is_not_known_is_not_delivered() -> None:
    """It may be known later."""

    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such host")

    one = WebhookCaller(SECRET, private=False, resolve=unknown)
    with pytest.raises(NotDelivered, match="not reached"):
        await one.call("https://platform.example/", DONE)
    await one.close()
