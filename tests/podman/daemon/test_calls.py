"""Calls through a real daemon into real containers."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.podman.daemon.rig import RealDaemon, failure, inline, output, run
from wsmgr.client import ApiError, Client

ECHO = "export default (input) => input"
HASH = """
import { createHash } from 'node:crypto';
export default () => createHash('sha256').update('x').digest('hex').slice(0, 8)"""


def test_a_cold_call_makes_a_container_and_a_warm_one_finds_it(daemon: RealDaemon, client: Client) -> None:
    """The first answer comes out of a container that was not there before."""
    assert [one for one in daemon.containers() if one["Labels"]["wsmgr.workspace"] == "user:cold"] == []
    cold = run(client, "cold", ECHO, {"n": 1})
    first = daemon.container("user:cold")["Id"]
    warm = run(client, "cold", ECHO, {"n": 2})
    assert (cold.output, cold.cold_start, cold.isolation, cold.degraded) == ({"n": 1}, True, "container", False)
    assert cold.start_ms > 0
    assert (warm.output, warm.cold_start, warm.start_ms) == ({"n": 2}, False, 0)
    assert daemon.container("user:cold")["Id"] == first


def test_twenty_calls_at_once_to_a_workspace_that_is_not_there(daemon: RealDaemon, client: Client) -> None:
    """One container, twenty right answers."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: output(client, "twenty", ECHO, n), range(20)))
    assert answers == list(range(20))
    daemon.container("user:twenty")


def test_two_hundred_calls_at_once(client: Client) -> None:
    """All are answered, each with its own answer."""
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda n: output(client, f"many{n % 4}", ECHO, n), range(200)))
    assert answers == list(range(200))


def test_an_organisation_shares_one_workspace(daemon: RealDaemon, client: Client) -> None:
    """Its users' calls meet in one container; the users' own workspaces are others."""
    for user in ("ann", "ben"):
        answer = client.execute(user, inline(ECHO), user, organization_id="acme")
        assert answer.output == user
    daemon.container("org:acme")
    assert not [one for one in daemon.containers() if one["Labels"]["wsmgr.workspace"] in {"user:ann", "user:ben"}]


def test_stored_plugins_and_their_versions(client: Client) -> None:
    """Put, run, put again into the running workspace, run, go back, forget."""
    first = client.put_plugin("user:paula", "v", language="javascript", code="export default () => 1")
    assert client.execute("paula", "v").output == 1
    second = client.put_plugin("user:paula", "v", language="javascript", code="export default () => 2")
    assert (first.reloaded, second.reloaded) == (False, True)
    assert client.execute("paula", "v").output == 2
    for bad, why in (("export default (", "The code is refused"), ("export const nothing = 1", "does not load")):
        with pytest.raises(ApiError, match=why) as refused:
            client.put_plugin("user:paula", "v", language="javascript", code=bad)
        assert refused.value.status == 422
    assert client.execute("paula", "v").output == 2
    client.rollback("user:paula", "v")
    assert client.execute("paula", "v").output == 1
    client.delete_plugin("user:paula", "v")
    with pytest.raises(ApiError) as gone:
        client.execute("paula", "v")
    assert gone.value.status == 404


def test_a_plugin_as_large_as_its_plan_allows(client: Client) -> None:
    """4 MiB with quotes and line ends, which JSON escapes; more is refused with the figures."""
    line = "const s = \"'quoted'\";\n"
    code = "export default () => 'large'\n//" + "\n//".join([line.strip()] * 130_000)
    assert 3_000_000 < len(code) < 4 * 1024 * 1024
    client.put_plugin("user:large", "large", language="javascript", code=code)
    assert client.execute("large", "large").output == "large"
    with pytest.raises(ApiError) as refused:
        client.put_plugin("user:large", "large", language="javascript", code=code + code)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("export default async () => { await new Promise(r => setTimeout(r, 20)); return 'later' }", "later"),
        ("module.exports = (input) => input.a", 1),
        ("export function execute(input, context) { return context.userId }", "shapes"),
        ("export default () => undefined", None),
        ("export default () => 'x'.repeat(900_000).length", 900_000),
        ("export default () => ({ nested: [1, { deep: null }] })", {"nested": [1, {"deep": None}]}),
        (HASH, "2d711642"),
    ],
)  # fmt: skip
def test_the_shapes_of_plugins(client: Client, code: str, expected: object) -> None:
    """Async, CommonJS, named export, undefined, large and nested values, builtins."""
    assert output(client, "shapes", code, {"a": 1}) == expected


