"""The runtime under test, in the words of the contract."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

from tests.contract.runtime.client import Address, Answer, Connection, until
from tests.contract.runtime.launch import Launcher, Process
from tests.contract.runtime.sources import source

Outcome = dict[str, Any]
Line = dict[str, Any]


class Runtime:
    """One started runtime with the calls of its contract."""

    def __init__(self, launcher: Launcher, process: Process, token: str | None = None) -> None:
        self.language = launcher.language
        self.process = process
        self.address: Address = process.listening()
        self._token = token
        self._connections: list[Connection] = []
        self._ids = itertools.count(1)
        self._main = self.connection()

    def connection(self) -> Connection:
        """Another connection; all of them are closed at the end."""
        made = Connection(self.address, self._token)
        self._connections.append(made)
        return made

    def close(self) -> None:
        """Closes the connections and ends the process."""
        for connection in self._connections:
            connection.close()
        self.process.end()

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """Any request on the kept-alive main connection."""
        return self._main.call(method, path, body)

    def health(self) -> dict[str, Any]:
        """`GET /health`, which must be 200."""
        answer = self.call("GET", "/health")
        assert answer.status == 200
        return answer.body

    def put_code(self, slug: str, code: str, version: str | None = None) -> Answer:
        """`PUT /plugins/{slug}` with this source; versions are named by their content unless the test says."""
        version = version or hashlib.sha256(code.encode()).hexdigest()
        return self.call("PUT", f"/plugins/{slug}", {"version": version, "language": self.language, "code": code})

    def put(self, case: str, version: str | None = None, slug: str | None = None) -> Answer:
        """`PUT /plugins/{slug}` with the source of a case in this runtime's language."""
        return self.put_code(slug or case, source(case, self.language), version)

    def install(self, *cases: str) -> None:
        """Puts cases under their own names; each must load."""
        for case in cases:
            answer = self.put(case)
            assert answer.status == 200, answer.body

    def request(self, slug: str, value: object = None, **more: object) -> dict[str, object]:
        """The body of `POST /execute`."""
        return {
            "plugin": slug,
            "input": value,
            "timeoutMs": 20_000,
            "executionId": f"e{next(self._ids)}",
            **more,
        }

    def execute(self, slug: str, value: object = None, **more: object) -> Outcome:
        """`POST /execute`, which must be 200."""
        answer = self.call("POST", "/execute", self.request(slug, value, **more))
        assert answer.status == 200, answer.body
        assert set(answer.body) == {"success", "output", "error", "logs", "logsTruncated", "durationMs"}
        return answer.body

    def stream(self, slug: str, value: object = None, **more: object) -> list[Line]:
        """`POST /execute` with `stream`, which must be 200, to its end: all lines."""
        connection = self.connection()
        connection.send("POST", "/execute", self.request(slug, value, stream=True, **more))
        return list(connection.lines())

    def run(self, case: str, value: object = None, **more: object) -> Outcome:
        """Installs a case and executes it."""
        self.install(case)
        return self.execute(case, value, **more)

    def begin(self, slug: str, value: object = None, **more: object) -> Connection:
        """Starts an execution on a connection of its own and waits until the runtime counts it."""
        before = self.health()["inflight"]
        connection = self.connection()
        connection.send("POST", "/execute", self.request(slug, value, **more))
        until(lambda: self.health()["inflight"] > before)
        return connection

    def idle(self) -> None:
        """Waits until nothing is under way."""
        until(lambda: self.health()["inflight"] == 0)

    def resident_mb(self, field: str = "VmHWM") -> int:
        """The process' resident memory in MB; by default the most it ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        found = next(line for line in status if line.startswith(f"{field}:"))
        return int(found.split()[1]) // 1024


def failed(outcome: Outcome, kind: str) -> dict[str, Any]:
    """Asserts that an outcome is a failure of this type with a sentence, and returns its error."""
    assert outcome["success"] is False, outcome
    assert outcome["output"] is None
    error = outcome["error"]
    assert isinstance(error, dict)
    assert error["type"] == kind, error
    assert error["message"]
    return error