@pytest.mark.parametrize(
    ("code", "type_"),
    [
        ("export default () => { throw new TypeError('no') }", "Exception"),
        ("export default () => { throw 'text' }", "Exception"),
        ("export default async () => { throw null }", "Exception"),
        ("export default () => { const f = () => f(); f() }", "Exception"),
        ("export default () => process.exit(3)", "Exit"),
        ("export default () => { while (true) {} }", "Timeout"),
        ("export default () => new Promise(() => {})", "Timeout"),
        ("export default () => { const a = []; while (true) a.push(new Array(100_000).fill(a.length)) }",
         "OutOfMemory"),
        ("export default () => { const a = []; while (true) a.push(Buffer.alloc(8e6, 1)) }", "OutOfMemory"),
        ("export default () => 'x'.repeat(5_000_000)", "OutputTooLarge"),
        ("export default () => 10n", "OutputInvalid"),
        ("throw new Error('at its top level')", "LoadError"),
        ("export const nothing = 1", "LoadError"),
    ],
)  # fmt: skip
def test_plugins_that_fail_end_themselves_and_nothing_else(
    daemon: RealDaemon, client: Client, code: str, type_: str
) -> None:
    """Each with its outcome; the same container goes on serving."""
    assert output(client, "fails", ECHO, 1, slug="other") == 1
    before = daemon.container("user:fails")["Id"]
    assert failure(client, "fails", code, timeout_ms=4000) == type_
    assert output(client, "fails", ECHO, 2, slug="other") == 2
    assert daemon.container("user:fails")["Id"] == before


def test_a_spinning_plugin_blocks_no_other(client: Client) -> None:
    """Another plugin and the health of the workspace answer while it spins."""
    output(client, "spin", ECHO, 0, slug="other")
    with ThreadPoolExecutor(1) as pool:
        spinning = pool.submit(failure, client, "spin", "export default () => { while (true) {} }", timeout_ms=3000)
        for number in range(5):
            assert output(client, "spin", ECHO, number, slug="other") == number
            assert client.workspace_health("user:spin").healthy is True
        assert not spinning.done()
        assert spinning.result() == "Timeout"


def test_a_flood_of_output_is_capped_and_harmless(daemon: RealDaemon, client: Client) -> None:
    """50 MB printed: the first lines are kept, the rest is marked as cut, and no file on the host grows."""
    code = "export default () => { const l = 'y'.repeat(1e6); for (let i = 0; i < 50; i++) console.log(l); return 1 }"
    answer = run(client, "flood", code, timeout_ms=20_000)
    assert (answer.output, answer.logs_truncated) == (1, True)
    assert sum(len(entry.message) for entry in answer.logs) <= 64 * 1024
    code = "export default () => { for (let i = 0; i < 500; i++) process.stdout.write('z'.repeat(1e5)); return 1 }"
    assert run(client, "flood", code, timeout_ms=20_000).output == 1
    assert len("\n".join(client.workspace_logs("user:flood").items)) < 100_000
    said = run(client, "flood", "export default () => { console.log('a', {b: 1}); console.error('c') }")
    assert [(entry.level, entry.message) for entry in said.logs] == [("log", "a { b: 1 }"), ("error", "c")]
    assert daemon.container("user:flood")["State"] == "running"


def test_records_say_what_happened(client: Client) -> None:
    """With logs, timing and version; the caller's id finds it again."""
    answer = run(client, "records", "export default () => { console.log('hi'); return 7 }", execution_id="rec-1")
    again = run(client, "records", "export default () => { console.log('hi'); return 7 }", execution_id="rec-1")
    record = client.execution("rec-1")
    assert again == answer
    assert (record.state, record.output, record.version) == ("succeeded", 7, answer.plugin_version)
    assert [entry.message for entry in record.logs] == ["hi"]
    assert [one.id for one in client.executions("user:records").items] == ["rec-1"]


@pytest.mark.parametrize("slug", ["../../etc/x", "..", "a/b", "A", "x" * 65, "x\0"])
def test_hostile_slugs_are_refused(client: Client, slug: str) -> None:
    """As data."""
    with pytest.raises(ApiError) as refused:
        client.execute("slugs", slug)
    assert refused.value.status == 422


def test_requests_that_are_cut_short_leave_the_daemon_well(daemon: RealDaemon, client: Client) -> None:
    """Half a header, half a body, garbage: the connection ends, the daemon goes on."""
    head = b"POST /api/execute HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n"
    for raw in (head, head + b'\r\n{"userId": "a', b"\x16\x03\x01\x02garbage\r\n\r\n", b"GET"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(daemon.socket))
            connection.sendall(raw)
    assert client.health().status == "healthy"
    assert output(client, "cut", ECHO, 1) == 1
